// SPDX-License-Identifier: Apache-2.0
// On a broken disk each call may fail, one at a time: what has to hold then beyond every_call_test.cpp.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>

#include "../steps.h"
#include "base/digest.h"
#include "builder-runtime/inputs.h"
#include "builder-runtime/source/links.h"
#include "pachbuild/local/results/output_tree.h"
#include "pachbuild/local/results/result_store.h"

namespace {

namespace fs = base::fs;

class FailingCalls : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(base::make_folders(m_tree / "dir" / "deep"));
    ASSERT_TRUE(base::write_file(m_tree / "a", "content of a", 0755));
    ASSERT_TRUE(base::write_file(m_tree / "dir" / "deep" / "b", "content of b"));
    fs::create_symlink("a", m_tree / "link");
    ASSERT_TRUE(base::make_folders(m_made));
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "failing.").value();
  fs::path m_tree = m_folder.path() / "tree";
  fs::path m_made = m_folder.path() / "made";
};

TEST_F(FailingCalls, ACopyWhereLinksAreNotPossible) {
  const steps::Watch watch(
      [](std::string_view call, std::string_view) { return call == "link" ? EXDEV : 0; });
  ASSERT_TRUE(base::link_or_copy_file(m_tree / "a", m_made / "copy", 0755));
  EXPECT_EQ(base::read_file(m_made / "copy").value(), "content of a");
  struct stat status{};
  ASSERT_EQ(::stat((m_made / "copy").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0755U);
}

TEST_F(FailingCalls, Removing) {
  const auto fill = [&] {
    ASSERT_TRUE(base::make_folders(m_made / "copy" / "dir"));
    ASSERT_TRUE(base::write_file(m_made / "copy" / "dir" / "file", "x"));
  };
  fill();
  int errors = 0;
  steps::fail_each([&] { return base::remove_tree(m_made / "copy").has_value(); },
                   [&](bool succeeded, const std::string& failed) {
                     errors += succeeded ? 0 : 1;
                     EXPECT_EQ(fs::exists(m_made / "copy"), !succeeded) << failed;
                     fill();
                   });
  EXPECT_GT(errors, 1);
}

TEST_F(FailingCalls, WhetherInputsChanged) {
  builder::Inputs inputs;
  ASSERT_TRUE(inputs.add_file("a", m_tree / "a"));
  ASSERT_TRUE(inputs.add_tree("tree", m_tree / "dir"));
  std::string changed;
  steps::fail_each(
      [&] {
        const auto answer = inputs.changed();
        changed = answer.value_or("");
        return answer.has_value();
      },
      [&](bool succeeded, const std::string& failed) {
        // What cannot be looked at may have changed.
        const bool is_unsure = failed.ends_with(": ") || !succeeded || !changed.empty();
        EXPECT_TRUE(is_unsure) << failed;
      });
}

TEST_F(FailingCalls, LinksOfASource) {
  ASSERT_TRUE(base::write_file(m_folder.path() / "outside", "secret"));
  fs::create_symlink("../../outside", m_tree / "dir" / "out");
  steps::fail_each([&] { return builder::check_links(m_tree).has_value(); },
                   [&](bool succeeded, const std::string& failed) { EXPECT_FALSE(succeeded) << failed; });
}

TEST_F(FailingCalls, ADatumsOutput) {
  // With what the store keeps it is found again, or the datum runs again.
  const fs::path cache = m_folder.path() / "cache";
  const std::string key(base::k_digest_length, 'a');
  const auto fresh = [&]() {
    EXPECT_TRUE(base::remove_tree(cache));
    EXPECT_TRUE(base::make_folders(cache));
    EXPECT_TRUE(base::remove_tree(m_folder.path() / "out"));
    EXPECT_TRUE(base::make_folders(m_folder.path() / "out"));
    EXPECT_TRUE(base::write_file(m_folder.path() / "out" / "x", "result"));
  };
  fresh();
  bool is_said = false;
  const int calls = steps::fail_each(
      [&] {
        auto store = local::ResultStore::open(cache);
        if (!store) return false;
        auto tree = local::OutputTree::open(m_folder.path() / "out");
        if (!tree) return false;
        return store->add(key, *tree).has_value();
      },
      [&](bool succeeded, const std::string& failed) {
        is_said = is_said || !succeeded;
        const auto store = local::ResultStore::open(cache).value();
        const auto found = store.find(key);
        if (found) {
          ASSERT_EQ(found->size(), 1U) << failed;
          EXPECT_EQ(base::read_file(store.object(found->front().digest)).value_or("gone"), "result")
              << failed;
        }
        if (succeeded) {
          EXPECT_TRUE(found) << failed;
        }
        fresh();
      });
  EXPECT_GT(calls, 10);
  EXPECT_TRUE(is_said);
}

}  // namespace
