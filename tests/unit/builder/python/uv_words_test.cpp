// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/install/uv_words.h"

#include <gtest/gtest.h>

#include "builder-runtime/languages/python/install/source_builds.h"

namespace builder::python {
namespace {

const UvWords k_words("/cache/work", "/cache/work/resolve-a1/source", "/pfs/source", "requirements.txt",
                      {"/bin/uv", "export", "--frozen", "--no-build", "--output-file",
                       "/cache/work/resolve-a1/pylock.own.toml", "/cache/work/build-b2/tree/bin/python"});

TEST(UvWords, ThePrivateCopyIsTheSource) {
  EXPECT_EQ(k_words.shown("   Building own @ file:///cache/work/resolve-a1/source/own"),
            "   Building own @ file:///pfs/source/own");
}

TEST(UvWords, AGeneratedFileIsTheManifest) {
  EXPECT_EQ(k_words.shown("error: Couldn't parse requirement in `.pachbuild-fixed.txt` at position 0"),
            "error: Couldn't parse requirement in `requirements.txt` at position 0");
  EXPECT_EQ(k_words.shown("in /cache/work/resolve-a1/.pachbuild-requirements.in, .pachbuild-x"),
            "in requirements.txt, requirements.txt");
}

TEST(UvWords, AnArgumentOfOursThatIsAFileIsTheManifest) {
  EXPECT_EQ(k_words.shown("in `/cache/work/resolve-a1/pylock.own.toml` and `../pylock.own.toml`"),
            "in `requirements.txt` and `requirements.txt`");
  EXPECT_EQ(k_words.shown("in `pylock.toml`"), "in `pylock.toml`");
}

TEST(UvWords, FlagsOfOursAreNotNamed) {
  EXPECT_EQ(
      k_words.shown("error: Unable to find lockfile at `uv.lock`, but `--frozen` was provided. To create a "
                    "lockfile, run `uv lock` or `uv sync` without the flag."),
      "error: Unable to find lockfile at `uv.lock`. To create a lockfile, run `uv lock` or `uv sync`.");
  EXPECT_EQ(k_words.shown("hint: Wheels are required (i.e., with `--no-build`)"),
            "hint: Wheels are required");
  EXPECT_EQ(k_words.shown("hint: remove `--frozen`"), std::nullopt);
  EXPECT_EQ(k_words.shown("hint: try `--prerelease=allow`"), "hint: try `--prerelease=allow`");
}

TEST(UvWords, WhereItInstallsForTheMomentIsNotTold) {
  EXPECT_EQ(k_words.shown("Using Python 3.11.2 environment at: /cache/work/build-b2/tree"), std::nullopt);
  EXPECT_EQ(k_words.shown("  cause: x"), "  cause: x");
}

TEST(UvWords, NamesOfGeneratedFilesEndWhereFileNamesEnd) {
  for (const std::string name : {"x", "Z9", "a0", "9", "x.txt", "x_y-z"}) {
    EXPECT_EQ(k_words.shown("in `.pachbuild-" + name + "`, a"), "in `requirements.txt`, a") << name;
    EXPECT_EQ(k_words.shown("(/a0/Z9/b_c-d.e/.pachbuild-" + name + ")"), "(requirements.txt)") << name;
  }
  EXPECT_EQ(k_words.shown(".pachbuild-a:1 .pachbuild-b,c"), "requirements.txt:1 requirements.txt,c");
}

TEST(UvWords, EachClauseAboutAFlagGoes) {
  for (const std::string clause :
       {", but `--frozen` was provided", ", but `--frozen` was specified", " because `--frozen` was provided",
        " (i.e., with `--frozen`)", " since `--frozen` was provided"}) {
    EXPECT_EQ(k_words.shown("hint: it is so" + clause + ". More"), "hint: it is so. More") << clause;
  }
  EXPECT_EQ(k_words.shown("error: use `--frozen`"), "error: use `--frozen`") << "only hints advise";
  EXPECT_EQ(k_words.shown("  hint: use `--frozen`"), std::nullopt);
}

TEST(SourceBuild, IsNamedByTheFolderOfUvsCache) {
  const auto named = [](std::string_view folder) {
    const auto build = source_build_in(folder);
    return build ? build->name + " " + build->version : "";
  };
  EXPECT_EQ(named("/c/uv/sdists-v11/pypi/numpy/1.22.0/ra0c3hIiLE/src"), "numpy 1.22.0");
  EXPECT_EQ(named("/c/uv/sdists-v9/index/0a1b2c/ours/2.0/x/src/numpy"), "ours 2.0");
  EXPECT_EQ(named("/c/uv/sdists-v11/path/0a1b2c/d3/src"), "");
  EXPECT_EQ(named("/c/uv/sdists-v11/pypi/numpy"), "");
  EXPECT_EQ(named("/pypi/numpy/1.22.0/x"), "");
}

}  // namespace
}  // namespace builder::python
