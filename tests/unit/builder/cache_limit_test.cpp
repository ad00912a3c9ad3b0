// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/store/cache_limit.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/filesystem/operations.hpp>
#include <chrono>
#include <ctime>
#include <optional>

#include "../variables_of_program.h"
#include "base/text.h"
#include "builder-runtime/store/bundle_store.h"
#include "cache/builder_cache.h"
#include "contract/build_record.h"
#include "contract/layout.h"
#include "log.h"
#include "process/child.h"

namespace builder {
namespace {

namespace fs = base::fs;

constexpr std::uint64_t k_mebibyte = 1 << 20;
constexpr time_t k_hour = 3600;

class CacheLimit : public testing::Test {
 protected:
  CacheLimit() { begin(); }

  // A new build, which uses the cache from now on.
  void begin() { m_use.emplace(CacheUse::begin(m_folder.path()).value()); }
  // After it has added so much that the cache is looked at.
  void shrink(std::uint64_t limit) { count(limit, std::uint64_t{1} << 60); }
  void count(std::uint64_t limit, std::uint64_t bytes) {
    ASSERT_TRUE(std::move(*m_use).shrink(limit, {{.bytes = bytes}}));
    begin();
  }

  static void set_age(const fs::path& path, time_t age) {
    const timespec then{::time(nullptr) - age, 0};
    const std::array<timespec, 2> times = {then, then};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times.data(), 0), 0);
  }

  // Each is of 1 MiB.
  fs::path add_environment(const std::string& name, time_t age) {
    const fs::path path = m_folder.path() / "env" / name;
    EXPECT_TRUE(base::make_folders(path / "bin"));
    EXPECT_TRUE(base::write_file(path / "bin" / "program", std::string(k_mebibyte, 'x')));
    set_age(path, age);
    return path;
  }
  fs::path add_bytecode(const std::string& name, time_t age) {
    const fs::path path = m_folder.path() / "python" / "bytecode" / name;
    EXPECT_TRUE(base::make_folders(path.parent_path()));
    EXPECT_TRUE(base::write_file(path, std::string(k_mebibyte, 'x')));
    set_age(path, age);
    return path;
  }
  fs::path add_bundle(const std::string& key, time_t age, std::uint64_t unpacked = 0) {
    const fs::path path = m_folder.path() / "go" / "bundles" / key;
    EXPECT_TRUE(base::make_folders(path));
    contract::BuildRecord record;
    record.bundles = {{.file = "bundle", .digest = "of-" + key, .unpacked_bytes = unpacked, .files = 1}};
    EXPECT_TRUE(base::write_file(path / "build.json", contract::to_json(record)));
    EXPECT_TRUE(base::write_file(path / "bundle", std::string(k_mebibyte, 'x')));
    EXPECT_TRUE(base::write_file(caches::stamp_of_bundle(path), "seal"));
    set_age(caches::stamp_of_bundle(path), age);
    return path;
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "cache.").value();
  std::optional<CacheUse> m_use;
};

// worker-shim keeps a seal in the time of modification.
TEST_F(CacheLimit, MarkingASealedEnvironmentLeavesItsSealAlone) {
  const auto sealed = add_environment("a", 5 * k_hour);
  const auto other = add_environment("b", 5 * k_hour);
  ASSERT_EQ(::chmod(sealed.c_str(), 0755 | contract::k_sealed_bit), 0);
  struct stat before{};
  ASSERT_EQ(::stat(sealed.c_str(), &before), 0);
  caches::mark_used(sealed);
  caches::mark_used(other);
  struct stat after{};
  ASSERT_EQ(::stat(sealed.c_str(), &after), 0);
  EXPECT_EQ(after.st_mtim.tv_sec, before.st_mtim.tv_sec);
  ASSERT_EQ(::stat(other.c_str(), &after), 0);
  EXPECT_GT(after.st_mtim.tv_sec, before.st_mtim.tv_sec);
}

