// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cluster/source_repo.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "pachbuild/cluster/jobs.h"

namespace cluster {
namespace {

using nlohmann::json;
namespace fs = base::fs;

// Stands in for pachctl: every call succeeds and is shown to the test.
class Recorder final : public process::Runner {
 public:
  using Look = std::function<void(const std::vector<std::string>&)>;
  explicit Recorder(Look look) : m_look(std::move(look)) {}
  base::Result<process::Finished> run(const process::Command& command,
                                      const process::ErrorSink& /*sink*/) override {
    m_look(command.arguments);
    return process::Finished{process::Ending::from_wait_status(0), "id\n", ""};
  }

 private:
  Look m_look;
};

std::string value_after(const std::vector<std::string>& words, const std::string& option) {
  const auto found = std::find(words.begin(), words.end(), option);
  return found == words.end() ? "" : *(found + 1);
}

class SendSource : public testing::Test {
 protected:
  SendSource() : folder(base::TemporaryFolder::make(testing::TempDir(), "send-").value()) {
    ::setenv("PACHCTL", "/bin/true", 1);
  }
  ~SendSource() override { ::unsetenv("PACHCTL"); }

  std::string write(const std::string& name, char letter) const {
    const fs::path file = folder.path() / name;
    EXPECT_TRUE(base::write_file(file, std::string(2'000'000, letter), 0644));
    return base::sha256_of_file(file.string()).value();
  }
  [[nodiscard]] source::SourceFile file(const std::string& name) const {
    return {name, folder.path() / name};
  }
  // Sends, and gives the digests that the commit's description has.
  json send(const StoredSource& stored, const Changes& changes, const std::vector<source::SourceFile>& files,
            const Recorder::Look& look) const {
    json digests;
    Recorder recorder([&](const auto& words) {
      const auto description = value_after(words, "--description");
      if (!description.empty()) digests = json::parse(description).value("pachbuild-digests", json::object());
      look(words);
    });
    const auto pachctl = Pachctl::find({}, folder.path() / "scratch", recorder).value();
    EXPECT_TRUE(send_source(pachctl, "p_source", stored, changes, files));
    return digests;
  }

  base::TemporaryFolder folder;
};

TEST_F(SendSource, AFileThatIsSavedAfterItWasFoundUnchangedIsNotRecordedAsSent) {
  const std::string kept = write("kept", 'a');
  const std::string sent = write("sent", 'b');
  StoredSource stored;
  stored.commit = "before";
  stored.files["kept"] = {2'000'000, "", kept};
  const std::vector files{file("kept"), file("sent")};
  const auto changes = compare(stored, files).value();
  ASSERT_EQ(changes.sent.size(), 1U);
  write("kept", 'c');
  EXPECT_EQ(send(stored, changes, files, [](const auto&) {}), json({{"kept", kept}, {"sent", sent}}));
}

TEST_F(SendSource, WhatIsSentIsWhatIsRecordedWheneverTheFileIsSaved) {
  for (const std::string moment : {"create branch", "start commit", "put file", "finish commit"}) {
    write("sent", 'a');
    StoredSource stored;
    stored.commit = "before";
    const std::vector files{file("sent")};
    const auto changes = compare(stored, files).value();
    std::string put;
    const json digests = send(stored, changes, files, [&](const auto& words) {
      if (words[1] + " " + words[2] == moment) write("sent", 'b');
      const auto copies = value_after(words, "--file");
      if (!copies.empty()) put = base::sha256_of_file((fs::path(copies) / "sent").string()).value();
    });
    EXPECT_EQ(digests, json({{"sent", put}})) << moment;
  }
}

// Gives each call the answer that the test has for its first two words.
class Answers final : public process::Runner {
 public:
  base::Result<process::Finished> run(const process::Command& command,
                                      const process::ErrorSink& /*sink*/) override {
    EXPECT_EQ(command.orphan_signal, SIGKILL) << "it must not outlive us";
    const auto& words = command.arguments;
    return process::Finished{process::Ending::from_wait_status(0), answers[words.at(1) + " " + words.at(2)],
                             ""};
  }
  std::map<std::string, std::string> answers;
};

class SourceRepo : public SendSource {
 protected:
  Answers answers;
  [[nodiscard]] Pachctl pachctl() { return Pachctl::find({}, folder.path() / "scratch", answers).value(); }
  static std::string branch(const std::string& name) { return json{{"branch", {{"name", name}}}}.dump(); }
};

TEST_F(SourceRepo, AnUploadIsALeftoverAfterADay) {
  const auto name = [](std::int64_t age) {
    return "pachbuild-upload-" + std::to_string(std::time(nullptr) - age) + "-x";
  };
  const auto old = name(25 * 3600);
  answers.answers["list branch"] = branch(name(10)) + branch(name(60)) + branch(name(3600)) +
                                   branch(name(23 * 3600)) + branch(old) + branch("mine");
  EXPECT_EQ(read_branches(pachctl(), "p_source").value().leftovers, std::vector<std::string>{old});
}

TEST_F(SourceRepo, WhatIsRemovedIsEachFileOrAWholeFolder) {
  StoredSource stored;
  for (const char* path : {"x", "xy", "x.d/a", "x.d/b/c", "kept/a", "kept/b", "z"})
    stored.files[path] = {1, "h", ""};
  ASSERT_TRUE(base::make_folders(folder.path() / "kept"));
  ASSERT_TRUE(base::write_file(folder.path() / "kept/a", "longer"));
  const auto changes = compare(stored, {file("kept/a")}).value();
  EXPECT_EQ(changes.removed, (std::vector<std::string>{"kept/b", "x", "x.d/", "xy", "z"}));
}

TEST_F(SourceRepo, LogLinesAreToldOnce) {
  const auto message = [](const std::string& text, const std::string& time) {
    return json{{"user", true}, {"message", text}, {"ts", time}}.dump();
  };
  LogReader reader(Job{.pipeline = "p", .id = "1"});
  answers.answers["logs --job"] = message("one", "1") + message("one", "2");
  EXPECT_EQ(reader.read(pachctl()).value(), (std::vector<std::string>{"one", "one"}));
  EXPECT_EQ(reader.read(pachctl()).value(), std::vector<std::string>());
  answers.answers["logs --job"] += message("two", "3") + json{{"message", "the worker's own"}}.dump();
  EXPECT_EQ(reader.read(pachctl()).value(), std::vector<std::string>{"two"});
}

}  // namespace
}  // namespace cluster
