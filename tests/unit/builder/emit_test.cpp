// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/phases/emit.h"

#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>

#include "../steps.h"
#include "base/digest.h"
#include "builder-runtime/store/bundle_store.h"
#include "contract/layout.h"
#include "log.h"

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
  // Besides build.json and the bundle: the shim, run.sh, and two for commands of the pipeline's own.
  static constexpr std::size_t k_files = 4;
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
    artifact.start.environment = {{"TEXT", text}};
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
    if (record->files.size() != k_files || digest(bundle.file) != bundle.digest) return "damaged";
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
          EXPECT_EQ(count(), k_files + 2) << last;
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

// What is in the folder and is not the record's own stays, and is named.
TEST_F(Emit, AFileThatNoBuildMadeIsNotOverwritten) {
  const auto fault = [&] {
    const auto checked = check_out(m_out);
    return checked ? "none"
                   : checked.error().where.substr(m_out.string().size() + 1) + ": " + checked.error().what;
  };
  EXPECT_EQ(fault(), "none") << "there is no folder yet";
  ASSERT_TRUE(emit_one("one"));
  EXPECT_EQ(fault(), "none");
  const std::string what = ": would be overwritten, but was not made by a build";
  for (const std::string name : {contract::k_run_script, contract::k_shim}) {
    const auto text = base::read_file(m_out / name).value();
    ASSERT_TRUE(base::write_file(m_out / name, text + "#", 0755));
    EXPECT_EQ(fault(), name + what);
    EXPECT_FALSE(emit(artifact("two"), Source{.folder = m_folder.path() / "source"}, {}, m_tools)) << name;
    EXPECT_EQ(base::read_file(m_out / name), text + "#");
    fs::remove(m_out / name);
    ASSERT_TRUE(base::make_folders(m_out / name));
    EXPECT_EQ(fault(), name + what);
    fs::remove(m_out / name);
    EXPECT_EQ(fault(), "none") << "it may be gone";
    ASSERT_TRUE(base::write_file(m_out / name, text, 0755));
    EXPECT_EQ(fault(), "none");
  }
  const auto record = base::read_file(m_out / contract::k_record).value();
  auto without = contract::parse_build_record(record, "").value();
  without.files.erase(contract::k_shim);
  ASSERT_TRUE(base::write_file(m_out / contract::k_record, contract::to_json(without)));
  EXPECT_EQ(fault(), contract::k_shim + what);
  for (const std::string text : {"", "{}", "[]"}) {
    ASSERT_TRUE(base::write_file(m_out / contract::k_record, text));
    EXPECT_EQ(fault(), contract::k_record + what) << text;
  }
  fs::remove(m_out / contract::k_record);
  EXPECT_EQ(fault(), contract::k_run_script + what) << "without a record nothing is known";
}

// What was looked at before a build may be another's by the time that it is replaced.
TEST_F(Emit, WhatChangesDuringABuildIsNotOverwritten) {
  ASSERT_TRUE(emit_one("one"));
  const auto checked = check_out(m_out).value();
  ASSERT_TRUE(base::write_file(m_out / contract::k_run_script, "mine", 0755));
  EXPECT_FALSE(emit(artifact("two"), Source{.folder = m_folder.path() / "source"}, checked, m_tools));
  EXPECT_EQ(base::read_file(m_out / contract::k_run_script), "mine");
}

TEST_F(Emit, OtherFilesStayAndOldBundlesGo) {
  ASSERT_TRUE(emit_one("one"));
  const auto old = artifact("one").record.bundles[0].file;
  ASSERT_TRUE(base::write_file(m_out / "notes.txt", "mine"));
  ASSERT_TRUE(base::write_file(m_out / "bundle-mine.txt", "mine"));
  ASSERT_TRUE(emit_one("two"));
  EXPECT_FALSE(fs::exists(m_out / old));
  EXPECT_EQ(base::read_file(m_out / "notes.txt"), "mine");
  EXPECT_EQ(base::read_file(m_out / "bundle-mine.txt"), "mine");
  // One of another size is not the record's.
  const auto two = artifact("two").record.bundles[0].file;
  ASSERT_TRUE(base::write_file(m_out / two, "longer than it was"));
  ASSERT_TRUE(emit_one("three"));
  EXPECT_TRUE(fs::exists(m_out / two));
}

