# shellcheck shell=bash
# The API of the use of pods, metrics.k8s.io, that the HPA asks.
version[metricsserver]=v0.8.0

metricsserver() {
  local name=sigs.k8s.io/metrics-server
  wrap $name "${version[metricsserver]}" $name/cmd/metrics-server
  go mod tidy -e
  compile -o "$out/metrics-server" $name/cmd/metrics-server
}