TEST_F(CacheLimit, TheLeastRecentlyUsedGoUntilTheRestFits) {
  const auto bundle = add_bundle("a", 5 * k_hour);
  const auto environment = add_environment("b", 4 * k_hour);
  const auto bytecode = add_bytecode("c", 3 * k_hour);
  const auto newer = add_bundle("d", 2 * k_hour);
  shrink(5 * k_mebibyte);
  EXPECT_TRUE(fs::exists(bundle));
  shrink(3 * k_mebibyte + k_mebibyte / 2);
  EXPECT_FALSE(fs::exists(bundle));
  EXPECT_TRUE(fs::exists(environment));
  shrink(2 * k_mebibyte + k_mebibyte / 2);
  EXPECT_FALSE(fs::exists(environment));
  EXPECT_TRUE(fs::exists(bytecode));
  shrink(1);
  EXPECT_FALSE(fs::exists(bytecode));
  EXPECT_FALSE(fs::exists(newer));
  // Nothing is left of what went.
  EXPECT_TRUE(fs::is_empty(m_folder.path() / "work"));
}

TEST_F(CacheLimit, WhatIsAddedIsCountedUntilTheCacheHasToBeLookedAt) {
  const auto oldest = add_bundle("a", 5 * k_hour);
  shrink(4 * k_mebibyte);  // leaves room for one and a half
  for (const auto* name : {"b", "c", "d", "e"}) add_bundle(name, 4 * k_hour);
  count(4 * k_mebibyte, k_mebibyte);
  EXPECT_TRUE(fs::exists(oldest));
  count(4 * k_mebibyte, k_mebibyte);
  EXPECT_FALSE(fs::exists(oldest));
  // Nothing is left to be added now.
  const auto other = add_bundle("f", 6 * k_hour);
  count(4 * k_mebibyte, k_mebibyte);
  EXPECT_FALSE(fs::exists(other));
}

TEST_F(CacheLimit, AnotherLimitCountsAtOnce) {
  const auto bundle = add_bundle("a", k_hour);
  shrink(20 * k_mebibyte);
  count(1, 0);
  EXPECT_FALSE(fs::exists(bundle));
}

TEST_F(CacheLimit, NoLimitRemovesNothing) {
  const auto bundle = add_bundle("a", 5 * k_hour);
  shrink(0);
  EXPECT_TRUE(fs::exists(bundle));
}

TEST_F(CacheLimit, WhatWasUsedSinceTheBuildBeganStays) {
  const auto old = add_bundle("a", k_hour);
  const auto used = add_bundle("b", k_hour);
  caches::mark_used(caches::stamp_of_bundle(used));
  shrink(1);
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(used));
}

TEST_F(CacheLimit, TheLockOfAKeyGoesWithItsBundle) {
  add_bundle("a", k_hour);
  const fs::path lock = m_folder.path() / "go" / "locks" / "a";
  ASSERT_TRUE(base::make_folders(lock.parent_path()));
  ASSERT_TRUE(base::write_file(lock, ""));
  shrink(1);
  EXPECT_FALSE(fs::exists(lock));
}

TEST_F(CacheLimit, WhileAnotherBuildRunsNothingGoes) {
  const auto bundle = add_bundle("a", k_hour);
  {
    const auto other = CacheUse::begin(m_folder.path()).value();
    shrink(1);
    EXPECT_TRUE(fs::exists(bundle));
  }
  shrink(1);
  EXPECT_FALSE(fs::exists(bundle));
}

TEST_F(CacheLimit, AnEnvironmentThatAProcessHasStays) {
  // A name of this run only: the same test of another run on this machine has a process as well.
  const std::string name = m_folder.path().filename().string();
  const auto environment = add_environment(name, k_hour);
  {
    const auto program = process::Child::start(
        {.arguments = {"/bin/sleep", "60"}, .environment = {{"PACHBUILD_ENV", "/other/name/" + name}}});
    ASSERT_TRUE(program);
    ASSERT_TRUE(wait_for_variables(program->pid()));
    shrink(1);
    EXPECT_TRUE(fs::exists(environment));
  }
  shrink(1);
  EXPECT_FALSE(fs::exists(environment));
}

TEST_F(CacheLimit, AnEnvironmentOfTheLastMinutesWaitsForItsFirstDatum) {
  const auto recent = add_environment("a", 60);
  const auto bundle = add_bundle("b", 60);
  shrink(1);
  EXPECT_TRUE(fs::exists(recent));
  EXPECT_FALSE(fs::exists(bundle));
}

TEST_F(CacheLimit, UnfinishedEnvironmentsAreTheShims) {
  const auto unfinished = add_environment(".tmp-abc", k_hour);
  shrink(1);
  EXPECT_TRUE(fs::exists(unfinished));
}

