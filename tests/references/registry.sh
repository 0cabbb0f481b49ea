#!/bin/sh
# Unpacks the registry of Debian's `docker-registry` package into the cache of the tests. Needs no root, installs and
# starts nothing. Does nothing when the program is there already.
set -eu

folder=${XDG_CACHE_HOME:-$HOME/.cache}/sluice/docker-registry
if command -v docker-registry >/dev/null 2>&1 || [ -x "$folder/usr/bin/docker-registry" ]; then
  exit 0
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
(cd "$scratch" && apt-get -q -o APT::Sandbox::User="$(id -un)" download docker-registry)
dpkg-deb -x "$scratch"/docker-registry_*.deb "$scratch/tree"
mkdir -p "$(dirname "$folder")"
rm -rf "$folder"
mv "$scratch/tree" "$folder"
"$folder/usr/bin/docker-registry" --version
