// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/install/resolution.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>

namespace builder::python {
namespace {

namespace fs = base::fs;
using Lines = std::vector<std::string>;

// Chooses what the test says.
class FakeUv : public process::Runner {
 public:
  base::Result<process::Finished> run(const process::Command& command,
                                      const process::ErrorSink& /*sink*/) override {
    ++calls;
    const auto option = std::find(command.arguments.begin(), command.arguments.end(), "--output-file");
    if (option != command.arguments.end()) BASE_TRY(base::write_file(*(option + 1), answer));
    return process::Finished{process::Ending::from_wait_status(0), "", ""};
  }
  int calls = 0;
  std::string answer;
};

// A package of an index, as uv writes it.
std::string six_as_uv_writes_it(const std::string& version, const std::string& hash,
                                const std::string& url = "https://host") {
  return "[[packages]]\nname = \"six\"\nversion = \"" + version + "\"\nwheels = [{ url = \"" + url +
         "/six.whl\", upload-time = 2020-01-01T00:00:00Z, hashes = { sha256 = \"" + hash + "\" } }]\n";
}

class Choice : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "choice.").value();
  fs::path m_memory = m_folder.path() / "cache" / "python" / "choices" / "key";
  FakeUv m_uv;
  Settings m_settings{.cache = m_folder.path() / "cache"};
  Tools m_tools{m_settings, m_uv};

  void SetUp() override {
    ASSERT_TRUE(base::make_folders(m_folder.path() / "source"));
    ASSERT_TRUE(base::write_file(m_folder.path() / "source" / "requirements.txt", "six\n"));
  }
  Lines choose() {
    Installation installation{.source = m_folder.path() / "source"};
    installation.manifest.kind = ManifestKind::requirements;
    installation.manifest.files = {"requirements.txt"};
    installation.uv = "/bin/uv";
    installation.configuration.environment = {{"UV_CACHE_DIR", (m_folder.path() / "uv").string()}};
    installation.memory = m_memory;
    const auto resolution = Resolution::make(std::move(installation), m_tools);
    EXPECT_TRUE(resolution) << (resolution ? "" : resolution.error().what);
    return resolution ? (*resolution)->requirements() : Lines{};
  }
};

TEST_F(Choice, IsMadeOnceAndKept) {
  m_uv.answer = six_as_uv_writes_it("1.16.0", "aa");
  const auto first = choose();
  EXPECT_EQ(first, Lines{"six==1.16.0 --hash=sha256:aa"});
  m_uv.answer = six_as_uv_writes_it("1.17.0", "bb");
  EXPECT_EQ(choose(), first);
  EXPECT_EQ(m_uv.calls, 1);
}

TEST_F(Choice, ThatWasTamperedWithIsMadeAgain) {
  m_uv.answer = six_as_uv_writes_it("1.16.0", "aa");
  choose();
  const std::string kept = base::read_file(m_memory).value();
  std::string other = kept;
  other.replace(other.find("1.16.0"), 6, "1.15.0");
  for (const auto& text :
       {other, kept + "\nevil==1", kept.substr(0, kept.size() - 1), kept.substr(kept.find('\n') + 1),
        std::string(64, '0') + kept.substr(64), std::string(), std::string("\n")}) {
    ASSERT_TRUE(base::write_file(m_memory, text));
    m_uv.calls = 0;
    EXPECT_EQ(choose(), Lines{"six==1.16.0 --hash=sha256:aa"}) << text;
    EXPECT_EQ(m_uv.calls, 1) << text;
    EXPECT_EQ(base::read_file(m_memory).value(), kept);
  }
}

TEST_F(Choice, WithCredentialsIsNeitherKeptNorTold) {
  for (const std::string url :
       {"https://me:pl4nted@host", "https://me:p@ss-pl4nted@host", "https://pl4nted@host"}) {
    m_uv.answer = six_as_uv_writes_it("1.16.0", "aa", url);
    m_uv.calls = 0;
    for (const auto& requirement : choose()) EXPECT_EQ(requirement.find("pl4nted"), std::string::npos);
    choose();
    EXPECT_EQ(m_uv.calls, 2) << url;
    for (fs::recursive_directory_iterator entry(m_folder.path()), end; entry != end; ++entry) {
      if (!fs::is_regular_file(entry->path())) continue;
      EXPECT_EQ(base::read_file(entry->path()).value().find("pl4nted"), std::string::npos) << entry->path();
    }
  }
}

}  // namespace
}  // namespace builder::python
