// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/run_script/run_script.h"

#include <gtest/gtest.h>

namespace builder {
namespace {

constexpr char k_head[] = R"sh(#!/bin/sh
# Made by builder-runtime 1.2.3 (x): starts the program with all arguments as they are.
shim=/usr/local/bin/worker-shim
if ! [ -x "$shim" ]; then
  # This image has no shim: the artifact's own is copied once per container, since /pfs keeps no mode bits.
  use() {
    [ -d "$1" ] || (umask 077 && mkdir -p "$1") 2>/dev/null
    [ -O "$1" ] && [ -w "$1" ] && ! [ -h "$1" ] && cache=$1
  }
  cache=$PACHBUILD_CACHE_DIR
  [ -n "$cache" ] || use /var/cache/pachbuild || use "/tmp/pachbuild-$(id -u)" || :
  shim=$cache/shim/5417/worker-shim
  if [ -z "$cache" ]; then
    echo "error: run.sh: no folder for the cache can be written; name one in PACHBUILD_CACHE_DIR" >&2
    exit 125
  elif ! [ -x "$shim" ]; then
    (
      umask 022
      mkdir -p "${shim%/*}" && copy=$(mktemp "$shim.XXXXXX") || exit
      cat /pfs/build/worker-shim >"$copy" && chmod 755 "$copy" && mv -f "$copy" "$shim" || { rm -f "$copy"; exit 1; }
    ) || exit 125
  fi
fi
)sh";

RunScript script(const std::string& bundle, Start start) {
  return {.builder = "x",
          .version = "1.2.3",
          .bundle_digest = bundle,
          .shim_digest = "5417",
          .start = std::move(start)};
}

TEST(RunScriptText, WithABundleNeedsItsInterpreter) {
  EXPECT_EQ(run_script_text(
                script("d1", {{"python", "/pfs/source/main.py"}, "/pfs/source", "/usr/bin/python3.11"})),
            k_head + std::string(R"sh(interpreter=/usr/bin/python3.11
if ! [ -x "$interpreter" ]; then
  echo "error: run.sh: this image has no $interpreter, which the bundle was made for" >&2
  echo "hint: run the pipeline in the image that built it, or build in an image like this one" >&2
  exit 127
fi
cd /pfs/source || exit 125
exec "$shim" --environment d1 --exec -- python /pfs/source/main.py "$@"
)sh"));
}

TEST(RunScriptText, WithoutABundleAnyInterpreterWillDo) {
  EXPECT_EQ(run_script_text(script("", {{"python3", "main.py"}, "", "/opt/my python/bin/python3"})),
            k_head + std::string(R"sh(interpreter='/opt/my python/bin/python3'
[ -x "$interpreter" ] || interpreter=python3
exec "$shim" --exec -- "$interpreter" main.py "$@"
)sh"));
}

TEST(RunScriptText, QuotesEveryWordOfTheCommand) {
  EXPECT_EQ(run_script_text(script("d1", {{"it's", "$HOME", "", "a\nb"}, "", ""})),
            k_head + std::string(
                         "exec \"$shim\" --environment d1 --exec -- 'it'\\''s' '$HOME' '' 'a\nb' \"$@\"\n"));
}

TEST(RunScriptText, IsSmall) {
  EXPECT_LT(
      run_script_text(script(std::string(64, 'd'), {{"python", "main.py"}, "/pfs/source", "/p"})).size(),
      4096U);
}

}  // namespace
}  // namespace builder
