#!/usr/bin/env bash
# cargo-deny over the dependency tree. Its advisory database is fetched from the network; where
# that cannot be reached, the advisories are skipped, and this is said.
set -euo pipefail
cd "$(dirname "$0")/.."

version=0.20.2
tool=.karaul/cargo-deny-$version/bin/cargo-deny
if [ ! -x "$tool" ]; then
  echo "building cargo-deny $version (once)"
  cargo install --quiet --locked --debug --no-track --root ".karaul/cargo-deny-$version" "cargo-deny@$version" ||
    { echo "deny: cargo could not install cargo-deny $version; check the network" >&2; exit 1; }
fi
"$tool" --log-level warn check bans licenses sources

if timeout 60 "$tool" --log-level error fetch db >/dev/null 2>&1; then
  "$tool" --log-level warn check --disable-fetch advisories
else
  echo "skipped: advisories (the advisory database cannot be reached from here)"
fi
