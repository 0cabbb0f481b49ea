# shellcheck shell=bash
# KEDA: the operator, and the server of external metrics that the HPA asks. Every scaler is in it: ten minutes on two cores.
version[keda]=v2.18.1

keda() {
  local name=github.com/kedacore/keda/v2
  wrap $name "${version[keda]}" $name/cmd/operator $name/cmd/adapter
  go mod tidy -e
  compile -o "$out/keda-operator" $name/cmd/operator
  compile -o "$out/keda-adapter" $name/cmd/adapter
}

# What the operator watches; the core has only the definition of ScaledObjects.
version[kedadefinitions]=v2.18.1
kedadefinitions() {
  cp "$(module github.com/kedacore/keda/v2 "${version[kedadefinitions]}" Dir)"/config/crd/bases/*.yaml "$out"
  rm "$out/keda.sh_scaledobjects.yaml"
  chmod -R u+w "$out"
}
