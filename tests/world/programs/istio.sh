# shellcheck shell=bash
# Istio's control plane, istiod, which its module calls pilot-discovery. The module registry has commits of it, not releases:
# this one is of the main branch while its VERSION was 1.31.
version[istio]=v0.0.0-20260827124520-eed52ebb66ad

istio() {
  local name=istio.io/istio
  wrap $name "${version[istio]}" $name/pilot/cmd/pilot-discovery
  go mod tidy -e
  compile -o "$out/pilot-discovery" $name/pilot/cmd/pilot-discovery
}
