// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/resolution.h"

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
  m_uv.answer = "six==1.16.0 --hash=sha256:aa\n";
  const auto first = choose();
  EXPECT_EQ(first, Lines{"six==1.16.0 --hash=sha256:aa"});
  m_uv.answer = "six==1.17.0 --hash=sha256:bb\n";
  EXPECT_EQ(choose(), first);
  EXPECT_EQ(m_uv.calls, 1);
}

TEST_F(Choice, ThatWasTamperedWithIsMadeAgain) {
  m_uv.answer = "six==1.16.0 --hash=sha256:aa\n";
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
  for (const std::string line :
       {"six @ https://me:pl4nted@host/six.whl", "six @ https://me:p@ss-pl4nted@host/six.whl",
        "--index-url https://pl4nted@host/simple\nsix==1.16.0"}) {
    m_uv.answer = line + "\n";
    m_uv.calls = 0;
    for (const auto& requirement : choose()) EXPECT_EQ(requirement.find("pl4nted"), std::string::npos);
    choose();
    EXPECT_EQ(m_uv.calls, 2) << line;
    for (fs::recursive_directory_iterator entry(m_folder.path()), end; entry != end; ++entry) {
      if (!fs::is_regular_file(entry->path())) continue;
      EXPECT_EQ(base::read_file(entry->path()).value().find("pl4nted"), std::string::npos) << entry->path();
    }
  }
}

}  // namespace
}  // namespace builder::python
