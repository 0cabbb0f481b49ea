#!/bin/sh
# Installs Debian's `prometheus` (for promtool, and for the server in end-to-end tests) and `prometheus-alertmanager`.
# Does nothing when all of it is there already. Starts no system service.
set -eu

missing=
for program in promtool prometheus prometheus-alertmanager; do
  command -v "$program" >/dev/null 2>&1 || missing=yes
done
if [ -z "$missing" ]; then
  exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
  exec sudo -- "$0" "$@"
fi

# Maintainer scripts ask policy-rc.d before they start a service; 101 means "forbidden".
policy=/usr/sbin/policy-rc.d
saved=
restore() {
  rm -f "$policy"
  if [ -n "$saved" ]; then mv "$saved" "$policy"; fi
}
if [ -e "$policy" ]; then
  saved="$policy.sluice-saved.$$"
  mv "$policy" "$saved"
fi
trap restore EXIT
trap 'exit 1' HUP INT TERM
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

export DEBIAN_FRONTEND=noninteractive
apt-get -q -o DPkg::Lock::Timeout=300 update
apt-get -q -o DPkg::Lock::Timeout=300 install -y --no-install-recommends prometheus prometheus-alertmanager
promtool --version
