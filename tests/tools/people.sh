#!/bin/sh
# What the tests of CI files, the editor and shell completion need: Debian's shells, shellcheck and jq; actionlint, built
# from hashed Go modules into the cache. Does nothing where all of it is there.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sluice

missing=
for program in zsh fish shellcheck jq curl; do
  command -v "$program" >/dev/null 2>&1 || missing="$missing $program"
done
if [ -n "$missing" ]; then
  as_root=
  [ "$(id -u)" -eq 0 ] || as_root=sudo
  $as_root apt-get -q -o DPkg::Lock::Timeout=300 update
  # shellcheck disable=SC2086 # words on purpose: one a package
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 install -y --no-install-recommends $missing
fi

key=$(cat "$here/editor/package-lock.json" | sha256sum | cut -c1-16)
if [ ! -e "$cache/editor/$key/.complete" ]; then
  rm -rf "$cache/editor/$key"
  mkdir -p "$cache/editor/$key"
  cp "$here/editor/package.json" "$here/editor/package-lock.json" "$cache/editor/$key"
  (cd "$cache/editor/$key" && npm ci --ignore-scripts --no-audit --no-fund --silent)
  touch "$cache/editor/$key/.complete"
fi

key=$(cat "$here/actionlint/go.mod" "$here/actionlint/go.sum" | sha256sum | cut -c1-16)
if [ ! -x "$cache/actionlint/$key/actionlint" ]; then
  mkdir -p "$cache/actionlint/$key"
  (cd "$here/actionlint" &&
    CGO_ENABLED=0 go build -o "$cache/actionlint/$key/actionlint.new" github.com/rhysd/actionlint/cmd/actionlint)
  mv "$cache/actionlint/$key/actionlint.new" "$cache/actionlint/$key/actionlint"
fi

# The engine of both controllers' notifications. Cold about two minutes of processor time.
engine=$here/../notifications/engine
key=$(cat "$engine"/* | sha256sum | cut -c1-16)
if [ ! -x "$cache/notifications/$key/engine" ]; then
  mkdir -p "$cache/notifications/$key"
  # As tests/oracle/build.sh compiles: they share libraries of one version.
  (cd "$engine" && GOTOOLCHAIN=go1.27.3 CGO_ENABLED=0 GOGC=off GOMEMLIMIT=4GiB \
    go build -trimpath -gcflags=all=-dwarf=false -o "$cache/notifications/$key/engine.new" .)
  mv "$cache/notifications/$key/engine.new" "$cache/notifications/$key/engine"
fi
