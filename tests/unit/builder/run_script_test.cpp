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
  EXPECT_EQ(
      rest_of(script("d1", {{"python", "/pfs/source/main.py"}, "/pfs/source", false, "/usr/bin/python3.11"})),
      std::string(R"sh(interpreter=/usr/bin/python3.11
if ! [ -x "$interpreter" ]; then
  echo "error: run.sh: $interpreter not found in this image; the bundle was built for it" >&2
  echo "hint: run in the image that built it, or build in this image" >&2
  exit 127
fi
unset PYTHONHOME
if [ "$at" ]; then at=/pfs/source; else cd /pfs/source || exit 125; fi
exec "$shim" ${at:+--chdir "$at"} --environment d1 --exec -- python /pfs/source/main.py "$@"
)sh"));
}

TEST(RunScriptText, WithoutABundleAnyInterpreterWillDo) {
  EXPECT_EQ(rest_of(script("", {{"python3", "main.py"}, "", false, "/opt/my python/bin/python3"})),
            std::string(R"sh(interpreter='/opt/my python/bin/python3'
[ -x "$interpreter" ] || interpreter=python3
exec "$shim" ${at:+--chdir "$at"} --exec -- "$interpreter" main.py "$@"
)sh"));
}

TEST(RunScriptText, AFolderThatThePipelineNamesCountsMore) {
  EXPECT_EQ(
      rest_of(script("d1", {.command = {"main"}, .folder = "/pfs/source", .may_start_elsewhere = true})),
      std::string(R"sh(folder=${PACHBUILD_WORKING_DIR:-/pfs/source}
if ! [ -x "$folder/." ]; then :; elif [ "$at" ]; then at=$folder; else cd "$folder" || exit 125; fi
exec "$shim" ${at:+--chdir "$at"} --environment d1 --exec -- main "$@"
)sh"));
}

TEST(RunScriptText, SomeWordsNameTheEnvironmentsFolder) {
  const Start start = {.command = {"sh", "{env}/bin/a", "{env}"}, .expanded_words = 2};
  EXPECT_EQ(rest_of(script("d1", start)),
            "exec \"$shim\" ${at:+--chdir \"$at\"} --environment d1 --expand 2 --exec -- sh '{env}/bin/a' "
            "'{env}' \"$@\"\n");
  EXPECT_EQ(rest_of(script("", start)),
            "exec \"$shim\" ${at:+--chdir \"$at\"} --exec -- sh '{env}/bin/a' '{env}' \"$@\"\n");
}

TEST(RunScriptText, QuotesEveryWordOfTheCommand) {
  EXPECT_EQ(rest_of(script("d1", {{"it's", "$HOME", "", "a\nb"}, "", false, ""})),
            std::string("exec \"$shim\" ${at:+--chdir \"$at\"} --environment d1 --exec -- 'it'\\''s' '$HOME' "
                        "'' 'a\nb' \"$@\"\n"));
}

TEST(RunScriptText, SaysThatNoProgramIsChosen) {
  Start start{{"python3"}, "/pfs/source", false, "/usr/bin/python3"};
  start.no_program = {"has two programs: it's a, b", "choose one"};
  EXPECT_EQ(
      run_script_text(script("d1", start)),
      "#!/bin/sh\n# Made by builder-runtime 1.2.3 (x): there is no program to start.\n"
      "echo 'error: run.sh: has two programs: it'\\''s a, b' >&2\necho 'hint: choose one' >&2\nexit 127\n");
}

TEST(EnvironmentScriptText, StartsTheGivenCommandWhereItIs) {
  const std::string text = environment_script_text(script("d1", {.command = {"python", "main.py"},
                                                                 .folder = "/pfs/source",
                                                                 .interpreter = "/p",
                                                                 .environment = {{"A", "b"}}}));
  EXPECT_NE(text.find("echo \"error: environment.sh: $interpreter not found"), std::string::npos);
  EXPECT_TRUE(
      text.ends_with("unset PYTHONHOME\n[ -n \"${A+set}\" ] || export A=b\n"
                     "exec \"$shim\" ${at:+--chdir \"$at\"} --environment d1 --exec -- \"$@\"\n"))
      << text;
}

TEST(EnvironmentScriptText, NeedsNoShimWithoutABundleAndNothingForNothing) {
  EXPECT_EQ(environment_script_text(script("", {.command = {"main"}})), "");
  EXPECT_EQ(environment_script_text(script("", {.command = {"main"}, .environment = {{"A", "b c"}}})),
            "#!/bin/sh\n# Made by builder-runtime 1.2.3 (x): starts the given command in the artifact's "
            "environment.\n"
            "[ -n \"${A+set}\" ] || export A='b c'\nexec \"$@\"\n");
}

TEST(EnvironmentScriptText, PutsListsInFrontOfThoseOfThePipeline) {
  const Start start = {
      .command = {"main"}, .environment = {{"A", "b"}}, .prepend = {{"L", "/a b:/c"}, {"M", "d"}}};
  const std::string lines =
      "[ -n \"${A+set}\" ] || export A=b\nexport L='/a b:/c'\"${L:+:$L}\"\nexport M=d\"${M:+:$M}\"\n";
  EXPECT_TRUE(environment_script_text(script("", start)).ends_with(".\n" + lines + "exec \"$@\"\n"));
  // The shim does it there.
  EXPECT_EQ(run_script_text(script("", start)).find("/a b"), std::string::npos);
  EXPECT_EQ(environment_variables_text(start), std::string("A=b\0+L=/a b:/c\0+M=d\0", 20));
  EXPECT_NE(environment_script_text(script("", {.command = {"main"}, .prepend = {{"L", "x"}}})), "");
}

TEST(RunScriptText, HasNoPlaceThatIsNotFilled) {
  for (const std::string& text : {run_script_text(script("d1", {{"main"}, "", false, ""})),
                                  environment_script_text(script("d1", {{"main"}, "", false, ""}))}) {
    for (const std::string part : {"5417", "PACHBUILD_CACHE_DIR", "/var/cache/pachbuild"})
      EXPECT_NE(text.find(part), std::string::npos) << part;
    for (auto at = text.find('@'); at != std::string::npos; at = text.find('@', at + 1))
      EXPECT_EQ(text.substr(at, 2), "@\"") << text.substr(at, 20);
  }
}

TEST(RunScriptText, IsSmall) {
  EXPECT_LT(run_script_text(script(std::string(64, 'd'), {{"python", "main.py"}, "/pfs/source", false, "/p"}))
                .size(),
            4096U);
}

}  // namespace
}  // namespace builder
