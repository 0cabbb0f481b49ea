# shellcheck shell=bash
# Stand-ins for the object stores of Google and Microsoft.
version[fakegcs]=v1.56.1
version[azurite]=3.35.0 # the last one for Node 20

fakegcs() {
  local name=github.com/fsouza/fake-gcs-server
  wrap $name "${version[fakegcs]}" $name
  go mod tidy -e
  compile -o "$out/fake-gcs-server" $name
}

azurite() {
  npm install --prefix "$out" --ignore-scripts --no-audit --no-fund --silent "azurite@${version[azurite]}"
}
