// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/prepare.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <cstdlib>

#include "../steps.h"
#include "archive/bundle.h"
#include "base/errors.h"
#include "base/text.h"
#include "tests/unit/shim/elf.h"
#include "worker-shim/base_environment.h"
#include "worker-shim/seal.h"

namespace shim {
namespace {

namespace fs = base::fs;

class Prepare : public testing::Test {
 protected:
  Prepare() {
    m_settings.chosen = (m_folder.path() / "cache").string();
    m_settings.user = ::geteuid();
  }
  void SetUp() override {
    const fs::path tree = m_folder.path() / "tree";
    ASSERT_TRUE(base::make_folders(tree / "lib"));
    ASSERT_TRUE(base::make_folders(m_folder.path() / "build"));
    for (const char* name : {"lib/a", "lib/b", "c"}) ASSERT_TRUE(base::write_file(tree / name, name));
    const fs::path file = m_folder.path() / "bundle";
    m_digest = archives::write_bundle(tree, file).value().digest;
    ASSERT_TRUE(base::rename_path(file, bundle_path((m_folder.path() / "build").string(), m_digest)));
  }
  [[nodiscard]] base::Result<std::string> prepare() const {
    return prepare_environment(m_settings, (m_folder.path() / "build").string(), m_digest, "main");
  }
  [[nodiscard]] std::string environment() const { return m_settings.chosen + "/env/" + m_digest; }
  [[nodiscard]] bool is_whole() const {
    return base::read_file(environment() + "/lib/a").value_or("") == "lib/a" &&
           base::read_file(environment() + "/lib/b").value_or("") == "lib/b" &&
           base::read_file(environment() + "/c").value_or("") == "c";
  }

