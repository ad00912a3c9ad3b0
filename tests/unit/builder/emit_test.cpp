// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/phases/emit.h"

#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>

#include "../steps.h"
#include "base/digest.h"
#include "builder-runtime/store/bundle_store.h"
#include "contract/layout.h"

namespace builder {
namespace {

namespace fs = base::fs;

class UnusedTools : public process::Runner {
 public:
  base::Result<process::Finished> run(const process::Command& /*command*/,
                                      const process::ErrorSink& /*sink*/) override {
    return base::fail(base::ErrorKind::unavailable, "a tool", "is not needed");
  }
};

class Emit : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "emit.").value();
  fs::path m_out = m_folder.path() / "out";
  UnusedTools m_runner;
  Settings m_settings{.out = m_out, .shim = m_folder.path() / "shim", .cache = m_folder.path() / "cache"};
  Tools m_tools{m_settings, m_runner};

  void SetUp() override {
    for (const char* name : {"cache", "bundles", "source"})
      ASSERT_TRUE(base::make_folders(m_folder.path() / name));
    ASSERT_TRUE(base::write_file(m_settings.shim, "shim", 0755));
  }

  // All files of artifacts with another text are others, but for the shim.
  [[nodiscard]] Artifact artifact(const std::string& text) const {
    const std::string digest = base::sha256(text);
    Artifact artifact;
    artifact.bundles = m_folder.path() / "bundles";
    artifact.record = {.builder = "go", .version = "1", .key = digest};
    artifact.record.bundles = {{.file = file_of_bundle(contract::k_bundle_prefix, digest),
                                .digest = digest,
                                .bytes = text.size(),
                                .unpacked_bytes = 1,
                                .files = 1}};
    artifact.start.command = {"main", text};
    EXPECT_TRUE(base::write_file(artifact.bundles / artifact.record.bundles[0].file, text));
    return artifact;
  }
  base::Status emit_one(const Artifact& artifact) {
    BASE_TRY_ASSIGN(const auto checked, check_out(m_out));
    return emit(artifact, Source{.folder = m_folder.path() / "source"}, checked, m_tools);
  }
  base::Status emit_one(const std::string& text) { return emit_one(artifact(text)); }

  // The text of the artifact that a run.sh is there for; "" without a run.sh, "damaged" where something of
  // the artifact is missing or another's.
  [[nodiscard]] std::string present() const {
    if (!fs::exists(m_out / contract::k_run_script)) return "";
    const auto json = base::read_file(m_out / contract::k_record);
    const auto record = contract::parse_build_record(json.value_or(""), "build.json");
    if (!record || record->bundles.size() != 1) return "damaged";
    const auto digest = [&](const std::string& name) {
      return base::sha256_of_file((m_out / name).string()).value_or("none");
    };
    for (const auto& [name, expected] : record->files) {
      if (digest(name) != expected) return "damaged";
    }
    const auto& bundle = record->bundles[0];
    if (record->files.size() != 2 || digest(bundle.file) != bundle.digest) return "damaged";
    return base::read_file(m_out / bundle.file).value();
  }
  // Nothing, or a whole artifact.
  void begin_with(const std::string& former) {
    ASSERT_TRUE(base::remove_tree(m_out));
    if (former.empty()) return;
    ASSERT_TRUE(emit_one(former));
  }
  [[nodiscard]] std::size_t count() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(m_out), fs::directory_iterator()));
  }
};

TEST_F(Emit, WhicheverCallFailsThereIsAnErrorOrTheWholeArtifact) {
  const Artifact two = artifact("two");
  for (const std::string former : {"", "one"}) {
    const auto begin = [&] { begin_with(former); };
    begin();
    int errors = 0;
    const int calls = steps::fail_each([&] { return emit_one(two).has_value(); },
                                       [&](bool succeeded, const std::string& failed) {
                                         errors += succeeded ? 0 : 1;
                                         const std::string left = fs::exists(m_out) ? present() : "";
                                         EXPECT_TRUE(left.empty() || left == former || left == "two")
                                             << former << " " << failed << ": " << left;
                                         EXPECT_TRUE(!succeeded || left == "two") << former << " " << failed;
                                         EXPECT_TRUE(emit_one(two)) << former << " " << failed;
                                         EXPECT_EQ(present(), "two") << former << " " << failed;
                                         begin();
                                       });
    EXPECT_GT(calls, 10);
    EXPECT_GT(errors, 5);
  }
}

TEST_F(Emit, CutOffAnywhereLeavesNoRunScriptOrAWholeArtifact) {
  const Artifact two = artifact("two");
  for (const std::string former : {"", "one"}) {
    const auto begin = [&] { begin_with(former); };
    begin();
    bool ended = false;
    const int steps = steps::cut_off_at_each(
        [&] { ended = emit_one(two).has_value(); },
        [&](int last) {
          const std::string left = present();
          EXPECT_TRUE(left.empty() || left == former || left == "two")
              << former << " " << last << ": " << left;
          EXPECT_EQ(left == "two", ended) << former << " " << last;
          // What is left is known for an artifact's, whatever it is, and goes with the next build.
          EXPECT_TRUE(check_out(m_out)) << last;
          const auto next = emit_one("three");
          EXPECT_TRUE(next) << last << ": " << (next ? "" : next.error().where + next.error().what);
          EXPECT_EQ(present(), "three") << last;
          EXPECT_EQ(count(), 4U) << last;
          begin();
        });
    EXPECT_TRUE(ended);
    EXPECT_GT(steps, 4);
  }
}

TEST_F(Emit, WhatStandsInTheWayOfABundleLeavesNoRunScript) {
  const Artifact next = artifact("two");
  ASSERT_TRUE(base::make_folders(m_out / next.record.bundles[0].file / "mine"));
  EXPECT_FALSE(emit_one("two"));
  EXPECT_EQ(present(), "");
  EXPECT_TRUE(fs::exists(m_out / next.record.bundles[0].file / "mine"));
}

}  // namespace
}  // namespace builder
