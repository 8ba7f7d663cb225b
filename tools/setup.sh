#!/usr/bin/env bash
# Installs what Karaul needs on Debian 12 and is not here yet: GStreamer, mosquitto and
# build tools by apt, ONNX Runtime's shared library out of its Python wheel, and the MQTT
# clients that the examples for integrators use. Says nothing when there is nothing to do.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

case "$(uname -m)" in
  x86_64)  wheel_platform=manylinux_2_28_x86_64
           wheel_sha256=5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f ;;
  aarch64) wheel_platform=manylinux_2_28_aarch64
           wheel_sha256=da05378364c44d4407e463982d2bf8d5e4cfea873283757e48beeb41df97b7f3 ;;
  *) fail "this is a $(uname -m) machine; ONNX Runtime is published for x86_64 and aarch64 only, so use one of those" ;;
esac
onnxruntime=1.31.1

rust=1.92
remedy="install a Rust toolchain ($rust or later) with rustup from https://rustup.rs and start again"
command -v cargo >/dev/null || fail "there is no cargo; $remedy"
have=$(cargo --version | cut -d ' ' -f 2)
[ "$(printf '%s\n' "$rust" "$have" | sort -V | head -n 1)" = "$rust" ] || fail "cargo is $have, which is too old; $remedy"

packages=(
  build-essential pkg-config libssl-dev python3 python3-pip
  libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libgstrtspserver-1.0-dev
  gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly
  gstreamer1.0-libav gstreamer1.0-tools gstreamer1.0-rtsp glib-networking
  mosquitto mosquitto-clients openssl jq strace
)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
if ((${#missing[@]})); then
  command -v apt-get >/dev/null ||
    fail "these Debian packages are missing and there is no apt-get to install them: ${missing[*]}"
  as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null ||
      fail "these Debian packages are missing and installing needs root: run 'apt-get install ${missing[*]}' as root, then start again"
    as_root=(sudo)
  fi
  echo "setup: installing ${missing[*]}"
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  # Only the shared libraries and programs are wanted, not a broker that starts with the machine.
  { "${as_root[@]}" apt-get update -qq &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
      apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 ||
    { tail -n 20 "$log" >&2; fail "apt-get could not install them (its last words are above); check the network and /etc/apt/sources.list"; }
fi

# The library is kept under the version it has, so that a new pin fetches a new one.
keep=.karaul/onnxruntime-$onnxruntime
if [ ! -e "$keep/libonnxruntime.so" ]; then
  echo "setup: fetching ONNX Runtime $onnxruntime"
  partial=$(mktemp -d .karaul-setup.XXXXXX)
  trap 'rm -rf "${log:-}" "$partial"' EXIT
  python3 -m pip --disable-pip-version-check download --quiet --no-deps --only-binary=:all: --implementation cp \
    --python-version 3.11 --platform "$wheel_platform" --dest "$partial" "onnxruntime==$onnxruntime" ||
    fail "pip could not fetch onnxruntime $onnxruntime (its last words are above); check the network and pip's index"
  wheel=$(echo "$partial"/*.whl)
  echo "$wheel_sha256  $wheel" | sha256sum --check --quiet --status ||
    fail "the onnxruntime wheel is not the one this project was tested with (sha256 differs); do not use it, and report this"
  python3 -m zipfile --extract "$wheel" "$partial/wheel"
  mkdir -p "$keep"
  mv "$partial/wheel/onnxruntime/capi/libonnxruntime.so.$onnxruntime" "$keep/libonnxruntime.so.partial"
  mv "$keep/libonnxruntime.so.partial" "$keep/libonnxruntime.so"
fi
ln -sfn "onnxruntime-$onnxruntime" .karaul/onnxruntime

# For the tests of docs/integration only, so that nothing else fails without them: they say
# themselves that they were skipped. npm is used where it is; Debian's is several hundred packages.
client() { # language, file that pins it, where to; then the command
  local language=$1 pin=$2 place=$3; shift 3
  cmp -s "$pin" "$place/${pin##*/}" && return
  echo "setup: fetching the MQTT client for $language"
  rm -rf "$place" && mkdir -p "$place"
  if "$@"; then cp "$pin" "$place/"; else
    rm -rf "$place"
    echo "setup: it could not be fetched (the last words are above); the test of the $language example will be skipped" >&2
  fi
}
examples=docs/integration
client Python $examples/requirements.txt .karaul/python \
  python3 -m pip --disable-pip-version-check install --quiet --root-user-action=ignore --no-deps --only-binary=:all: \
  --require-hashes --target .karaul/python -r $examples/requirements.txt
if command -v node >/dev/null && command -v npm >/dev/null; then
  node_client() {
    cp $examples/package.json $examples/package-lock.json .karaul/node/ &&
      npm ci --prefix .karaul/node --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
  }
  client Node $examples/package-lock.json .karaul/node node_client
fi
