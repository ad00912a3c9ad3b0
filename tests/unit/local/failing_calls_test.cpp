// SPDX-License-Identifier: Apache-2.0
// On a broken disk each call may fail, one at a time: whoever goes on all the same has the right result.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>

#include "../steps.h"
#include "archive/bundle.h"
#include "base/digest.h"
#include "base/folder.h"
#include "base/trusted_folder.h"
#include "builder-runtime/inputs.h"
#include "builder-runtime/languages/source_digest.h"
#include "builder-runtime/source/links.h"
#include "builder-runtime/source/source_copy.h"
#include "pachbuild/local/plan/file_digests.h"
#include "pachbuild/local/results/output_folder.h"
#include "pachbuild/local/results/output_tree.h"
#include "pachbuild/local/results/result_store.h"
#include "pachbuild/local/worker/staging.h"
#include "pachbuild/pfs/file_hash.h"
#include "pachbuild/source/source.h"

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

  // The content and the modes of all that is there, the names of links.
  static std::string content(const fs::path& tree) {
    std::vector<std::string> lines;
    for (fs::recursive_directory_iterator entry(tree), end; entry != end; ++entry) {
      const std::string name = entry->path().lexically_relative(tree).string();
      struct stat status{};
      EXPECT_EQ(::lstat(entry->path().c_str(), &status), 0);
      const bool is_link = S_ISLNK(status.st_mode);
      const std::string text = is_link                   ? fs::read_symlink(entry->path()).string()
                               : S_ISDIR(status.st_mode) ? ""
                                                         : base::read_file(entry->path()).value();
      lines.push_back(name + " " + std::to_string(is_link ? 0 : status.st_mode) + " " + text + "\n");
    }
    std::sort(lines.begin(), lines.end());
    std::string all;
    for (const auto& line : lines) all += line;
    return all;
  }
  void clear() {
    ASSERT_TRUE(base::remove_tree(m_made));
    ASSERT_TRUE(base::make_folders(m_made));
  }
  // `work` gives the result as a text, or an error; what it leaves below m_made is part of the result.
  template <class Work>
  void expect_no_wrong_result(const Work& work) {
    const auto expected = work();
    ASSERT_TRUE(expected) << expected.error().where << ": " << expected.error().what;
    const std::string made = content(m_made);
    clear();
    base::Result<std::string> result = std::string();
    int errors = 0;
    const int calls = steps::fail_each(
        [&] {
          result = work();
          return result.has_value();
        },
        [&](bool succeeded, const std::string& failed) {
          if (succeeded) {
            EXPECT_EQ(*result, *expected) << failed;
            EXPECT_EQ(content(m_made), made) << failed;
          } else {
            ++errors;
            EXPECT_NE(result.error().where + result.error().what, "") << failed;
          }
          clear();
        });
    EXPECT_GT(calls, 1);
    EXPECT_GT(errors, 0);
  }
  template <class Work>
  void expect_all_or_error(const Work& work) {
    expect_no_wrong_result([&]() -> base::Result<std::string> {
      BASE_TRY(work());
      return std::string();
    });
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "failing.").value();
  fs::path m_tree = m_folder.path() / "tree";
  fs::path m_made = m_folder.path() / "made";
};

TEST_F(FailingCalls, ReadingAFile) {
  expect_no_wrong_result([&] { return base::read_file(m_tree / "a"); });
  expect_no_wrong_result([&] { return base::read_input_file(m_tree / "a"); });
  expect_no_wrong_result([&] { return base::sha256_of_file((m_tree / "a").string()); });
  expect_no_wrong_result([&] { return pfs::file_hash(m_tree / "a"); });
}