TEST_F(CacheLimit, TheSizeOfAnEnvironmentIsTakenFromItsBundlesRecord) {
  // So it need not be looked at, file by file.
  const auto environment = add_environment("of-a", 2 * k_hour);
  add_bundle("a", k_hour, 100 * k_mebibyte);
  shrink(50 * k_mebibyte);
  EXPECT_FALSE(fs::exists(environment));
}

TEST_F(CacheLimit, AFileOfSeveralEntriesCountsOnceAndGoesWithTheLast) {
  const auto first = add_bundle("first", 4 * k_hour);
  const auto last = add_bundle("last", 3 * k_hour);
  const auto other = add_bundle("other", 2 * k_hour);
  ASSERT_TRUE(base::remove_tree(last / "bundle"));
  ASSERT_EQ(::link((first / "bundle").c_str(), (last / "bundle").c_str()), 0);
  shrink(2 * k_mebibyte + k_mebibyte / 10);
  EXPECT_TRUE(fs::exists(first));
  shrink(2 * k_mebibyte - k_mebibyte / 10);
  EXPECT_FALSE(fs::exists(first));
  EXPECT_FALSE(fs::exists(last));
  EXPECT_TRUE(fs::exists(other));
}

// Times have the fraction of a second here.
TEST_F(CacheLimit, WhatMayGoWasUsedBeforeTheBuildByMoreThanATick) {
  const auto set_used = [](const fs::path& path, std::chrono::system_clock::time_point used) {
    const auto since = used.time_since_epoch();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
    const timespec time{seconds.count(), std::chrono::nanoseconds(since - seconds).count()};
    const std::array<timespec, 2> times = {time, time};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times.data(), 0), 0);
  };
  using std::chrono::milliseconds;
  const auto old = add_bundle("a", k_hour);
  const auto recent = add_bundle("b", k_hour);
  const auto unused = add_environment("c", k_hour);
  const auto waiting = add_environment("d", k_hour);
  const auto before = std::chrono::system_clock::now();
  begin();
  const auto after = std::chrono::system_clock::now();
  constexpr auto k_grace = std::chrono::minutes(10);
  set_used(caches::stamp_of_bundle(old), before - milliseconds(1100));
  set_used(caches::stamp_of_bundle(recent), after - milliseconds(900));
  set_used(unused, before - k_grace - milliseconds(1100));
  set_used(waiting, after - k_grace + std::chrono::seconds(100));
  shrink(1);
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(recent));
  EXPECT_FALSE(fs::exists(unused));
  EXPECT_TRUE(fs::exists(waiting));
}

TEST_F(CacheLimit, WhatFitsExactlyStays) {
  const auto bytecode = add_bytecode("a", k_hour);
  const auto newer = add_bytecode("b", k_hour / 2);
  shrink(2 * k_mebibyte);
  EXPECT_TRUE(fs::exists(bytecode));
  shrink(2 * k_mebibyte - 1);
  EXPECT_FALSE(fs::exists(bytecode));
  EXPECT_TRUE(fs::exists(newer));
}

TEST(CacheLimitSizes, AreBytesOrHaveAUnit) {
  EXPECT_EQ(base::parse_size("0"), 0U);
  EXPECT_EQ(base::parse_size("17"), 17U);
  EXPECT_EQ(base::parse_size("5KiB"), 5U << 10);
  EXPECT_EQ(base::parse_size(" 500 MiB "), 500U << 20);
  EXPECT_EQ(base::parse_size("20GiB"), std::uint64_t{20} << 30);
  EXPECT_EQ(base::parse_size("2TiB"), std::uint64_t{2} << 40);
  for (const auto* text :
       {"", "GiB", "20GB", "20 G", "-1", "1.5GiB", "1GiB1", "99999999TiB", "99999999999999999999"}) {
    EXPECT_EQ(base::parse_size(text), std::nullopt) << text;
  }
}

TEST(CacheLimitSizes, WithoutTheVariableItIs20GiB) {
  EXPECT_EQ(cache_limit({}).value(), std::uint64_t{20} << 30);
  EXPECT_EQ(cache_limit({{"PACHBUILD_CACHE_LIMIT", "0"}}).value(), 0U);
}

