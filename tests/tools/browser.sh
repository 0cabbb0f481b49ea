#!/bin/sh
# Installs what looks at the HTML pages in tests: Debian's `chromium`, `nodejs` and `npm`, and into the cache of the tests the two
# packages of tests/browser/package-lock.json (a driver, and axe-core, which judges accessibility). Starts no system service.
set -eu

here=$(cd "$(dirname "$0")/../browser" && pwd)
missing=
command -v chromium >/dev/null 2>&1 || missing="$missing chromium fonts-dejavu-core"
command -v node >/dev/null 2>&1 || missing="$missing nodejs"
command -v npm >/dev/null 2>&1 || missing="$missing npm"
if [ -n "$missing" ]; then
  if [ "$(id -u)" -ne 0 ]; then
    exec sudo --preserve-env=XDG_CACHE_HOME -- "$0" "$@"
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get -q -o DPkg::Lock::Timeout=300 update
  # shellcheck disable=SC2086 # a list of names
  apt-get -q -o DPkg::Lock::Timeout=300 install -y --no-install-recommends $missing
fi

key=$(sha256sum "$here/package-lock.json" | cut -c1-16)
folder=${XDG_CACHE_HOME:-$HOME/.cache}/sluice/browser/$key
mkdir -p "$folder"
(
  flock 9
  [ -e "$folder/.complete" ] && exit 0
  cp "$here/package.json" "$here/package-lock.json" "$folder/"
  (cd "$folder" && npm ci --no-audit --no-fund --ignore-scripts --silent)
  touch "$folder/.complete"
) 9>"$folder.lock"
echo "$folder"
