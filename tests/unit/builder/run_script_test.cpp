// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/run_script/run_script.h"

#include <gtest/gtest.h>

namespace builder {
namespace {

// What finds the shim is tried in tests/suites/test_run_script.py.
constexpr char k_first_line[] = "#!/bin/sh\n# Made by builder-runtime 1.2.3 (x): starts the program";

// All after the part that finds the shim, which is the same in each.
std::string rest_of(const RunScript& script) {
  const std::string text = run_script_text(script);
  EXPECT_EQ(text.find(k_first_line), 0U);
  constexpr std::string_view k_end = "\n  unset OLDPWD\nfi\n";
  return text.substr(text.find(k_end) + k_end.size());
}

RunScript script(const std::string& bundle, Start start) {
  return {.builder = "x",
          .version = "1.2.3",
          .bundle_digest = bundle,
          .shim_digest = "5417",
          .start = std::move(start)};
}

TEST(RunScriptText, WithABundleNeedsItsInterpreter) {
  EXPECT_EQ(rest_of(script("d1", {{"python", "/pfs/source/main.py"}, "/pfs/source", "/usr/bin/python3.11"})),
            std::string(R"sh(interpreter=/usr/bin/python3.11
if ! [ -x "$interpreter" ]; then
  echo "error: run.sh: this image has no $interpreter, which the bundle was made for" >&2
  echo "hint: run in the image that built it, or build in this image" >&2
  exit 127
fi
unset PYTHONHOME
if [ "$at" ]; then at=/pfs/source; else cd /pfs/source || exit 125; fi
exec "$shim" ${at:+--chdir "$at"} --environment d1 --exec -- python /pfs/source/main.py "$@"
)sh"));
}

TEST(RunScriptText, WithoutABundleAnyInterpreterWillDo) {
  EXPECT_EQ(rest_of(script("", {{"python3", "main.py"}, "", "/opt/my python/bin/python3"})),
            std::string(R"sh(interpreter='/opt/my python/bin/python3'
[ -x "$interpreter" ] || interpreter=python3
exec "$shim" ${at:+--chdir "$at"} --exec -- "$interpreter" main.py "$@"
)sh"));
}

TEST(RunScriptText, QuotesEveryWordOfTheCommand) {
  EXPECT_EQ(rest_of(script("d1", {{"it's", "$HOME", "", "a\nb"}, "", ""})),
            std::string("exec \"$shim\" ${at:+--chdir \"$at\"} --environment d1 --exec -- 'it'\\''s' '$HOME' "
                        "'' 'a\nb' \"$@\"\n"));
}

TEST(RunScriptText, IsSmall) {
  EXPECT_LT(
      run_script_text(script(std::string(64, 'd'), {{"python", "main.py"}, "/pfs/source", "/p"})).size(),
      4096U);
}

}  // namespace
}  // namespace builder