// What is counted of a bundle that is added: its file, and its environment twice (once as bytecode).
TEST_F(CacheLimit, ABundleTakesRoomAsAFileAndAsAnEnvironment) {
  constexpr std::uint64_t k_limit = 100 * k_mebibyte;
  constexpr std::uint64_t k_overhead = 2048;
  const auto room = [&] { return base::read_file(m_folder.path() / "room").value_or(""); };
  shrink(k_limit);
  EXPECT_EQ(room(), std::to_string(k_limit) + " " + std::to_string(k_limit / 2)) << "half of what is left";
  ASSERT_TRUE(std::move(*m_use).shrink(k_limit, {{.bytes = 1000, .unpacked_bytes = 500, .files = 3},
                                                 {.bytes = 10, .unpacked_bytes = 0, .files = 0}}));
  begin();
  const auto taken = 1000 + 2 * (500 + 3 * k_overhead) + 10;
  EXPECT_EQ(room(), std::to_string(k_limit) + " " + std::to_string(k_limit / 2 - taken));
}

TEST_F(CacheLimit, ARoomThatDoesNotSayItIsLookedAtAgain) {
  const auto old = [&] { return add_bundle("a", k_hour); };
  const std::string limit = std::to_string(k_mebibyte / 2);
  for (const std::string& text :
       std::vector<std::string>{"", "x", limit, limit + " 100 100", limit + " x", "1 100", limit + " 99"}) {
    const auto bundle = old();
    ASSERT_TRUE(base::write_file(m_folder.path() / "room", text));
    count(k_mebibyte / 2, 100);
    EXPECT_FALSE(fs::exists(bundle)) << text;
  }
  const auto bundle = old();
  ASSERT_TRUE(base::write_file(m_folder.path() / "room", limit + " 100"));
  count(k_mebibyte / 2, 100);
  EXPECT_TRUE(fs::exists(bundle)) << "it is within what is known to be free";
  EXPECT_EQ(base::read_file(m_folder.path() / "room").value_or(""), limit + " 0");
}

TEST_F(CacheLimit, OfTheSameAgeTheFirstByNameGoes) {
  const auto b = add_bytecode("b", k_hour);
  const auto a = add_bytecode("a", k_hour);
  set_age(a, k_hour);
  const timespec then[] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
  for (const auto& path : {a, b}) ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), then, 0), 0);
  shrink(k_mebibyte);
  EXPECT_FALSE(fs::exists(a));
  EXPECT_TRUE(fs::exists(b));
}

TEST_F(CacheLimit, ABundleWithoutItsStampIsTheOldest) {
  const auto unknown = add_bundle("b", k_hour);
  const auto known = add_bundle("a", 100 * k_hour);
  fs::remove(caches::stamp_of_bundle(unknown));
  shrink(k_mebibyte + k_mebibyte / 2);
  EXPECT_FALSE(fs::exists(unknown));
  EXPECT_TRUE(fs::exists(known));
}

TEST_F(CacheLimit, WhatIsRemovedIsTold) {
  add_bundle("a", k_hour);
  const auto told = [&] {
    LogOfTest log;
    shrink(1);
    return log.end();
  };
  const auto said = told();
  EXPECT_NE(said.find("cache: removed the least recently used 1.0 MiB\n"), std::string::npos) << said;
  EXPECT_EQ(told(), "") << "nothing is left";
}

TEST_F(CacheLimit, ASealedEnvironmentIsAsOldAsItsStatus) {
  const auto sealed = add_environment("a", 5 * k_hour);
  ASSERT_EQ(::chmod(sealed.c_str(), 0755 | contract::k_sealed_bit), 0);
  shrink(1);
  EXPECT_TRUE(fs::exists(sealed)) << "its status changed just now";
  const auto file = m_folder.path() / "python" / "bytecode" / "b";
  add_bytecode("b", 5 * k_hour);
  ASSERT_EQ(::chmod(file.c_str(), 0755 | contract::k_sealed_bit), 0);
  shrink(1);
  EXPECT_FALSE(fs::exists(file)) << "only folders are sealed";
}

TEST_F(CacheLimit, TheVariableIsASize) {
  const auto wrong = cache_limit({{"PACHBUILD_CACHE_LIMIT", "much"}});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().where, "PACHBUILD_CACHE_LIMIT");
  EXPECT_EQ(cache_limit({{"PACHBUILD_CACHE_LIMIT", "5MiB"}}).value(), 5 * k_mebibyte);
}

}  // namespace
}  // namespace builder
