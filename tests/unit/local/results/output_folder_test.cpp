// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/results/output_folder.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <functional>
#include <nlohmann/json.hpp>

#include "../../nobody.h"
#include "../../steps.h"
#include "pachbuild/local/results/own_folder.h"

namespace local {
namespace {

namespace fs = base::fs;

class OutputFolderTest : public testing::Test {
 protected:
  fs::path out() const { return m_folder.path() / "out"; }
  fs::path own() const { return out() / ".pachbuild"; }

  // The output of one datum, in the store: name → content.
  DatumOutput datum(const std::string& label, const std::map<std::string, std::string>& files) {
    const fs::path folder = m_folder.path() / "tree";
    EXPECT_TRUE(base::remove_tree(folder));
    EXPECT_TRUE(base::make_folders(folder));
    for (const auto& [name, content] : files) {
      EXPECT_TRUE(base::make_folders((folder / name).parent_path()));
      EXPECT_TRUE(base::write_file(folder / name, content));
    }
    const std::string key(64, static_cast<char>('a' + m_number++));
    return {label, m_store.add(key, OutputTree::open(folder).value()).value()};
  }
  OutputFolder open() const { return OutputFolder::open(out(), "pipeline").value(); }
  base::Status publish(const std::vector<DatumOutput>& outputs,
                       const std::vector<MissingDatum>& missing = {}) {
    BASE_TRY_ASSIGN(auto folder, OutputFolder::open(out(), "pipeline"));
    BASE_TRY(folder.check(outputs));
    return folder.publish(outputs, missing, m_store, ExportBy::copy);
  }
  base::Status add(const std::vector<DatumOutput>& outputs, const std::vector<DatumOutput>& withdrawn = {}) {
    BASE_TRY_ASSIGN(auto folder, OutputFolder::open(out(), "pipeline"));
    BASE_TRY(folder.check(outputs));
    return folder.add(outputs, withdrawn, std::nullopt, m_store, ExportBy::copy);
  }
  // Every file but ours: "path=content".
  std::string content() const {
    std::vector<std::string> lines;
    for (fs::recursive_directory_iterator entry(out()), end; entry != end; ++entry) {
      if (entry->path() == own()) {
        entry.disable_recursion_pending();
      } else if (fs::is_regular_file(entry->symlink_status())) {
        lines.push_back(entry->path().lexically_relative(out()).string() + "=" +
                        base::read_file(entry->path()).value());
      }
    }
    std::sort(lines.begin(), lines.end());
    std::string text;
    for (const auto& line : lines) text += line + " ";
    return text;
  }
  static ino_t inode(const fs::path& path) {
    struct stat status{};
    return ::lstat(path.c_str(), &status) == 0 ? status.st_ino : 0;
  }
  std::string text_of_open() const {
    const auto folder = OutputFolder::open(out(), "pipeline");
    return folder ? "" : folder.error().where + ": " + folder.error().what;
  }
  static std::string text(const base::Status& status) {
    return status ? "" : status.error().where + ": " + status.error().what;
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "output.").value();
  ResultStore m_store = ResultStore::open(m_folder.path() / "cache").value();
  int m_number = 0;
};

TEST_F(OutputFolderTest, HasTheFilesOfAllDatums) {
  ASSERT_TRUE(publish({datum("1", {{"a", "1"}, {"d/x", "2"}}), datum("2", {{"d/y", "3"}})}));
  EXPECT_EQ(content(), "a=1 d/x=2 d/y=3 ");
  struct stat status{};
  ASSERT_EQ(::stat((out() / "a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0644U);
  EXPECT_EQ(status.st_nlink, 1U) << "an edit of the file must not be one of the store";
}

TEST_F(OutputFolderTest, ChangesOnlyWhatDiffers) {
  ASSERT_TRUE(publish({datum("1", {{"same", "1"}, {"changed", "1"}, {"gone/far", "1"}})}));
  const auto before = inode(out() / "same");
  ASSERT_TRUE(publish({datum("1", {{"same", "1"}, {"changed", "2"}, {"new/x", "3"}})}));
  EXPECT_EQ(content(), "changed=2 new/x=3 same=1 ");
  EXPECT_EQ(inode(out() / "same"), before);
  EXPECT_FALSE(fs::exists(out() / "gone"));
}

TEST_F(OutputFolderTest, MendsWhatSomebodyChangedWithoutHarmToTheStore) {
  const std::vector<DatumOutput> outputs = {datum("1", {{"a", "1"}, {"b", "2"}, {"c", "3"}})};
  ASSERT_TRUE(publish(outputs));
  ASSERT_TRUE(base::write_file(out() / "a", "edited"));
  fs::remove(out() / "b");
  fs::remove(out() / "c");
  fs::create_symlink("/etc/hostname", out() / "c");
  ASSERT_TRUE(publish(outputs));
  EXPECT_EQ(content(), "a=1 b=2 c=3 ");
}

TEST_F(OutputFolderTest, FilesOfOthersStay) {
  ASSERT_TRUE(base::make_folders(out() / "d"));
  ASSERT_TRUE(base::make_folders(out() / "empty"));
  for (const char* name : {"notes", "d/notes", ".pachbuild-photos", ".pachbuild-missing"})
    ASSERT_TRUE(base::write_file(out() / name, "mine"));
  ASSERT_TRUE(publish({datum("1", {{"d/x", "1"}, {"empty/x", "1"}})}));
  ASSERT_TRUE(publish({datum("1", {{"y", "1"}})}));
  EXPECT_EQ(content(), ".pachbuild-missing=mine .pachbuild-photos=mine d/notes=mine notes=mine y=1 ");
  EXPECT_TRUE(fs::exists(out() / "empty")) << "a folder that was there before";
}

TEST_F(OutputFolderTest, ACollisionWithAnothersFileChangesNothing) {
  ASSERT_TRUE(publish({datum("1", {{"a", "1"}})}));
  ASSERT_TRUE(base::make_folders(out() / "folder"));
  for (const char* name : {"file", "folder/x"}) ASSERT_TRUE(base::write_file(out() / name, "mine"));
  fs::create_symlink(m_folder.path(), out() / "link");
  const std::string before = content();
  for (const auto& [path, place] : std::map<std::string, std::string>{{"file", "file"},
                                                                      {"file/x", "file"},
                                                                      {"folder", "folder"},
                                                                      {"link/x", "link"},
                                                                      {"link", "link"}}) {
    EXPECT_EQ(text(publish({datum("7", {{path, "2"}, {"new", "2"}})})),
              (out() / place).string() + ": exists, and was not written by this pipeline (datum 7 writes " +
                  path + ")");
    EXPECT_EQ(content(), before);
  }
}

TEST_F(OutputFolderTest, AFileMayBecomeAFolderAndBack) {
  ASSERT_TRUE(publish({datum("1", {{"a", "1"}})}));
  ASSERT_TRUE(publish({datum("1", {{"a/b/c", "2"}, {"a/d", "3"}})}));
  EXPECT_EQ(content(), "a/b/c=2 a/d=3 ");
  ASSERT_TRUE(publish({datum("1", {{"a", "4"}})}));
  EXPECT_EQ(content(), "a=4 ");
  ASSERT_TRUE(publish({datum("1", {{"a/b/c", "5"}})}));
  // Not when somebody keeps something there.
  ASSERT_TRUE(base::write_file(out() / "a/b/notes", "mine"));
  EXPECT_NE(text(publish({datum("1", {{"a", "6"}})})), "");
  EXPECT_EQ(content(), "a/b/c=5 a/b/notes=mine ");
}

TEST_F(OutputFolderTest, IsKnownAgainWithoutACache) {
  ASSERT_TRUE(publish({datum("1", {{"a", "1"}, {"b", "1"}})}));
  ASSERT_TRUE(base::remove_tree(m_folder.path() / "cache"));
  m_store = ResultStore::open(m_folder.path() / "cache").value();
  const auto before = inode(out() / "a");
  ASSERT_TRUE(publish({datum("1", {{"a", "1"}})}));
  EXPECT_EQ(content(), "a=1 ");
  EXPECT_EQ(inode(out() / "a"), before);
}

TEST_F(OutputFolderTest, ListsMissingDatumsUntilThereIsNone) {
  ASSERT_TRUE(publish({datum("1", {{"a", "1"}})}, {{"data/b\n", "exit code 3"}}));
  EXPECT_EQ(base::read_file(own() / "missing").value(), "data/b\\n: exit code 3\n");
  ASSERT_TRUE(publish({datum("1", {{"a", "1"}})}));
  EXPECT_FALSE(fs::exists(own() / "missing"));
}

TEST_F(OutputFolderTest, AFolderThatGotNothingGoesAgain) {
  {
    auto folder = open();
  }
  EXPECT_FALSE(fs::exists(out()));
  ASSERT_TRUE(base::make_folders(out()));
  {
    auto folder = open();
  }
  EXPECT_TRUE(fs::is_empty(out()));
}

TEST_F(OutputFolderTest, IsForOnePipelineAndOneProcess) {
  ASSERT_TRUE(publish({datum("1", {{"a", "1"}})}));
  const auto other = OutputFolder::open(out(), "other");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().what, "contains the output of pipeline pipeline");
  EXPECT_EQ(OutputFolder::pipeline_at(out()), "pipeline");
  EXPECT_EQ(OutputFolder::pipeline_at(m_folder.path()), std::nullopt);
  const auto held = open();
  const auto second = OutputFolder::open(out(), "pipeline");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().what, "another pachbuild is writing here");
}

TEST_F(OutputFolderTest, ANameThatIsTakenIsNotOurs) {
  ASSERT_TRUE(base::make_folders(own()));
  ASSERT_TRUE(base::write_file(own() / "holiday.jpg", "mine"));
  EXPECT_EQ(OutputFolder::open(out(), "p").error().what, "was not made by pachbuild");
  EXPECT_FALSE(is_own_folder(own()));
  ASSERT_TRUE(base::remove_tree(own()));
  fs::create_symlink(m_folder.path(), own());
  EXPECT_EQ(OutputFolder::open(out(), "p").error().what, "is a link, and not pachbuild's folder");
  fs::remove(own());
  ASSERT_TRUE(base::write_file(own(), "mine"));
  EXPECT_EQ(OutputFolder::open(out(), "p").error().what, "is not a folder, and not pachbuild's folder");
  EXPECT_EQ(base::read_file(own()).value(), "mine");
}

TEST_F(OutputFolderTest, DamageInTheStoreIsNoticedAndNeverExported) {
  const auto output = datum("1", {{"a", "1"}});
  ASSERT_TRUE(publish({datum("0", {{"old", "1"}})}));
  const auto object = m_store.object(output.files[0].digest);
  ::chmod(object.c_str(), 0644);
  const base::UniqueFd file(::open(object.c_str(), O_WRONLY));
  ASSERT_TRUE(base::write_all(file.get(), "2", object));
  EXPECT_EQ(text(publish({output})), object.string() + ": is damaged and was removed");
  EXPECT_EQ(content(), "old=1 ");
}

// An export that is cut off at any step is completed by the next one that opens the folder, whatever it then
// does.
TEST_F(OutputFolderTest, AnExportThatWasCutOffIsCompleted) {
  const std::vector<DatumOutput> before = {datum("1", {{"a", "1"}, {"b/c", "1"}, {"gone", "1"}, {"d", "1"}})};
  const std::vector<DatumOutput> after = {datum("1", {{"a", "2"}, {"b", "2"}, {"d/e", "2"}, {"new", "2"}})};
  const std::string whole = "a=2 b=2 d/e=2 new=2 ";
  const auto save = [&](const fs::path& from, const fs::path& to) {
    ASSERT_EQ(
        std::system(
            ("rm -rf '" + to.string() + "' && cp -a '" + from.string() + "' '" + to.string() + "'").c_str()),
        0);
  };
  ASSERT_TRUE(publish(before));
  // The state at the moment when the list of moves has appeared.
  const fs::path snapshot = m_folder.path() / "snapshot";
  {
    auto folder = open();
    const base::UniqueFd watch(::open(own().c_str(), O_RDONLY | O_DIRECTORY));
    // A file where state is to be written makes the export fail after its moves: everything is there, so what
    // comes before can be made by hand.
    save(out(), snapshot);
    ASSERT_TRUE(folder.publish(after, {}, m_store, ExportBy::copy));
  }
  EXPECT_EQ(content(), whole);

  // All prefixes of the steps, by doing them in the order of the plan.
  const nlohmann::json plan = {
      {"made_by", "pachbuild"},
      {"version", 1},
      {"content",
       {{"removed_files", {"b/c", "d", "gone"}},
        {"removed_folders", {"b"}},
        {"moves",
         {{{"from", "0"}, {"to", "a"}, {"replaces", true}},
          {{"from", "1"}, {"to", "b"}, {"replaces", false}},
          {{"from", "2"}, {"to", "d/e"}, {"replaces", false}},
          {{"from", "3"}, {"to", "new"}, {"replaces", false}}}},
        {"missing", ""},
        {"state", nlohmann::json::parse(base::read_file(own() / "output.json").value()).at("content")}}}};
  const std::vector<std::string> steps = {"rm b/c",
                                          "rm d",
                                          "rm gone",
                                          "rmdir b",
                                          "mv .pachbuild/new/0 a",
                                          "mv .pachbuild/new/1 b",
                                          "mkdir d",
                                          "mv .pachbuild/new/2 d/e",
                                          "mv .pachbuild/new/3 new"};
  for (std::size_t done = 0; done <= steps.size(); ++done) {
    SCOPED_TRACE(done);
    save(snapshot, out());
    ASSERT_TRUE(base::make_folders(own() / "new"));
    for (const char* name : {"0", "1", "2", "3"}) ASSERT_TRUE(base::write_file(own() / "new" / name, "2"));
    ASSERT_TRUE(base::write_file(own() / "next.json", plan.dump()));
    for (std::size_t i = 0; i < done; ++i)
      ASSERT_EQ(std::system(("cd '" + out().string() + "' && " + steps[i]).c_str()), 0) << steps[i];
    {
      auto folder = open();
    }
    EXPECT_EQ(content(), whole);
    EXPECT_FALSE(fs::exists(own() / "next.json"));
    EXPECT_FALSE(fs::exists(own() / "new"));
    ASSERT_TRUE(publish({}));
    EXPECT_EQ(content(), "");
  }
}

// The same with the steps as they are done. Until the list of moves is there nothing has changed, from then
// on whoever opens the folder has the new files.
TEST_F(OutputFolderTest, WhatIsAddedReplacesOnlyWhatIsInItsWay) {
  ASSERT_TRUE(
      publish({datum("1", {{"a", "1"}}), datum("2", {{"b/c", "1"}, {"b/d", "1"}}), datum("3", {{"e", "1"}})},
              {{"4", "exit code 3"}}));
  ASSERT_TRUE(add({datum("1", {{"a", "2"}, {"new/f", "2"}})}));
  EXPECT_EQ(content(), "a=2 b/c=1 b/d=1 e=1 new/f=2 ");
  // A file where a folder was, and the other way round.
  ASSERT_TRUE(add({datum("2", {{"b", "2"}, {"e/g", "2"}})}));
  EXPECT_EQ(content(), "a=2 b=2 e/g=2 new/f=2 ");
  EXPECT_EQ(base::read_file(own() / "missing").value(), "4: exit code 3\n");
  // In the end there is nothing else, whoever had added it.
  ASSERT_TRUE(publish({datum("1", {{"a", "2"}})}));
  EXPECT_EQ(content(), "a=2 ");
  EXPECT_FALSE(fs::exists(own() / "missing"));
  EXPECT_FALSE(fs::exists(out() / "new"));
}

TEST_F(OutputFolderTest, WhatIsWithdrawnIsTakenAway) {
  ASSERT_TRUE(publish({datum("1", {{"a", "1"}, {"b/c", "1"}}), datum("2", {{"b/d", "1"}})}));
  ASSERT_TRUE(base::write_file(out() / "mine", "by hand"));
  ASSERT_TRUE(add({datum("3", {{"e", "1"}})}, {datum("1", {{"a", "2"}, {"b/c", "2"}, {"mine", "2"}})}));
  EXPECT_EQ(content(), "b/d=1 e=1 mine=by hand ");
  ASSERT_TRUE(add({}, {datum("2", {{"b/d", "1"}})}));
  EXPECT_EQ(content(), "e=1 mine=by hand ");
  EXPECT_FALSE(fs::exists(out() / "b"));
}

TEST_F(OutputFolderTest, WhatIsAddedLeavesChangedFilesOfOtherDatumsAlone) {
  ASSERT_TRUE(publish({datum("1", {{"a", "1"}}), datum("2", {{"b", "1"}})}));
  ASSERT_TRUE(base::write_file(out() / "b", "by hand"));
  ASSERT_TRUE(add({datum("1", {{"a", "2"}})}));
  EXPECT_EQ(content(), "a=2 b=by hand ");
  ASSERT_TRUE(publish({datum("1", {{"a", "2"}}), datum("2", {{"b", "1"}})}));
  EXPECT_EQ(content(), "a=2 b=1 ");
}

TEST_F(OutputFolderTest, AddingThatWasCutOffAnywhereIsDoneOrNotNextTime) {
  const std::vector<DatumOutput> before = {datum("1", {{"a", "1"}, {"b/c", "1"}, {"stays", "1"}})};
  const std::vector<DatumOutput> added = {datum("1", {{"a", "2"}, {"b", "2"}})};
  ASSERT_TRUE(publish(before));
  const std::string old = content();
  int unchanged = 0;
  const int steps = steps::cut_off_at_each([&] { static_cast<void>(add(added)); },
                                           [&](int last) {
                                             {
                                               auto folder = open();
                                             }
                                             const std::string now = content();
                                             unchanged += now == old ? 1 : 0;
                                             EXPECT_TRUE(now == old || now == "a=2 b=2 stays=1 ")
                                                 << last << ": " << now;
                                             ASSERT_TRUE(publish({})) << last;
                                             EXPECT_EQ(content(), "") << last;
                                             ASSERT_TRUE(publish(before));
                                           });
  EXPECT_GT(unchanged, 0);
  EXPECT_LT(unchanged, steps - 3);
}

TEST_F(OutputFolderTest, CutOffAnywhereItHasAllOldOrAllNewFilesNextTime) {
  const std::vector<DatumOutput> before = {datum("1", {{"a", "1"}, {"b/c", "1"}, {"gone", "1"}})};
  const std::vector<DatumOutput> after = {datum("1", {{"a", "2"}, {"b", "2"}, {"d/e", "2"}})};
  ASSERT_TRUE(publish(before));
  const std::string old = content();
  int unchanged = 0;
  const int steps =
      steps::cut_off_at_each([&] { static_cast<void>(publish(after)); },
                             [&](int last) {
                               const bool is_planned = fs::exists(own() / "next.json");
                               const std::string left = content();
                               {
                                 auto folder = open();
                               }
                               const std::string now = content();
                               unchanged += now == old ? 1 : 0;
                               EXPECT_TRUE(now == old || now == "a=2 b=2 d/e=2 ") << last << ": " << now;
                               if (!is_planned) {
                                 EXPECT_TRUE(left == old || left == now) << last << ": " << left;
                               }
                               // Everything is known for ours.
                               ASSERT_TRUE(publish({})) << last;
                               EXPECT_EQ(content(), "") << last;
                               ASSERT_TRUE(publish(before));
                             });
  EXPECT_GT(steps, 8);
  EXPECT_GT(unchanged, 0);
  EXPECT_LT(unchanged, steps - 3);
}

// A file that cannot be changed keeps no other from it, and stays known as ours.
TEST_F(OutputFolderTest, WhicheverCallFailsThereIsAnErrorAndTheNextTimeAllIsRight) {
  const std::vector<DatumOutput> before = {datum("1", {{"a", "1"}, {"b/c", "1"}, {"gone", "1"}})};
  const std::vector<DatumOutput> after = {datum("1", {{"a", "2"}, {"b", "2"}, {"d/e", "2"}})};
  ASSERT_TRUE(publish(before));
  const std::string whole = "a=2 b=2 d/e=2 ";
  for (const bool is_given_up : {false, true}) {
    int errors = 0;
    const int calls = steps::fail_each([&] { return publish(after).has_value(); },
                                       [&](bool succeeded, const std::string& failed) {
                                         errors += succeeded ? 0 : 1;
                                         if (succeeded) {
                                           EXPECT_EQ(content(), whole) << failed;
                                         }
                                         if (!is_given_up) {
                                           EXPECT_EQ(text(publish(after)), "") << failed;
                                           EXPECT_EQ(content(), whole) << failed;
                                         }
                                         EXPECT_EQ(text(publish({})), "") << failed;
                                         EXPECT_EQ(content(), "") << failed;
                                         ASSERT_TRUE(publish(before));
                                       });
    EXPECT_GT(calls, 20);
    EXPECT_GT(errors, 10);
  }
}

TEST_F(OutputFolderTest, AChangeThatKeepsTheSizeIsNoticed) {
  const std::vector<DatumOutput> outputs = {datum("1", {{"a", "1"}})};
  ASSERT_TRUE(publish(outputs));
  const base::UniqueFd file(::open((out() / "a").c_str(), O_WRONLY));
  // As late as on a file system that keeps whole seconds.
  const timespec times[] = {{1, 0}, {1, 0}};
  ASSERT_TRUE(base::write_all(file.get(), "2", out() / "a"));
  ASSERT_EQ(::futimens(file.get(), times), 0);
  ASSERT_TRUE(publish(outputs));
  EXPECT_EQ(content(), "a=1 ");
}

TEST_F(OutputFolderTest, AFileThatAppearsDuringAnExportStays) {
  ASSERT_TRUE(publish({datum("1", {{"a", "1"}})}));
  const nlohmann::json plan = {{"made_by", "pachbuild"},
                               {"version", 1},
                               {"content",
                                {{"removed_files", nlohmann::json::array()},
                                 {"removed_folders", nlohmann::json::array()},
                                 {"moves", {{{"from", "0"}, {"to", "new"}, {"replaces", false}}}},
                                 {"missing", ""},
                                 {"state",
                                  {{"pipeline", "pipeline"},
                                   {"files", nlohmann::json::array()},
                                   {"folders", nlohmann::json::array()}}}}}};
  ASSERT_TRUE(base::make_folders(own() / "new"));
  ASSERT_TRUE(base::write_file(own() / "new/0", "ours"));
  ASSERT_TRUE(base::write_file(own() / "next.json", plan.dump()));
  ASSERT_TRUE(base::write_file(out() / "new", "mine"));
  EXPECT_EQ(OutputFolder::open(out(), "pipeline").error().what,
            "appeared while the output was being written");
  EXPECT_EQ(base::read_file(out() / "new").value(), "mine");
  EXPECT_TRUE(OutputFolder::open(out(), "pipeline"));
}

// The folder may come from somebody else, with whatever they have put there.
TEST_F(OutputFolderTest, NothingInAFolderThatWasHandedOverLeadsOutOfIt) {
  const fs::path secret = m_folder.path() / "secret";
  ASSERT_TRUE(base::write_file(secret, "mine"));
  const std::vector<std::string> outside = {
      "../secret", secret.string(),        "d/../../secret", "./a", "..", "",
      "a/",        std::string("a\0b", 3), ".pachbuild/lock"};
  using Change = std::function<void(nlohmann::json & plan, const std::string& path)>;
  const std::vector<Change> changes = {
      [](auto& plan, const auto& path) { plan["removed_files"] = {path}; },
      [](auto& plan, const auto& path) { plan["removed_folders"] = {path}; },
      [](auto& plan, const auto& path) { plan["moves"][0]["to"] = path; },
      [](auto& plan, const auto& path) { plan["moves"][0]["from"] = path; },
      [](auto& plan, const auto& path) { plan["moves"][0]["from"] = "../../" + path; },
      [](auto& plan, const auto& path) { plan["moves"][0]["from"] = "../../../" + path; },
      [](auto& plan, const auto& path) { plan["state"]["files"][0]["path"] = path; },
      [](auto& plan, const auto& path) { plan["state"]["folders"] = {path}; }};
  for (const auto& path : outside) {
    for (std::size_t i = 0; i < changes.size(); ++i) {
      SCOPED_TRACE(path + " " + std::to_string(i));
      ASSERT_TRUE(base::remove_tree(out()));
      ASSERT_TRUE(publish({datum("1", {{"a", "1"}})}));
      auto text = nlohmann::json::parse(base::read_file(own() / "output.json").value());
      nlohmann::json plan = {{"removed_files", nlohmann::json::array()},
                             {"removed_folders", nlohmann::json::array()},
                             {"moves", {{{"from", "0"}, {"to", "b"}, {"replaces", true}}}},
                             {"missing", ""},
                             {"state", text.at("content")}};
      changes[i](plan, path);
      text["content"] = plan;
      ASSERT_TRUE(base::make_folders(own() / "new"));
      ASSERT_TRUE(base::write_file(own() / "new/0", "0"));
      ASSERT_TRUE(base::write_file(own() / "next.json", text.dump()));
      ASSERT_TRUE(publish({datum("1", {{"a", "1"}})}));
      EXPECT_EQ(content(), "a=1 ");
      EXPECT_EQ(base::read_file(secret).value(), "mine");
      if (i < 6) continue;
      text["content"] = plan["state"];
      ASSERT_TRUE(base::write_file(own() / "output.json", text.dump()));
      EXPECT_EQ(text_of_open(),
                (own() / "output.json").string() +
                    ": is damaged, so pachbuild does not know which files in the folder are its own");
    }
  }
}

TEST_F(OutputFolderTest, AMarkThatIsNoFileIsNeitherWaitedForNorBelieved) {
  const std::vector<std::string> commands = {"mkfifo output.json",     "ln -s /dev/zero output.json",
                                             "mkdir output.json",      "truncate -s 1T output.json",
                                             "echo '{' > output.json", "ln -s loop output.json"};
  for (const auto& command : commands) {
    SCOPED_TRACE(command);
    ASSERT_TRUE(base::remove_tree(out()));
    ASSERT_TRUE(base::make_folders(own()));
    ASSERT_EQ(std::system(("cd '" + own().string() + "' && " + command).c_str()), 0);
    EXPECT_FALSE(is_own_folder(own()));
    EXPECT_EQ(text_of_open(),
              (own() / "output.json").string() +
                  ": is damaged, so pachbuild does not know which files in the folder are its own");
  }
}

// An export that another pipeline has begun stays that pipeline's, to complete.
TEST_F(OutputFolderTest, AnotherPipelinesExportIsNotTouched) {
  ASSERT_TRUE(publish({datum("1", {{"a", "1"}})}));
  auto text = nlohmann::json::parse(base::read_file(own() / "output.json").value());
  text["content"] = {{"removed_files", {"a"}},
                     {"removed_folders", nlohmann::json::array()},
                     {"moves", {{{"from", "0"}, {"to", "b"}, {"replaces", false}}}},
                     {"missing", ""},
                     {"state", text.at("content")}};
  ASSERT_TRUE(base::make_folders(own() / "new"));
  ASSERT_TRUE(base::write_file(own() / "new/0", "2"));
  ASSERT_TRUE(base::write_file(own() / "next.json", text.dump()));
  EXPECT_FALSE(OutputFolder::open(out(), "other"));
  EXPECT_EQ(content(), "a=1 ");
  {
    auto folder = open();
  }
  EXPECT_EQ(content(), "b=2 ");
}

TEST_F(OutputFolderTest, AFolderThatCannotBeWrittenIsSaidBeforeAnythingChanges) {
  const std::vector<DatumOutput> first = {datum("1", {{"closed/a", "1"}, {"closed/old", "1"}, {"x", "1"}})};
  const std::vector<DatumOutput> second = {datum("1", {{"closed/a", "2"}, {"x", "2"}})};
  const std::vector<DatumOutput> third = {datum("1", {{"closed/a", "1"}, {"x", "2"}})};
  ASSERT_TRUE(publish(first));
  const std::string before = content();
  ASSERT_EQ(std::system(("chmod -R a+rwX '" + m_folder.path().string() + "' && chmod 0555 '" +
                         (out() / "closed").string() + "'")
                            .c_str()),
            0);
  {
    const Nobody nobody;
    for (const auto* outputs : {&second, &third})
      EXPECT_EQ(text(publish(*outputs)), (out() / "closed").string() + ": cannot write: permission denied");
    ASSERT_TRUE(publish(first)) << "nothing changes in it";
  }
  EXPECT_EQ(content(), before);
  ASSERT_EQ(::chmod((out() / "closed").c_str(), 0755), 0);
  ASSERT_TRUE(publish(second));
  EXPECT_EQ(content(), "closed/a=2 x=2 ");
}

// A step that fails although everything was checked is done by the next run: the file is still known.
TEST_F(OutputFolderTest, WhatCouldNotBeChangedIsStillOurs) {
  ASSERT_TRUE(publish({datum("1", {{"d/changed", "1"}, {"d/gone", "1"}})}));
  auto text = nlohmann::json::parse(base::read_file(own() / "output.json").value());
  nlohmann::json state = {{"pipeline", "pipeline"}, {"files", nlohmann::json::array()}, {"folders", {"d"}}};
  text["content"] = {{"removed_files", {"d/gone"}},
                     {"removed_folders", nlohmann::json::array()},
                     {"moves", {{{"from", "0"}, {"to", "d/changed"}, {"replaces", true}}}},
                     {"missing", ""},
                     {"state", state}};
  ASSERT_TRUE(base::make_folders(own() / "new"));
  ASSERT_TRUE(base::write_file(own() / "new/0", "2"));
  ASSERT_TRUE(base::write_file(own() / "next.json", text.dump()));
  ASSERT_EQ(std::system(("chmod -R a+rwX '" + m_folder.path().string() + "' && chmod 0555 '" +
                         (out() / "d").string() + "'")
                            .c_str()),
            0);
  {
    const Nobody nobody;
    EXPECT_FALSE(OutputFolder::open(out(), "pipeline"));
  }
  ASSERT_EQ(::chmod((out() / "d").c_str(), 0755), 0);
  ASSERT_TRUE(publish({datum("1", {{"d/changed", "3"}})}));
  EXPECT_EQ(content(), "d/changed=3 ");
}

TEST_F(OutputFolderTest, HardLinksAreTheStoresOwnFiles) {
  const auto output = datum("1", {{"a", "1"}});
  auto folder = open();
  ASSERT_TRUE(folder.publish({output}, {}, m_store, ExportBy::hard_link));
  EXPECT_EQ(inode(out() / "a"), inode(m_store.object(output.files[0].digest)));
}

}  // namespace
}  // namespace local
