// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/phases/compile.h"

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

class NoTools : public process::Runner {
 public:
  base::Result<process::Finished> run(const process::Command& /*command*/,
                                      const process::ErrorSink& /*sink*/) override {
    return base::fail(base::ErrorKind::unavailable, "a tool", "is not needed");
  }
};

class Compile : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "compile.").value();
  NoTools m_runner;
  Settings m_settings{.cache = m_folder.path() / "cache"};
  Tools m_tools{m_settings, m_runner};
  BundleStore m_store{m_settings.cache / "go"};
  const std::string m_key = std::string(64, 'a');
  int m_made = 0;

  void SetUp() override { ASSERT_TRUE(base::make_folders(m_settings.cache)); }

  // A bundle under the key, as another process stores it.
  BundleContent add(const std::string& text = "bundle") {
    const auto workspace = base::Workspace::make(m_settings.cache / "work", "other-").value();
    const fs::path file = workspace.path() / "bundle";
    EXPECT_TRUE(base::write_file(file, text));
    const std::string digest = base::sha256(text);
    const contract::Bundle bundle{file_of_bundle(contract::k_bundle_prefix, digest), digest, text.size(), 1,
                                  1};
    return m_store.add(m_key, {file}, {{bundle}, {}}, workspace).value().content;
  }
  Plan plan() {
    Plan plan;
    plan.language = "go";
    plan.key = m_key;
    const auto make = [this](const fs::path& tree) -> base::Result<MadeTree> {
      ++m_made;
      BASE_TRY(base::write_file(tree / "main", "program", 0755));
      return MadeTree{};
    };
    plan.layers = [layer = Layer{m_key, true, make}] { return std::vector{layer}; };
    return plan;
  }
};

TEST_F(Compile, DoesTheWorkOnce) {
  const auto first = compile(plan(), m_tools).value();
  const auto second = compile(plan(), m_tools).value();
  EXPECT_EQ(m_made, 1);
  EXPECT_EQ(first.artifact->record.bundles, second.artifact->record.bundles);
  EXPECT_EQ(first.artifact->added.size(), 1U);
  EXPECT_EQ(second.artifact->added.size(), 0U);
}

TEST_F(Compile, TakesWhatAnotherMadeBeforeItHadTheLock) {
  std::vector<contract::Bundle> others;
  const steps::Watch watch([&](std::string_view call, std::string_view /*path*/) {
    if (call == "flock" && others.empty()) others = add().bundles;
    return 0;
  });
  const auto compiled = compile(plan(), m_tools).value();
  EXPECT_EQ(m_made, 0);
  ASSERT_EQ(others.size(), 1U);
  EXPECT_EQ(compiled.artifact->record.bundles, others);
}

TEST_F(Compile, CutOffAnywhereLeavesAWholeEntryOrNone) {
  const auto entry = m_settings.cache / "go" / "bundles" / m_key;
  const int steps = steps::cut_off_at_each([&] { static_cast<void>(compile(plan(), m_tools)); },
                                           [&](int last) {
                                             EXPECT_EQ(m_store.find(m_key).damage, "") << last;
                                             EXPECT_TRUE(compile(plan(), m_tools)) << last;
                                             EXPECT_TRUE(m_store.find(m_key).bundle) << last;
                                             ASSERT_TRUE(base::remove_tree(m_settings.cache));
                                             ASSERT_TRUE(base::make_folders(m_settings.cache));
                                           });
  EXPECT_GT(steps, 3);
}

