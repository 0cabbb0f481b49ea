# shellcheck shell=bash
# Envoy Gateway: its controller, which is also the program next to its proxies that ends them in time.
version[envoygateway]=v1.9.1

envoygateway() {
  local name=github.com/envoyproxy/gateway
  wrap $name "${version[envoygateway]}" $name/cmd/envoy-gateway
  go mod tidy -e
  compile -o "$out/envoy-gateway" $name/cmd/envoy-gateway
}

# Its own kinds of objects. Those of the Gateway API are the core's.
version[envoygatewaydefinitions]=v1.9.1
envoygatewaydefinitions() {
  local folder
  folder=$(module github.com/envoyproxy/gateway "${version[envoygatewaydefinitions]}" Dir)
  cp "$folder"/charts/gateway-helm/charts/crds/crds/generated/*.yaml "$out"
  chmod -R u+w "$out"
}
