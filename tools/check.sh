#!/usr/bin/env bash
# Everything that must hold before a change lands: format, lints, licences and sources, all tests.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }

step "format"
cargo fmt --all --check

step "lints"
cargo clippy --quiet --workspace --all-targets --locked -- -D warnings

step "licences and sources"
tools/deny.sh

step "tests"
# The end-to-end tests run the programs, so these are built first.
cargo build --quiet --workspace --bins --locked
cargo test --workspace --locked
