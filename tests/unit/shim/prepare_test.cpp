// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/prepare.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>

#include "../steps.h"
#include "archive/bundle.h"
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

}  // namespace
}  // namespace shim