  [[nodiscard]] std::string path(const std::string& name) const { return (m_folder.path() / name).string(); }
  // A bundle of files by name, put where the build has it; its digest.
  std::string bundle(const std::string& prefix, const std::map<std::string, std::string>& files) const {
    const fs::path tree = m_folder.path() / "other-tree";
    EXPECT_TRUE(base::remove_tree(tree));
    for (const auto& [name, content] : files) {
      EXPECT_TRUE(base::make_folders((tree / name).parent_path()));
      EXPECT_TRUE(base::write_file(tree / name, content, 0755));
    }
    const auto digest = archives::write_bundle(tree, path("bundle")).value().digest;
    EXPECT_TRUE(base::rename_path(path("bundle"), path("build/" + prefix + digest + ".tar.zst")));
    return digest;
  }
  // The environment's path or the error, with TMP for the test's folder.
  template <class Result>
  std::string told(const Result& result, const std::string& fine = "done") const {
    std::string text = result ? fine : base::format_error(result.error());
    base::replace_all(text, m_folder.path().string(), "TMP");
    return text;
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "prepare.").value();
  CacheSettings m_settings;
  std::string m_digest;
};

TEST_F(Prepare, CutOffAnywhereLeavesAWholeEnvironmentOrNone) {
  const int steps = steps::cut_off_at_each([&] { static_cast<void>(prepare()); },
                                           [&](int last) {
                                             EXPECT_TRUE(!fs::exists(environment()) || is_whole()) << last;
                                             EXPECT_TRUE(prepare()) << last;
                                             EXPECT_TRUE(is_whole()) << last;
                                             const fs::path all = m_settings.chosen + "/env";
                                             EXPECT_EQ(std::distance(fs::directory_iterator(all), {}), 1)
                                                 << last;
                                             ASSERT_TRUE(base::remove_tree(m_settings.chosen));
                                           });
  EXPECT_GT(steps, 0);
}

TEST_F(Prepare, WhicheverCallFailsItIsWholeOrAnErrorAndWholeTheNextTime) {
  int errors = 0;
  const int calls = steps::fail_each([&] { return prepare().has_value(); },
                                     [&](bool succeeded, const std::string& failed) {
                                       errors += succeeded ? 0 : 1;
                                       EXPECT_TRUE(is_whole() || !fs::exists(environment())) << failed;
                                       EXPECT_TRUE(is_whole() || !succeeded) << failed;
                                       EXPECT_TRUE(prepare()) << failed;
                                       EXPECT_TRUE(is_whole()) << failed;
                                       ASSERT_TRUE(base::remove_tree(m_settings.chosen));
                                     });
  EXPECT_GT(calls, 10);
  EXPECT_GT(errors, 0);
}

TEST_F(Prepare, ADamagedEnvironmentIsThereUntilTheNewOneIs) {
  ASSERT_TRUE(prepare());
  ASSERT_TRUE(is_whole());
  fs::remove(environment() + "/c");
  bool is_missed = false;
  int count = 0;
  {
    const steps::Watch watch([&](std::string_view call, std::string_view /*path*/) {
      if (call != "read") ++count;
      is_missed = is_missed || ::access(environment().c_str(), F_OK) != 0;
      return 0;
    });
    ASSERT_TRUE(prepare());
  }
  EXPECT_TRUE(is_whole()) << "it was noticed and mended";
  EXPECT_GT(count, 3);
  EXPECT_FALSE(is_missed);
}

TEST_F(Prepare, ACopyThatFoundTheDiskFullIsMadeWhole) {
  const fs::path base = m_folder.path() / "base";
  const fs::path above = m_folder.path() / "above";
  for (const auto& folder : {base, above}) ASSERT_TRUE(base::make_folders(folder));
  ASSERT_TRUE(base::write_file(base / "table.txt", "content"));
  int rooms = 0;
  bool is_full = true;
  const base::UniqueFd target(::open(above.c_str(), O_RDONLY | O_DIRECTORY));
  {
    const steps::Watch watch([&](std::string_view call, std::string_view /*path*/) {
      return call == "write" && is_full ? ENOSPC : 0;
    });
    ASSERT_TRUE(lay_on_base(target.get(), base.string(), "disk", [&] {
      ++rooms;
      is_full = false;
      return true;
    }));
  }
  EXPECT_EQ(rooms, 1);
  EXPECT_EQ(base::read_file(above / "table.txt").value(), "content");
}

TEST_F(Prepare, IsDoneOnceAndNeedsTheBuildNoMore) {
  EXPECT_FALSE(has_environment(m_settings, m_digest));
  ASSERT_EQ(prepare().value(), environment());
  EXPECT_TRUE(has_environment(m_settings, m_digest));
  ASSERT_TRUE(base::remove_tree(path("build")));
  ASSERT_EQ(prepare().value(), environment());
  EXPECT_TRUE(is_whole());
  fs::remove(environment() + "/c");
  EXPECT_FALSE(has_environment(m_settings, m_digest)) << "it is damaged";
  EXPECT_TRUE(told(prepare()).starts_with("error: TMP/build: no such folder\nhint: "));
}

TEST_F(Prepare, SaysWhenItUnpacksAgain) {
  ASSERT_TRUE(prepare());
  fs::remove(environment() + "/c");
  testing::internal::CaptureStderr();
  ASSERT_TRUE(prepare());
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "worker-shim: environment " + m_digest.substr(0, 12) +
                " was changed after it was unpacked: unpacking it again\n");
  testing::internal::CaptureStderr();
  ASSERT_TRUE(prepare());
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(Prepare, WhatOthersLeftIsRemoved) {
  const std::string environments = m_settings.chosen + "/env/";
  ASSERT_TRUE(base::make_folders(environments + ".tmp-other/below"));
  ASSERT_TRUE(base::make_folders(environments + ".tmp-" + m_digest + "/below", 0700));
  ASSERT_TRUE(base::write_file(environments + ".tmp-" + m_digest + "/left", ""));
  ASSERT_EQ(::chmod((environments + ".tmp-" + m_digest).c_str(), 0700), 0);
  ASSERT_TRUE(base::make_folders(environments + "other"));
  ASSERT_TRUE(prepare());
  EXPECT_TRUE(is_whole());
  EXPECT_FALSE(fs::exists(environments + ".tmp-other"));
  EXPECT_FALSE(fs::exists(environments + ".tmp-" + m_digest));
  EXPECT_TRUE(fs::exists(environments + "other"));
  EXPECT_FALSE(fs::exists(environment() + "/left"));
  EXPECT_FALSE(fs::exists(environment() + "/below"));
  EXPECT_EQ(fs::status(environment()).permissions() & 0777, 0755);
}

TEST_F(Prepare, WhatIsUnpackedByOthersIsRefused) {
  const std::string unfinished = m_settings.chosen + "/env/.tmp-" + m_digest;
  ASSERT_TRUE(base::make_folders(m_settings.chosen + "/env"));
  ASSERT_TRUE(base::write_file(unfinished, ""));
  EXPECT_EQ(told(prepare()),
            "error: TMP/cache/env/.tmp-" + m_digest + ": cannot read: a part of the path is not a folder\n");
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder to another user";
  fs::remove(unfinished);
  ASSERT_TRUE(base::make_folders(unfinished));
  ASSERT_EQ(::chown(unfinished.c_str(), 54321, 0), 0);
  EXPECT_EQ(told(prepare()),
            "error: TMP/cache/env/.tmp-" + m_digest +
                ": cannot be trusted: belongs to another user (uid 54321)\nhint: remove it\n");
}

TEST_F(Prepare, ModesDoNotDependOnTheUmask) {
  const mode_t umask = ::umask(077);
  ASSERT_TRUE(prepare());
  EXPECT_EQ(::umask(umask), 077U) << "it is as before";
  EXPECT_EQ(fs::status(environment() + "/lib").permissions() & 0777, 0755);
  EXPECT_EQ(fs::status(environment() + "/lib/a").permissions() & 0777, 0644);
  EXPECT_EQ(fs::status(environment()).permissions() & 0777, 0755);
}

TEST_F(Prepare, WhereAFolderCannotBeRenamedItsEntriesAre) {
  // As in a layer of an image, once for the folder that somebody left there.
  for (const bool is_damaged : {false, true}) {
    if (is_damaged) fs::remove(environment() + "/c");
    int refused = 0;
    {
      const steps::Watch watch([&](std::string_view call, std::string_view path) {
        return call == "rename" && path == environment() && refused++ == 0 ? EXDEV : 0;
      });
      ASSERT_EQ(told(prepare()), "done");
    }
    EXPECT_EQ(refused, is_damaged ? 3 : 2);
    EXPECT_TRUE(is_whole());
    EXPECT_TRUE(has_environment(m_settings, m_digest)) << "it has its seal";
    EXPECT_EQ(check_environment(environment(), k_end_of_time), Wholeness::whole);
    EXPECT_EQ(std::distance(fs::directory_iterator(m_settings.chosen + "/env"), {}), 1);
  }
}

TEST_F(Prepare, WhereFoldersCannotChangePlacesTheOldOneGoesFirst) {
  ASSERT_TRUE(prepare());
  fs::remove(environment() + "/c");
  int renames = 0;
  {
    const steps::Watch watch([&](std::string_view call, std::string_view) {
      return call == "rename" && ++renames == 2 ? EINVAL : 0;
    });
    ASSERT_EQ(told(prepare()), "done");
  }
  EXPECT_EQ(renames, 3);
  EXPECT_TRUE(is_whole());
  EXPECT_EQ(std::distance(fs::directory_iterator(m_settings.chosen + "/env"), {}), 1);
}

TEST_F(Prepare, ThatCannotBeRenamedLeavesNothing) {
  for (const int error_number : {EIO, EXDEV}) {
    const steps::Watch watch([&](std::string_view call, std::string_view path) {
      return call == "rename" && path == environment() ? error_number : 0;
    });
    EXPECT_TRUE(told(prepare()).starts_with("error: TMP/cache/env/" + m_digest + ": cannot rename: "));
  }
  EXPECT_TRUE(fs::is_empty(m_settings.chosen + "/env"));
  const steps::Watch watch([&](std::string_view call, std::string_view path) {
    if (call != "rename") return 0;
    return path == environment() ? EXDEV : path.ends_with("/lib") ? EIO : 0;
  });
  EXPECT_EQ(told(prepare()), "error: TMP/cache/env/" + m_digest + ": cannot rename: Input/output error\n");
}

TEST_F(Prepare, ABaseIsUnderTheEnvironmentThatNamesIt) {
  const auto base = bundle("base-", {{"lib/of-base.py", "base"}, {"lib/table", "base"}});
  const auto top = bundle("bundle-", {{".base", base + "\n"}, {"lib/table", "top"}, {"bin/x", "x"}});
  const auto build = path("build");
  const auto whole = prepare_environment(m_settings, build, top, "main");
  ASSERT_EQ(told(whole), "done");
  EXPECT_EQ(base::read_file(*whole + "/lib/of-base.py").value(), "base");
  EXPECT_EQ(base::read_file(*whole + "/lib/table").value(), "top");
  const std::string below = m_settings.chosen + "/env/" + base;
  EXPECT_EQ(fs::hard_link_count(below + "/lib/of-base.py"), 2U);
  EXPECT_EQ(check_environment(*whole, k_end_of_time), Wholeness::whole);
  // What is damaged below is noticed for the next one at once, although it was used just now.
  fs::remove(below + "/lib/table");
  ASSERT_TRUE(base::remove_tree(*whole));
  ASSERT_EQ(told(prepare_environment(m_settings, build, top, "main")), "done");
  EXPECT_TRUE(fs::exists(below + "/lib/table"));
  ASSERT_TRUE(base::remove_tree(*whole));
  ASSERT_TRUE(base::remove_tree(below));
  fs::remove(build + "/base-" + base + ".tar.zst");
  EXPECT_EQ(told(prepare_environment(m_settings, build, top, "main")),
            "error: TMP/build/base-" + base +
                ".tar.zst: cannot read: no such file or folder\nhint: run.sh and its bundle come from one "
                "build; build again if one of them was changed\n");
  EXPECT_FALSE(fs::exists(*whole));
  const auto wrong = bundle("bundle-", {{".base", "x\n"}});
  EXPECT_TRUE(told(prepare_environment(m_settings, build, wrong, "main"))
                  .ends_with(": is not the digest of a bundle\n"));
}

TEST_F(Prepare, TheLibrariesOfItsProgramAreLookedFor) {
  ASSERT_TRUE(base::write_file(path("ld-musl-x.so.1"), "#!/bin/sh\necho 'libodd.so => not found'\n", 0755));
  const auto digest = bundle("bundle-", {{"bin/main", elf_program(k_this_machine, path("ld-musl-x.so.1"))}});
  EXPECT_TRUE(prepare_environment(m_settings, path("build"), digest, "other"));
  ASSERT_TRUE(base::remove_tree(m_settings.chosen));
  EXPECT_TRUE(told(prepare_environment(m_settings, path("build"), digest, "main"))
                  .starts_with("error: main: needs libraries that this image lacks: libodd.so\n"));
  EXPECT_TRUE(fs::is_empty(m_settings.chosen + "/env"));
}

TEST_F(Prepare, TheArtifactOfABuildIsItsOneBundle) {
  const auto found = [&](const std::string& folder) {
    const auto artifact = find_artifact(path(folder));
    if (!artifact) return told(artifact);
    return artifact->digest + (artifact->has_variables ? " with variables" : "");
  };
  EXPECT_EQ(found("build"), m_digest);
  ASSERT_TRUE(base::write_file(path("build/environment.variables"), ""));
  EXPECT_EQ(found("build"), m_digest + " with variables");
  ASSERT_TRUE(base::make_folders(path("x")));
  EXPECT_EQ(found("x"), "");
  const std::string digest(64, 'a');
  for (const auto& other : {"base-" + digest + ".tar.zst", "bundle-" + digest + ".tar.gz", "bundle-" + digest,
                            "bundle-" + digest + ".tar.zst~", "bundle-" + digest.substr(1) + ".tar.zst",
                            "bundle-" + std::string(64, 'A') + ".tar.zst", "Bundle-" + digest + ".tar.zst",
                            digest, "xbundle-" + digest + ".tar.zs", std::string("environment.sh")}) {
    ASSERT_TRUE(base::write_file(path("x/" + other), ""));
    EXPECT_EQ(found("x"), "") << other;
  }
  ASSERT_TRUE(base::write_file(path("x/bundle-" + digest + ".tar.zst"), ""));
  EXPECT_EQ(found("x"), digest);
  ASSERT_TRUE(base::write_file(path("x/bundle-" + std::string(64, 'b') + ".tar.zst"), ""));
  EXPECT_EQ(found("x"),
            "error: TMP/x: has more than one bundle\nhint: choose one with --environment DIGEST\n");
  EXPECT_TRUE(found("none").starts_with("error: TMP/none: no such folder\nhint: name the folder"));
  ASSERT_TRUE(base::write_file(path("file"), ""));
  EXPECT_TRUE(found("file").starts_with("error: TMP/file: is not a folder\nhint: name the folder"));
}

TEST_F(Prepare, WhatABuildLacksIsNamed) {
  const std::string hint = "\nhint: name the folder that a build wrote: the one with run.sh and build.json\n";
  const std::string missing = "error: TMP/none: no such folder" + hint;
  const std::string digest(64, 'a');
  EXPECT_EQ(told(check_bundle(path("build"), m_digest)), "done");
  EXPECT_EQ(told(check_bundle(path("build"), digest)),
            "error: TMP/build/bundle-" + digest +
                ".tar.zst: cannot read: no such file or folder\nhint: run.sh and its bundle come from one "
                "build; build again if one of them was changed\n");
  EXPECT_EQ(told(check_bundle(path("none"), digest)), missing);
  EXPECT_EQ(told(check_run_script(path("build"), path("build/run.sh"))),
            "error: TMP/build/run.sh: cannot read: no such file or folder" + hint);
  EXPECT_EQ(told(check_run_script(path("none"), path("none/run.sh"))), missing);
  ASSERT_TRUE(base::write_file(path("file"), ""));
  EXPECT_EQ(told(check_run_script(path("file"), path("file/run.sh"))),
            "error: TMP/file: is not a folder" + hint);
  if (!fs::exists("/pfs/build")) {
    EXPECT_TRUE(
        told(check_run_script("/pfs/build", "/pfs/build/run.sh"))
            .starts_with("error: /pfs/build: the input 'build' is missing\nhint: the pipeline's input "));
  }
  ASSERT_TRUE(base::write_file(path("build/run.sh"), ""));
  EXPECT_EQ(told(check_run_script(path("build"), path("build/run.sh"))), "done");
}

TEST_F(Prepare, TheSourcesVariablesAreSetWhereThePipelineSetsNone) {
  const auto set = [&](const std::string& text) {
    EXPECT_TRUE(base::write_file(path("build/environment.variables"), text));
    return told(set_variables(path("build")));
  };
  const auto value = [](const char* name) {
    const char* const found = std::getenv(name);
    return std::string(found == nullptr ? "unset" : found);
  };
  using std::string_literals::operator""s;
  ::setenv("SET_BY_PIPELINE", "pipeline", 1);
  EXPECT_EQ(set(""), "done");
  EXPECT_EQ(set("SET_A=x=y\0SET_BY_PIPELINE=source\0SET_EMPTY=\0SET_LAST=a b"s), "done");
  EXPECT_EQ(value("SET_A"), "x=y");
  EXPECT_EQ(value("SET_BY_PIPELINE"), "pipeline");
  EXPECT_EQ(value("SET_EMPTY"), "");
  EXPECT_EQ(value("SET_LAST"), "a b");
  EXPECT_EQ(set("SET_B=b\0"s), "done");
  EXPECT_EQ(value("SET_B"), "b");
  const std::string fault = "error: TMP/build/environment.variables: was not written by builder-runtime\n";
  for (const auto& wrong : {"=x\0"s, "\0"s, "name\0"s, "A=b\0\0"s, "A=b\0name"s})
    EXPECT_EQ(set(wrong), fault);
  ASSERT_TRUE(base::remove_tree(path("build/environment.variables")));
  EXPECT_EQ(told(set_variables(path("build"))),
            "error: TMP/build/environment.variables: cannot read: no such file or folder\n");
  for (const char* const name : {"SET_A", "SET_BY_PIPELINE", "SET_EMPTY", "SET_LAST", "SET_B", "A"})
    ::unsetenv(name);
}

}  // namespace
}  // namespace shim