TEST_F(Emit, FoldersOfKilledBuildsGoAndThoseOfOthersStay) {
  ASSERT_TRUE(base::make_folders(m_out));
  const auto bundle = artifact("one").record.bundles[0].file;
  const std::vector<std::pair<std::string, std::string>> rows = {
      {".pachbuild-abcde1", bundle},          {".pachbuild-abcde2", "run.sh"},
      {".pachbuild-abcde3", "run.sh.Ab12Cd"}, {".pachbuild-abcde4", "mine"},
      {".pachbuild-long-name", "run.sh"},     {"pachbuild-abcde5", "run.sh"},
      {".pachbuild-abcde6", "run.shx"}};
  for (const auto& [folder, file] : rows) {
    ASSERT_TRUE(base::make_folders(m_out / folder));
    ASSERT_TRUE(base::write_file(m_out / folder / file, ""));
  }
  ASSERT_TRUE(base::make_folders(m_out / ".pachbuild-abcde7" / "run.sh"));
  ASSERT_TRUE(base::make_folders(m_out / ".pachbuild-abcde8"));
  ASSERT_TRUE(emit_one("two"));
  std::vector<std::string> left;
  for (const auto& entry : fs::directory_iterator(m_out)) {
    if (fs::is_directory(entry)) left.push_back(entry.path().filename().string());
  }
  std::sort(left.begin(), left.end());
  EXPECT_EQ(left, (std::vector<std::string>{".pachbuild-abcde4", ".pachbuild-abcde6", ".pachbuild-abcde7",
                                            ".pachbuild-long-name", "pachbuild-abcde5"}));
}

TEST_F(Emit, ARunScriptOfTheSourceIsItsOwn) {
  Source source{.folder = m_folder.path() / "source"};
  source.has_run_script = true;
  ASSERT_TRUE(base::write_file(source.folder / contract::k_run_script, "mine"));
  ASSERT_TRUE(emit(artifact("one"), source, {}, m_tools));
  EXPECT_EQ(base::read_file(m_out / contract::k_run_script), "mine");
  EXPECT_EQ(present(), "one");
}

// Where the program starts is known of a run.sh that was made here.
TEST_F(Emit, TheRecordSaysWhereTheProgramStarts) {
  const contract::StartFolder somewhere{"/pfs/source", true};
  const auto recorded = [&] {
    return contract::parse_build_record(base::read_file(m_out / contract::k_record).value(), "")
        .value()
        .starts_in;
  };
  Artifact made = artifact("one");
  made.start.folder = somewhere.folder;
  made.start.may_start_elsewhere = true;
  Source source{.folder = m_folder.path() / "source"};
  ASSERT_TRUE(base::write_file(source.folder / contract::k_run_script, "mine"));
  ASSERT_TRUE(emit(made, source, {}, m_tools));
  EXPECT_EQ(recorded(), somewhere);
  ASSERT_TRUE(record_run_script(m_out));
  EXPECT_EQ(recorded(), somewhere) << "nothing changed";
  ASSERT_TRUE(base::write_file(m_out / contract::k_run_script, "changed", 0755));
  ASSERT_TRUE(record_run_script(m_out));
  EXPECT_EQ(recorded(), contract::StartFolder());
  source.has_run_script = true;
  ASSERT_TRUE(emit(made, source, {}, m_tools));
  EXPECT_EQ(recorded(), contract::StartFolder());
  source.has_run_script = false;
  made.start.no_program = {"none", "choose"};
  ASSERT_TRUE(emit(made, source, {}, m_tools));
  EXPECT_EQ(recorded(), contract::StartFolder());
}

TEST_F(Emit, SaysWhatItMade) {
  const auto told = [&](const Source& source) {
    LogOfTest log;
    EXPECT_TRUE(emit(artifact("one"), source, check_out(m_out).value(), m_tools));
    const auto text = log.end();
    return text.substr(0, text.rfind(" ("));
  };
  Source source{.folder = m_folder.path() / "source"};
  const std::string bundle = ", bundle-" + base::sha256("one").substr(0, 12) + " 3 B";
  EXPECT_EQ(told(source), "emit: run.sh" + bundle);
  ASSERT_TRUE(base::write_file(source.folder / contract::k_run_script, "mine"));
  source.has_run_script = true;
  EXPECT_EQ(told(source), "emit: the source's own run.sh" + bundle);
}

// A build.sh may write a run.sh of its own into what the build has made.
TEST_F(Emit, ARunScriptThatWasChangedCanBeRecorded) {
  EXPECT_FALSE(record_run_script(m_out)) << "there is no folder";
  ASSERT_TRUE(base::make_folders(m_out));
  EXPECT_TRUE(record_run_script(m_out));
  ASSERT_TRUE(emit_one("one"));
  ASSERT_TRUE(base::write_file(m_out / contract::k_run_script, "changed", 0755));
  EXPECT_EQ(present(), "damaged");
  EXPECT_TRUE(record_run_script(m_out));
  EXPECT_EQ(present(), "one");
}

}  // namespace
}  // namespace builder