TEST_F(Compile, WhicheverCallFailsTheArtifactIsWholeOrThereIsAnError) {
  const auto expected = compile(plan(), m_tools).value().artifact->record.bundles;
  const auto begin = [&] {
    ASSERT_TRUE(base::remove_tree(m_settings.cache));
    ASSERT_TRUE(base::make_folders(m_settings.cache));
  };
  begin();
  int errors = 0;
  std::vector<contract::Bundle> made;
  const int calls = steps::fail_each(
      [&] {
        const auto compiled = compile(plan(), m_tools);
        if (compiled) made = compiled->artifact->record.bundles;
        return compiled.has_value();
      },
      [&](bool succeeded, const std::string& failed) {
        errors += succeeded ? 0 : 1;
        if (succeeded) {
          EXPECT_EQ(made, expected) << failed;
        }
        EXPECT_EQ(m_store.find(m_key).damage, "") << failed;
        EXPECT_TRUE(compile(plan(), m_tools)) << failed;
        EXPECT_TRUE(m_store.find(m_key).bundle) << failed;
        begin();
      });
  EXPECT_GT(calls, 10);
  EXPECT_GT(errors, 0);
}

TEST_F(Compile, AnEntryThatNamesAnotherFileIsDamaged) {
  const auto bundle = add().bundles.front();
  const fs::path folder = m_settings.cache / "go" / "bundles" / m_key;
  const std::string record = base::read_file(folder / contract::k_record).value();
  ASSERT_TRUE(m_store.find(m_key).bundle);
  ASSERT_TRUE(base::write_file(m_settings.cache / "other", "bundle"));
  ASSERT_TRUE(base::write_file(folder / "other", "bundle"));
  const std::string other(64, 'b');
  for (const auto& [file, digest] : std::vector<std::pair<std::string, std::string>>{
           {"../../../other", bundle.digest},
           {(m_settings.cache / "other").string(), bundle.digest},
           {"other", bundle.digest},
           {file_of_bundle(contract::k_base_prefix, bundle.digest), bundle.digest},
           {file_of_bundle(contract::k_bundle_prefix, other), bundle.digest},
           {bundle.file, other},
           {bundle.file, "../" + bundle.digest}}) {
    contract::BuildRecord tampered = contract::parse_build_record(record, "").value();
    tampered.bundles[0].file = file;
    tampered.bundles[0].digest = digest;
    ASSERT_TRUE(base::write_file(folder / contract::k_record, contract::to_json(tampered)));
    const auto found = m_store.find(m_key);
    EXPECT_FALSE(found.bundle) << file << " " << digest;
    EXPECT_NE(found.damage, "");
  }
  contract::BuildRecord none = contract::parse_build_record(record, "").value();
  none.bundles.clear();
  ASSERT_TRUE(base::write_file(folder / contract::k_record, contract::to_json(none)));
  EXPECT_FALSE(m_store.find(m_key).bundle);
}

// What seldom changes, and what is laid on it.
class CompileLayers : public Compile {
 protected:
  const std::string m_below = std::string(64, 'b');
  int m_below_made = 0;

  Plan layered(const std::string& text = "program") {
    Plan plan = this->plan();
    const auto below = [this](const fs::path& tree) -> base::Result<MadeTree> {
      ++m_below_made;
      BASE_TRY(base::write_file(tree / "library", "library", 0644));
      return MadeTree{
          .packages = {"c==1", "a==1"}, .requirements = {"a==1"}, .libraries = {}, .modules = {"c", "a"}};
    };
    const auto above = [this, text](const fs::path& tree) -> base::Result<MadeTree> {
      ++m_made;
      BASE_TRY(base::write_file(tree / "main", text, 0755));
      return MadeTree{.packages = {"b==1"}, .requirements = {}, .libraries = {}, .modules = {"b"}};
    };
    plan.layers = [this, below, above, key = plan.key] {
      return std::vector{Layer{m_below, false, below}, Layer{key, true, above}};
    };
    return plan;
  }
};

