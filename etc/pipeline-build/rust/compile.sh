#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Usage: sh compile.sh FOLDER TARGET BIN FEATURES
# Compiles the package or workspace in FOLDER, in the target folder TARGET, and puts its programs into BIN.
set -eu
folder=$1 target=$2 bin=$3 features=$4
builder=$(cd "$(dirname "$0")" && pwd)

# A user without a home, as containers have them, has its crates in the target folder.
if [ -z "${CARGO_HOME:-}" ] && ! [ -w "${HOME:-/nowhere}" ]; then export CARGO_HOME="$target/cargo"; fi

# Flags in RUSTFLAGS would replace those of the source's own .cargo/config.toml; a wrapper adds to them.
export PACHBUILD_RUSTC_WRAPPER="${RUSTC_WRAPPER:-}" PACHBUILD_WORK="$folder" PACHBUILD_TARGET="$target"
export RUSTC_WRAPPER="$builder/rustc"
export CARGO_TARGET_DIR="$target" CARGO_PROFILE_RELEASE_STRIP="${CARGO_PROFILE_RELEASE_STRIP:-debuginfo}"
export CARGO_INCREMENTAL=0 CARGO_TERM_COLOR=never

cd "$folder"
messages=$(mktemp)
trap 'rm -f "$messages"' EXIT
set -- --release --locked --workspace --bins --message-format=json-render-diagnostics
if [ -n "$features" ]; then set -- "$@" --features "$features"; fi
cargo build "$@" >"$messages"

mkdir -p "$bin"
sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' "$messages" | while IFS= read -r program; do
  cp -- "$program" "$bin/"
done
if [ -z "$(ls -A "$bin")" ]; then
  echo "error: Cargo.toml: the package has no program" >&2
  echo "hint: add src/main.rs, or [[bin]] to Cargo.toml" >&2
  exit 65
fi
