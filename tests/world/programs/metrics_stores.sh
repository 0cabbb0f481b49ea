# Two stores of metrics that answer PromQL themselves, to compare their answers with Prometheus' own.
version[victoriametrics]=v1.146.0 # the module proxy has not got the dependencies of v1.154.1
version[thanos]=v0.42.5

victoriametrics() {
  local name=github.com/VictoriaMetrics/VictoriaMetrics
  wrap $name "${version[victoriametrics]}" $name/app/victoria-metrics
  go mod tidy -e
  compile -o "$out/victoria-metrics" $name/app/victoria-metrics
}

# Thanos casts the labels of series to its own type, which only fits the slices that this tag selects.
thanos() {
  local name=github.com/thanos-io/thanos
  wrap $name "${version[thanos]}" $name/cmd/thanos
  go mod tidy -e
  compile -tags slicelabels -o "$out/thanos" $name/cmd/thanos
}