TEST_F(CompileLayers, AreOneArtifact) {
  const auto compiled = compile(layered(), m_tools).value();
  const auto& record = compiled.artifact->record;
  ASSERT_EQ(record.bundles.size(), 2U);
  EXPECT_TRUE(record.bundles[0].file.starts_with(contract::k_bundle_prefix));
  EXPECT_TRUE(record.bundles[1].file.starts_with(contract::k_base_prefix));
  EXPECT_EQ(record.packages, (std::vector<std::string>{"a==1", "b==1", "c==1"}));
  EXPECT_EQ(compiled.modules, (std::vector<std::string>{"a", "b", "c"}));
  for (const auto& bundle : record.bundles) EXPECT_TRUE(fs::exists(compiled.artifact->bundles / bundle.file));
  EXPECT_EQ(record.bundles[1].file, "base-" + record.bundles[1].digest + ".tar.zst");
  EXPECT_EQ(record.bundles[1].unpacked_bytes, std::string("library").size());
  // Besides the program it has the digest of what it lies on, in a line.
  EXPECT_EQ(record.bundles[0].files, 2U);
  EXPECT_EQ(record.bundles[0].unpacked_bytes, std::string("program").size() + base::k_digest_length + 1);
  const fs::path environments = m_settings.cache / "env";
  EXPECT_TRUE(fs::exists(environments / record.bundles[1].digest / "library"));
  EXPECT_FALSE(fs::exists(environments / record.bundles[0].digest)) << "it is not an environment by itself";
  EXPECT_EQ(compiled.artifact->added.size(), 2U);
}

TEST_F(CompileLayers, WhatSeldomChangesIsMadeOnce) {
  const auto first = compile(layered(), m_tools).value();
  Plan edited = layered("edited");
  edited.key = std::string(64, 'c');
  edited.layers = [layers = edited.layers, key = edited.key] {
    auto changed = layers().value();
    changed.back().key = key;
    return changed;
  };
  const auto second = compile(edited, m_tools).value();
  EXPECT_EQ(m_below_made, 1);
  EXPECT_EQ(m_made, 2);
  EXPECT_EQ(second.artifact->record.bundles[1], first.artifact->record.bundles[1]);
  EXPECT_NE(second.artifact->record.bundles[0], first.artifact->record.bundles[0]);
  EXPECT_EQ(second.artifact->added.size(), 1U);
}

TEST_F(CompileLayers, WhatIsKnownUnderAnotherKeyGetsThisOneToo) {
  Plan one = layered();
  one.layers = [layer = layered().layers().value().front()] { return std::vector{layer}; };
  const auto first = compile(one, m_tools).value();
  EXPECT_EQ(m_below_made, 1);
  EXPECT_EQ(first.artifact->record.bundles.size(), 1U);
  EXPECT_TRUE(m_store.find(m_key).bundle);
  EXPECT_TRUE(m_store.find(m_below).bundle);
}

TEST_F(Compile, AnInputThatChangesMeanwhileIsNamedAndNothingIsStored) {
  const fs::path file = m_folder.path() / "input";
  ASSERT_TRUE(base::write_file(file, "1"));
  Plan changing = plan();
  ASSERT_TRUE(changing.inputs.add_file("input", file));
  changing.layers = [layers = changing.layers, file] {
    auto changed = layers().value();
    changed.front().make = [make = changed.front().make, file](const fs::path& tree) {
      EXPECT_TRUE(base::write_file(file, "2"));
      return make(tree);
    };
    return changed;
  };
  const auto compiled = compile(changing, m_tools);
  ASSERT_TRUE(compiled);
  EXPECT_FALSE(compiled->artifact);
  EXPECT_EQ(compiled->changed, file.string());
  EXPECT_FALSE(m_store.find(m_key).bundle);
}

TEST_F(Compile, AFailureIsTheLayersOwn) {
  Plan failing = plan();
  failing.layers = [this] {
    const auto make = [](const fs::path& /*tree*/) -> base::Result<MadeTree> {
      return base::fail(base::ErrorKind::step_failed, "go build", "failed");
    };
    return std::vector{Layer{m_key, true, make}};
  };
  const auto compiled = compile(failing, m_tools);
  ASSERT_FALSE(compiled);
  EXPECT_EQ(compiled.error().what, "failed");
  EXPECT_FALSE(m_store.find(m_key).bundle);
}

