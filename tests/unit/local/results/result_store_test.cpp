// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/results/result_store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <chrono>
#include <nlohmann/json.hpp>

#include "../../steps.h"
#include "base/digest.h"

namespace local {
namespace {

namespace fs = base::fs;

std::vector<ResultStore::KeptFile> nothing_beside() { return {}; }

class ResultStoreTest : public testing::Test {
 protected:
  ResultStoreTest() { open(); }
  void open() { m_store.emplace(ResultStore::open(m_folder.path()).value()); }
  fs::path out() const { return m_folder.path() / "out"; }
  static std::string key(char digit) { return std::string(base::k_digest_length, digit); }

  void write(const std::map<std::string, std::string>& files) const {
    ASSERT_TRUE(base::remove_tree(out()));
    ASSERT_TRUE(base::make_folders(out()));
    for (const auto& [name, content] : files) {
      ASSERT_TRUE(base::make_folders((out() / name).parent_path()));
      ASSERT_TRUE(base::write_file(out() / name, content));
    }
  }
  base::Result<std::vector<ResultFile>> add(char digit) {
    return m_store->add(key(digit), OutputTree::open(out()).value());
  }
  std::string content(const ResultFile& file) const {
    return base::read_file(m_store->object(file.digest)).value();
  }
  static void set_age(const fs::path& path, int seconds) {
    const timespec times[] = {{::time(nullptr) - seconds, 0}, {::time(nullptr) - seconds, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  }
  fs::path record(char digit) const {
    return m_folder.path() / "results/datums" / std::string(2, digit) / key(digit);
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "store.").value();
  std::optional<ResultStore> m_store;
};

TEST_F(ResultStoreTest, FindsWhatWasAdded) {
  write({{"a", "1"}, {"dir/b", "22"}});
  EXPECT_FALSE(m_store->find(key('a')));
  const auto added = add('a').value();
  const auto found = m_store->find(key('a')).value();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].path, "a");
  EXPECT_EQ(found[1].path, "dir/b");
  EXPECT_EQ(found[1].size, 2U);
  EXPECT_EQ(content(found[1]), "22");
  EXPECT_FALSE(m_store->find(key('b')));
}

TEST_F(ResultStoreTest, WhatAKilledRunHasAddedCounts) {
  constexpr std::uint64_t k_limit = 10'000;
  constexpr std::size_t k_size = 4'000;
  write({{"a", std::string(k_size, 'a')}});
  ASSERT_TRUE(add('a'));
  EXPECT_EQ(std::move(*m_store).shrink(k_limit, nothing_beside).value().datums, 0U);
  open();
  write({{"b", std::string(k_size, 'b')}});
  ASSERT_TRUE(add('b'));
  m_store.reset();
  set_age(record('a'), 100);
  set_age(record('b'), 50);
  open();
  EXPECT_EQ(std::move(*m_store).shrink(k_limit, nothing_beside).value().datums, 1U);
  open();
  EXPECT_FALSE(m_store->find(key('a')));
  EXPECT_TRUE(m_store->find(key('b')));
}

TEST_F(ResultStoreTest, ARecordThatIsNotSoundIsAsGoodAsNone) {
  write({{"a", "1"}});
  const std::string digest = add('a').value()[0].digest;
  const nlohmann::json file = {{"path", "a"}, {"digest", digest}, {"size", 1}};
  const auto with = [&](const std::string& field, const nlohmann::json& value) {
    auto changed = file;
    changed[field] = value;
    return nlohmann::json{{"version", 2}, {"files", {changed}}};
  };
  const auto find = [&](const nlohmann::json& json) {
    std::string text;
    nlohmann::json::to_cbor(json, text);
    EXPECT_TRUE(base::write_file(record('a'), base::sha256(text) + text));
    return m_store->find(key('a')).has_value();
  };
  EXPECT_TRUE(find(with("path", "a")));
  for (const char* path : {"../a", "/a", "", ".", "a//b", ".pachbuild/next.json"})
    EXPECT_FALSE(find(with("path", path))) << path;
  for (const nlohmann::json& json :
       {with("path", 1), with("digest", nullptr), with("digest", "../../a"), with("size", "1"),
        nlohmann::json(1), nlohmann::json{{"version", "1"}, {"files", {file}}},
        nlohmann::json{{"version", nullptr}}, nlohmann::json{{"version", 2}, {"files", 1}},
        nlohmann::json::array()}) {
    EXPECT_FALSE(find(json)) << json.dump();
  }
  fs::remove(record('a'));
  ASSERT_EQ(::mkfifo(record('a').c_str(), 0600), 0);
  EXPECT_FALSE(m_store->find(key('a')));
}

TEST_F(ResultStoreTest, ARecordWithAnyOtherByteIsAsGoodAsNone) {
  write({{"2/a", "1"}});
  ASSERT_TRUE(add('a'));
  const std::string written = base::read_file(record('a').string()).value();
  for (std::size_t i = 0; i <= written.size(); ++i) {
    std::string changed = written.substr(0, i);
    EXPECT_TRUE(base::write_file(record('a'), changed));
    EXPECT_EQ(m_store->find(key('a')).has_value(), i == written.size()) << i;
    if (i == written.size()) break;
    changed += static_cast<char>(written[i] ^ 1);
    EXPECT_TRUE(base::write_file(record('a'), changed + written.substr(i + 1)));
    EXPECT_FALSE(m_store->find(key('a'))) << i;
  }
}

TEST_F(ResultStoreTest, TakesFilesByRenamingThem) {
  write({{"a", "1"}});
  struct stat before{};
  ASSERT_EQ(::stat((out() / "a").c_str(), &before), 0);
  const auto files = add('a').value();
  struct stat after{};
  ASSERT_EQ(::stat(m_store->object(files[0].digest).c_str(), &after), 0);
  EXPECT_EQ(after.st_ino, before.st_ino);
  EXPECT_EQ(after.st_mode & 0777U, 0444U);
}

// A process that outlived the program could write into what it has open, or has by another name.
TEST_F(ResultStoreTest, CopiesWhatAnotherCouldStillWrite) {
  write({{"linked", "1"}, {"open", "2"}});
  ASSERT_EQ(::link((out() / "linked").c_str(), (m_folder.path() / "other").c_str()), 0);
  const base::UniqueFd writer(::open((out() / "open").c_str(), O_WRONLY));
  const auto files = add('a').value();
  ASSERT_TRUE(base::write_all(writer.get(), "x", "open"));
  ASSERT_TRUE(base::write_file(m_folder.path() / "fresh", ""));
  const base::UniqueFd other(::open((m_folder.path() / "other").c_str(), O_WRONLY | O_TRUNC));
  EXPECT_EQ(content(files[0]), "1");
  EXPECT_EQ(content(files[1]), "2");
  EXPECT_TRUE(m_store->find(key('a')));
}

TEST_F(ResultStoreTest, TakesAFileWithoutPermissions) {
  write({{"a", "1"}});
  ::chmod((out() / "a").c_str(), 0);
  EXPECT_EQ(content(add('a').value()[0]), "1");
}

TEST_F(ResultStoreTest, EqualFilesAreStoredOnce) {
  write({{"a", "same"}, {"b", "same"}});
  const auto files = add('a').value();
  EXPECT_EQ(files[0].digest, files[1].digest);
  write({{"c", "same"}});
  EXPECT_EQ(add('b').value()[0].digest, files[0].digest);
}

TEST_F(ResultStoreTest, WhatWasTouchedCountsNoMore) {
  for (const bool keep_size : {true, false}) {
    write({{"a", "1"}});
    const auto object = m_store->object(add('a').value()[0].digest);
    ASSERT_TRUE(m_store->find(key('a')));
    ::chmod(object.c_str(), 0644);
    ASSERT_EQ(::truncate(object.c_str(), keep_size ? 1 : 0), 0);
    if (keep_size) {
      const base::UniqueFd file(::open(object.c_str(), O_WRONLY));
      ASSERT_TRUE(base::write_all(file.get(), "2", object));
    }
    EXPECT_FALSE(m_store->find(key('a')));
    // And is mended by the next one that makes it.
    write({{"a", "1"}});
    EXPECT_EQ(content(add('a').value()[0]), "1");
    EXPECT_TRUE(m_store->find(key('a')));
  }
}

TEST_F(ResultStoreTest, ABrokenRecordIsNone) {
  write({{"a", "1"}});
  ASSERT_TRUE(add('a'));
  for (const std::string text : {"", "x", "\xa1\x67version\x01"}) {
    ASSERT_TRUE(base::write_file(record('a'), text));
    EXPECT_FALSE(m_store->find(key('a')));
  }
}

TEST_F(ResultStoreTest, TheNameOfOurFolderIsReserved) {
  write({{".pachbuild/output.json", "1"}});
  const auto added = add('a');
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().where, "/pfs/out/.pachbuild/output.json");
  EXPECT_EQ(added.error().kind, base::ErrorKind::step_failed);
}

TEST_F(ResultStoreTest, RemovesWhatWasNotUsedForLongest) {
  const std::string megabyte(1 << 20, 'x');
  for (const char digit : {'a', 'b', 'c'}) {
    write({{"f", megabyte + digit}});
    ASSERT_TRUE(add(digit));
  }
  set_age(record('a'), 30);
  set_age(record('b'), 60);
  set_age(record('c'), 90);
  open();
  ASSERT_TRUE(m_store->find(key('c')));  // is used now
  const auto removed =
      std::move(*m_store).shrink(2 * megabyte.size() + megabyte.size() / 2, nothing_beside).value();
  EXPECT_EQ(removed.datums, 1U);
  open();
  EXPECT_TRUE(m_store->find(key('a')));
  EXPECT_FALSE(m_store->find(key('b')));
  EXPECT_TRUE(m_store->find(key('c')));
}

TEST_F(ResultStoreTest, AFileOfTwoDatumsStaysWithTheLastOne) {
  const std::string megabyte(1 << 20, 'x');
  write({{"shared", megabyte}});
  const auto digest = add('a').value()[0].digest;
  write({{"shared", megabyte}});
  ASSERT_TRUE(add('b'));
  set_age(record('a'), 60);
  set_age(record('b'), 30);
  open();
  ASSERT_TRUE(m_store->find(key('b')));
  ASSERT_TRUE(std::move(*m_store).shrink(1, nothing_beside));
  open();
  EXPECT_FALSE(m_store->find(key('a')));
  EXPECT_TRUE(m_store->find(key('b')));
  EXPECT_TRUE(fs::exists(m_store->object(digest)));
}

TEST_F(ResultStoreTest, RemovesObjectsWithoutARecordAndNothingWhileAnotherWorks) {
  write({{"a", "1"}});
  const auto object = m_store->object(add('a').value()[0].digest);
  fs::remove(record('a'));
  {
    const auto other = ResultStore::open(m_folder.path()).value();
    open();
    ASSERT_TRUE(std::move(*m_store).shrink(1, nothing_beside));
    EXPECT_TRUE(fs::exists(object));
  }
  open();
  ASSERT_TRUE(std::move(*m_store).shrink(1, nothing_beside));
  EXPECT_FALSE(fs::exists(object));
}

TEST_F(ResultStoreTest, WhatTheLimitAllowsStaysToTheByte) {
  constexpr std::uint64_t k_overhead = 2048;  // of a record, and of a file
  const auto left = [&](std::uint64_t limit) {
    write({{"a", std::string(1000, 'a')}, {"b", std::string(500, 'b')}, {"c", std::string(500, 'b')}});
    EXPECT_TRUE(add('a'));
    set_age(record('a'), 100);
    m_store.reset();
    open();
    const auto removed = std::move(*m_store).shrink(limit, nothing_beside).value();
    EXPECT_EQ(removed.bytes, removed.datums == 0 ? 0 : 1500 + 2 * k_overhead);
    open();
    return m_store->find(key('a')).has_value();
  };
  EXPECT_TRUE(left(3 * k_overhead + 1500));
  EXPECT_FALSE(left(3 * k_overhead + 1500 - 1));
}

TEST_F(ResultStoreTest, FilesBesideGoByTheirAgeAmongTheRecords) {
  const auto now = std::chrono::system_clock::now();
  std::vector<ResultStore::KeptFile> kept;
  for (const auto& [name, age] : {std::pair("young", 10), std::pair("old", 300), std::pair("middle", 150)}) {
    ASSERT_TRUE(base::write_file(m_folder.path() / name, ""));
    kept.push_back({m_folder.path() / name, 10'000, now - std::chrono::seconds(age)});
  }
  kept.push_back({m_folder.path() / "missing", 10'000, now - std::chrono::seconds(400)});
  for (const char digit : {'a', 'b'}) {
    write({{"f", std::string(8000, digit)}});
    ASSERT_TRUE(add(digit));
  }
  set_age(record('a'), 200);
  set_age(record('b'), 100);
  const auto shrink = [&](std::uint64_t limit) {
    m_store.reset();
    open();
    const auto removed = std::move(*m_store).shrink(limit, [&] { return kept; }).value();
    open();
    std::string left;
    for (const auto* name : {"old", "middle", "young"})
      left += fs::exists(m_folder.path() / name) ? name[0] : '-';
    for (const char digit : {'a', 'b'}) left += fs::exists(record(digit)) ? digit : '-';
    return left + " " + std::to_string(removed.datums) + " " + std::to_string(removed.bytes);
  };
  // 40,000 beside, of which one file is gone already and takes no part, and 2 × (8,000 + 4,096) in the store.
  EXPECT_EQ(shrink(64'192), "omyab 0 0");
  EXPECT_EQ(shrink(64'191), "-myab 0 10000");
  std::erase_if(kept, [](const auto& file) { return !fs::exists(file.path); });
  EXPECT_EQ(shrink(44'191), "-my-b 1 10048");
  EXPECT_EQ(shrink(32'095), "--y-b 0 10000");
  std::erase_if(kept, [](const auto& file) { return !fs::exists(file.path); });
  EXPECT_EQ(shrink(1), "----- 1 20048");
}

TEST_F(ResultStoreTest, WhatWasUsedSinceItWasOpenedStays) {
  write({{"a", "1"}});
  ASSERT_TRUE(add('a'));
  std::vector<ResultStore::KeptFile> kept = {
      {m_folder.path() / "log", 10'000, std::chrono::system_clock::now()}};
  ASSERT_TRUE(base::write_file(m_folder.path() / "log", ""));
  const auto removed = std::move(*m_store).shrink(1, [&] { return kept; }).value();
  EXPECT_EQ(removed.datums + removed.bytes, 0U);
  EXPECT_TRUE(fs::exists(m_folder.path() / "log"));
  // It was used again when it was made again.
  set_age(record('a'), 100);
  open();
  write({{"a", "1"}});
  ASSERT_TRUE(add('a'));
  EXPECT_EQ(std::move(*m_store).shrink(1, nothing_beside).value().datums, 0U);
}

TEST_F(ResultStoreTest, OthersMayNeitherReadNorWriteIt) {
  write({{"a", "1"}});
  const auto object = m_store->object(add('a').value()[0].digest);
  const auto mode = [](const fs::path& path) {
    struct stat status{};
    EXPECT_EQ(::lstat(path.c_str(), &status), 0);
    return status.st_mode & 07777U;
  };
  EXPECT_EQ(mode(record('a')), 0600U);
  EXPECT_EQ(mode(record('a').parent_path()), 0700U);
  EXPECT_EQ(mode(object.parent_path()), 0700U);
  EXPECT_EQ(mode(m_folder.path() / "results"), 0700U);
  struct stat status{};
  ASSERT_EQ(::stat(object.c_str(), &status), 0);
  EXPECT_EQ(status.st_mtim.tv_sec, 1);
  const std::pair<time_t, long> k_others[] = {{2, 0}, {1, 1}};
  for (const auto& [seconds, nanoseconds] : k_others) {
    const timespec times[] = {{1, 0}, {seconds, nanoseconds}};
    ASSERT_EQ(::utimensat(AT_FDCWD, object.c_str(), times, 0), 0);
    EXPECT_FALSE(m_store->find(key('a'))) << "somebody wrote to it";
  }
  m_store->drop(object.filename().string());
  EXPECT_FALSE(fs::exists(object));
}

TEST_F(ResultStoreTest, WhatCannotBeReadIsTheProgramsFault) {
  write({{"a", "1"}});
  const auto tree = OutputTree::open(out()).value();
  const auto failing = [&](std::string_view call, std::string_view name) {
    const steps::Watch watch(
        [&](std::string_view one, std::string_view path) {
          return one == call && path.find(name) != std::string_view::npos ? EIO : 0;
        },
        steps::Calls::all);
    return m_store->add(key('a'), tree).error().kind;
  };
  EXPECT_EQ(failing("open", "a"), base::ErrorKind::step_failed);
  EXPECT_EQ(failing("rename", key('a')), base::ErrorKind::cannot_write);
  EXPECT_FALSE(m_store->find(key('a')));
}

TEST_F(ResultStoreTest, EachFileCanHaveARecordOfItsOwn) {
  write({{"a", "1"}, {"b", "2"}, {"c", "3"}});
  const auto tree = OutputTree::open(out()).value();
  ASSERT_TRUE(m_store->add_each(tree, [&](const OutputTree::File& file) -> base::Result<std::string> {
    return file.path == "b" ? std::string() : key(file.path == "a" ? 'a' : 'c');
  }));
  const auto found = m_store->find(key('c')).value();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].path, "file");
  EXPECT_EQ(content(found[0]), "3");
  EXPECT_TRUE(fs::exists(out() / "b"));
  EXPECT_FALSE(fs::exists(out() / "a"));
  const auto failed = m_store->add_each(tree, [](const OutputTree::File&) -> base::Result<std::string> {
    return base::fail(base::ErrorKind::io, "", "no key");
  });
  EXPECT_EQ(failed.error().what, "no key");
}

// What is not looked at still has what no record names.
class MeasuredStore : public ResultStoreTest {
 protected:
  fs::path m_stray = m_folder.path() / "results/objects/ff" / std::string(base::k_digest_length, 'f');
  const fs::path m_room = m_folder.path() / "results/room";
  int m_count = 0;

  void SetUp() override {
    m_store.reset();
    ASSERT_TRUE(base::make_folders(m_stray.parent_path()));
    EXPECT_TRUE(looks(20'000));
  }
  // Whether the store was looked at by a run that has added `bytes`.
  bool looks(std::uint64_t limit, std::size_t bytes = 0) {
    open();
    EXPECT_TRUE(base::write_file(m_stray, ""));
    if (bytes > 0) {
      const char digit = static_cast<char>('a' + m_count++);
      write({{"f", std::string(bytes, digit)}});
      EXPECT_TRUE(add(digit));
    }
    EXPECT_TRUE(std::move(*m_store).shrink(limit, nothing_beside));
    m_store.reset();
    return !fs::exists(m_stray);
  }
};

TEST_F(MeasuredStore, IsLookedAtOnlyWhenItsRoomIsUsedUp) {
  EXPECT_FALSE(looks(20'000));
  EXPECT_FALSE(looks(20'000, 4000));
  EXPECT_FALSE(looks(20'000, 4000));
  EXPECT_TRUE(looks(20'000, 8000));
  EXPECT_FALSE(looks(20'000));
}

TEST_F(MeasuredStore, IsLookedAtForAnotherLimit) {
  EXPECT_TRUE(looks(30'000));
  EXPECT_FALSE(looks(30'000));
  EXPECT_TRUE(looks(20'000));
}

TEST_F(MeasuredStore, IsNeverLookedAtWithoutALimit) { EXPECT_FALSE(looks(0)); }

TEST_F(MeasuredStore, IsLookedAtWhereTheNoteOfItsRoomIsDamaged) {
  for (const std::string text : {"", "20000", "20000 x", "x 20000", "20000 1 1", "20001 10000"}) {
    ASSERT_TRUE(base::write_file(m_room, text));
    EXPECT_TRUE(looks(20'000)) << text;
  }
  EXPECT_FALSE(looks(20'000));
}

TEST_F(MeasuredStore, IsLookedAtAfterARunThatWasKilled) {
  open();
  write({{"f", "x"}});
  ASSERT_TRUE(add('x'));
  m_store.reset();
  EXPECT_TRUE(looks(20'000));
}

TEST_F(ResultStoreTest, TellsWhatItHasRecordsFirst) {
  const auto nothing = ResultStore::contents(m_folder.path());
  EXPECT_TRUE(nothing.folders.empty());
  EXPECT_EQ(nothing.records, 0U);
  EXPECT_EQ(nothing.used, std::chrono::system_clock::time_point());
  write({{"a", "1"}});
  ASSERT_TRUE(add('a'));
  write({{"a", "1"}, {"b", "1"}});
  ASSERT_TRUE(add('b'));
  set_age(record('a'), 100);
  set_age(record('b'), 200);
  const auto contents = ResultStore::contents(m_folder.path());
  EXPECT_EQ(contents.records, 2U);
  ASSERT_EQ(contents.folders.size(), 3U);
  EXPECT_EQ(contents.folders[0].parent_path(), m_folder.path() / "results/datums");
  EXPECT_EQ(contents.folders[1].parent_path(), m_folder.path() / "results/datums");
  EXPECT_EQ(contents.folders[2].parent_path(), m_folder.path() / "results/objects");
  const auto age = std::chrono::system_clock::now() - contents.used;
  EXPECT_GE(age, std::chrono::seconds(99));
  EXPECT_LE(age, std::chrono::seconds(150));
}

TEST_F(ResultStoreTest, IsNobodysAloneWhileItIsOpen) {
  EXPECT_FALSE(ResultStore::try_lock_alone(m_folder.path()).value().held());
  m_store.reset();
  EXPECT_TRUE(ResultStore::try_lock_alone(m_folder.path()).value().held());
  const auto fresh = m_folder.path() / "fresh";
  EXPECT_TRUE(ResultStore::try_lock_alone(fresh).value().held());
  EXPECT_TRUE(fs::is_directory(ResultStore::folder_in(fresh)));
}

}  // namespace
}  // namespace local
