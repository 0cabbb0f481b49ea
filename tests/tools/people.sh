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

key=$(cat "$here/actionlint/go.mod" "$here/actionlint/go.sum" | sha256sum | cut -c1-16)
if [ ! -x "$cache/actionlint/$key/actionlint" ]; then
  mkdir -p "$cache/actionlint/$key"
  (cd "$here/actionlint" &&
    CGO_ENABLED=0 go build -o "$cache/actionlint/$key/actionlint.new" github.com/rhysd/actionlint/cmd/actionlint)
  mv "$cache/actionlint/$key/actionlint.new" "$cache/actionlint/$key/actionlint"
fi