TEST_F(FailingCalls, WritingAFile) {
  expect_all_or_error([&] { return base::write_file(m_made / "new", "text", 0640); });
  expect_all_or_error([&] { return base::copy_regular_file(m_tree / "a", m_made / "copy", 0755); });
  const steps::Watch watch(
      [](std::string_view call, std::string_view) { return call == "link" ? EXDEV : 0; });
  ASSERT_TRUE(base::link_or_copy_file(m_tree / "a", m_made / "copy", 0755));
  EXPECT_EQ(content(m_made), "copy " + std::to_string(S_IFREG | 0755) + " content of a\n");
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

TEST_F(FailingCalls, AFolderThatAProgramMayChange) {
  expect_no_wrong_result([&]() -> base::Result<std::string> {
    BASE_TRY_ASSIGN(const auto folder, base::Folder::open(m_tree));
    BASE_TRY_ASSIGN(const auto names, folder.names());
    BASE_TRY_ASSIGN(const auto below, folder.open_folder("dir/deep"));
    BASE_TRY_ASSIGN(const auto status, below.status("b"));
    BASE_TRY_ASSIGN(const auto none, below.status("none"));
    std::string all = status ? std::to_string(status->st_size) : "none";
    for (const auto& name : names) all += " " + name;
    return all + (none ? " none" : "");
  });
  expect_all_or_error([&]() -> base::Status {
    BASE_TRY_ASSIGN(const auto made, base::Folder::open(m_made));
    BASE_TRY_ASSIGN(const auto below, made.make_folders("x/y", 0700));
    BASE_TRY_ASSIGN(const auto file, below.open_file("file", O_WRONLY | O_CREAT, 0600));
    BASE_TRY(made.make_folders("z/y", 0700));
    return made.remove("z");
  });
}

TEST_F(FailingCalls, ABundle) {
  expect_no_wrong_result([&]() -> base::Result<std::string> {
    BASE_TRY_ASSIGN(const auto summary, archives::write_bundle(m_tree, m_made / "bundle"));
    return summary.digest + std::to_string(summary.files);
  });
  expect_all_or_error([&]() -> base::Status {
    BASE_TRY(base::write_file(m_made / "file", "x", 0750));
    return archives::normalise_modes(m_made);
  });
}

TEST_F(FailingCalls, ASource) {
  expect_all_or_error([&] { return builder::copy_source(m_tree, m_made / "copy"); });
  expect_no_wrong_result([&]() -> base::Result<std::string> {
    BASE_TRY_ASSIGN(const auto digest, builder::digest_of_folder(m_tree));
    return digest.content;
  });
}

TEST_F(FailingCalls, ARunsFiles) {
  expect_no_wrong_result([&]() -> base::Result<std::string> {
    BASE_TRY_ASSIGN(const auto tree, local::OutputTree::open(m_tree / "dir"));
    BASE_TRY_ASSIGN(const auto files, tree.list());
    std::string all;
    for (const auto& file : files) all += file.path + " " + std::to_string(file.size) + "\n";
    return all;
  });
  struct stat status{};
  ASSERT_EQ(::lstat((m_tree / "a").c_str(), &status), 0);
  expect_no_wrong_result([&] {
    local::FileDigests digests{{}};
    return digests.digest((m_tree / "a").string(), status);
  });
  expect_all_or_error([&] {
    const local::FileDigests::Entries entries{{"/a", {local::FileIdentity::of(status), "digest"}}};
    return local::save_digests(entries, m_made / "digests");
  });
}

TEST_F(FailingCalls, ADatumsInputs) {
  expect_all_or_error([&]() -> base::Status {
    local::Task task;
    task.id = "1";
    task.inputs = {{"in", m_tree.string(), "", "v"}};
    local::Staging staging(m_made);
    BASE_TRY(staging.prepare(task));
    BASE_TRY(staging.finish());
    return {};
  });
}

TEST_F(FailingCalls, ASourceForACluster) {
  expect_no_wrong_result([&]() -> base::Result<std::string> {
    BASE_TRY_ASSIGN(const auto files, source::list_source(m_tree));
    BASE_TRY(source::copy_source(files, m_made / "copy"));
    BASE_TRY_ASSIGN(std::string all, source::source_digest(files));
    for (const auto& file : files) all += " " + file.path;
    return all;
  });
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

TEST_F(FailingCalls, FoldersOfACache) {
  expect_all_or_error([&]() -> base::Status {
    BASE_TRY_ASSIGN(const auto folder, base::make_trusted_folder((m_made / "x" / "y").string(), ::geteuid()));
    struct stat status{};
    if (::fstatat(folder.get(), "", &status, AT_EMPTY_PATH) != 0)
      return base::fail(base::ErrorKind::io, "folder", "is none");
    return {};
  });
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
