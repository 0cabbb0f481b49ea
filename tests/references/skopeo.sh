#!/bin/sh
# Unpacks Debian's skopeo and the libraries that it needs into the cache of the tests. Needs no root, installs nothing.
# Does nothing when the program is there already.
set -eu

folder=${XDG_CACHE_HOME:-$HOME/.cache}/sluice/skopeo
if command -v skopeo >/dev/null 2>&1 || [ -x "$folder/usr/bin/skopeo" ]; then
  exit 0
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
(cd "$scratch" && apt-get -q -o APT::Sandbox::User="$(id -un)" download \
  skopeo libgpgme11 libassuan0 libdevmapper1.02.1 libgpg-error0)
for package in "$scratch"/*.deb; do
  dpkg-deb -x "$package" "$scratch/tree"
done
mkdir -p "$(dirname "$folder")"
rm -rf "$folder"
mv "$scratch/tree" "$folder"