TEST_F(Compile, APlanWithoutAKeyNeedsNoBundle) {
  Plan none = plan();
  none.key.clear();
  none.start.command = {"python3"};
  none.start.environment = {{"A", "b"}};
  const auto compiled = compile(none, m_tools).value();
  EXPECT_EQ(m_made, 0);
  EXPECT_TRUE(compiled.artifact->record.bundles.empty());
  EXPECT_EQ(compiled.artifact->record.command, none.start.command);
  EXPECT_EQ(compiled.artifact->record.environment, none.start.environment);
  EXPECT_EQ(compiled.artifact->record.builder, "go");
}

TEST_F(Compile, TheRecordHasWhatIsPlannedAndWhatWasPacked) {
  Plan whole = plan();
  whole.platform = {.os = "linux", .architecture = "arm64"};
  whole.program = {"./cmd/x", "the only package main"};
  whole.start.command = {"main", "--now"};
  whole.start.environment = {{"A", "b"}};
  const auto compiled = compile(whole, m_tools).value();
  const auto& record = compiled.artifact->record;
  EXPECT_EQ(record.builder, "go");
  EXPECT_EQ(record.version, PACHBUILD_VERSION);
  EXPECT_EQ(record.key, m_key);
  EXPECT_EQ(record.platform, whole.platform);
  EXPECT_EQ(record.program, whole.program);
  EXPECT_EQ(record.command, whole.start.command);
  EXPECT_EQ(record.environment, whole.start.environment);
  EXPECT_EQ(compiled.artifact->start, whole.start);
  ASSERT_EQ(record.bundles.size(), 1U);
  const auto& bundle = record.bundles[0];
  const fs::path file = compiled.artifact->bundles / bundle.file;
  EXPECT_EQ(bundle.file, "bundle-" + bundle.digest + ".tar.zst");
  EXPECT_EQ(base::sha256_of_file(file.string()), bundle.digest);
  EXPECT_EQ(bundle.bytes, fs::file_size(file));
  EXPECT_EQ(bundle.unpacked_bytes, std::string("program").size());
  EXPECT_EQ(bundle.files, 1U);
  EXPECT_EQ(base::read_file(m_settings.cache / "env" / bundle.digest / "main"), "program")
      << "a datum on this machine finds it unpacked";
}

TEST_F(Compile, SaysWhatItDoes) {
  const auto told = [&](const Plan& plan) {
    LogOfTest log;
    EXPECT_TRUE(compile(plan, m_tools));
    auto text = log.end();
    return text.substr(0, std::min(text.rfind(" ("), text.size()));
  };
  EXPECT_EQ(told(plan()), "compile: packed 1 file, 7 B");
  EXPECT_EQ(told(plan()), "compile: nothing to do, the bundle is in the cache");
  Plan chosen = plan();
  chosen.choices = [](const std::vector<std::string>& /*packages*/) { return "chosen for you"; };
  LogOfTest log;
  EXPECT_TRUE(compile(chosen, m_tools));
  const auto text = log.end();
  EXPECT_TRUE(text.ends_with("\ncompile: chosen for you\n")) << text;
  const fs::path entry = m_settings.cache / "go" / "bundles" / m_key;
  ASSERT_TRUE(base::write_file(entry / contract::k_record, "damaged"));
  const auto again = told(plan());
  EXPECT_TRUE(again.starts_with("warning: cache: ")) << again;
  EXPECT_TRUE(again.ends_with("; building it again\ncompile: packed 1 file, 7 B")) << again;
  EXPECT_EQ(m_made, 2);
}

TEST_F(Compile, ChoicesAreAskedForOfThePackages) {
  Plan chosen = plan();
  std::vector<std::string> seen = {"none"};
  chosen.choices = [&](const std::vector<std::string>& packages) {
    seen = packages;
    return "";
  };
  ASSERT_TRUE(compile(chosen, m_tools));
  EXPECT_TRUE(seen.empty());
}

}  // namespace
}  // namespace builder
