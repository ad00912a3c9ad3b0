// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cluster/source_repo.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/time_text.h"
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

// An upload's steps, one after the other.
base::Status send_source(const Pachctl& pachctl, const std::string& repo, const StoredSource& stored,
                         const Changes& changes, const std::vector<source::SourceFile>& files) {
  BASE_TRY_ASSIGN(auto upload, Upload::prepare(pachctl, repo, stored, changes, files));
  if (upload.has_parent()) BASE_TRY(upload.make_branch(pachctl, "v"));
  BASE_TRY(upload.start(pachctl, "v"));
  SideBySide calls;
  upload.send(calls, pachctl);
  return calls.run();
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
  for (const std::string moment : {"create branch", "start commit", "put file"}) {
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
    return "pachbuild-upload-" + std::to_string(base::seconds_now() - age) + "-x";
  };
  const auto old = name(25 * 3600);
  answers.answers["list branch"] = branch(name(10)) + branch(name(60)) + branch(name(3600)) +
                                   branch(name(23 * 3600)) + branch(old) + branch("mine");
  EXPECT_EQ(read_branches(pachctl(), "p_source").value().leftovers, std::vector<std::string>{old});
}

TEST_F(SourceRepo, ADayIsNotOverAtItsLastSecond) {
  for (std::int64_t now = 0; now != base::seconds_now();) {
    now = base::seconds_now();
    const auto last = "pachbuild-upload-" + std::to_string(now - 24L * 3600) + "-x";
    const auto over = "pachbuild-upload-" + std::to_string(now - 24L * 3600 - 1) + "-x";
    answers.answers["list branch"] = branch(last) + branch(over);
    const auto leftovers = read_branches(pachctl(), "p_source").value().leftovers;
    if (now == base::seconds_now()) {
      EXPECT_EQ(leftovers, std::vector<std::string>{over});
    }
  }
}

TEST_F(SourceRepo, ADescriptionIsShorterThanAHundredThousandBytes) {
  const auto size_with = [&](std::size_t digest) {
    StoredSource stored;
    stored.files["f"] = {1, "h", std::string(digest, 'a')};
    std::size_t size = 0;
    send(stored, {}, {file("f")}, [&](const auto& words) {
      if (const auto text = value_after(words, "--description"); !text.empty()) size = text.size();
    });
    return size;
  };
  const std::size_t room = 99'999 - (size_with(1) - 1);
  EXPECT_EQ(size_with(room), 99'999U);
  EXPECT_LT(size_with(room + 1), 100U);
}

// Says no to the calls that begin in one way, and notes all.
TEST_F(SourceRepo, WhatFailsWhileItIsSentEndsIt) {
  class Refusing final : public process::Runner {
   public:
    base::Result<process::Finished> run(const process::Command& command,
                                        const process::ErrorSink& /*sink*/) override {
      calls.push_back(command.arguments.at(1) + " " + command.arguments.at(2));
      const int code = calls.back() == failing ? 256 : 0;
      return process::Finished{process::Ending::from_wait_status(code), "id\n", "refused"};
    }
    std::string failing;
    std::vector<std::string> calls;
  } refusing;
  using Calls = std::vector<std::string>;
  ASSERT_TRUE(base::write_file(folder.path() / "f", "new"));
  StoredSource stored;
  stored.commit = "before";
  Changes changes;
  changes.removed = {"x", "y"};
  changes.sent = {file("f")};
  const Calls all = {"create branch", "start commit", "put file", "delete file", "delete file"};
  const auto found = Pachctl::find({}, folder.path() / "scratch", refusing).value();
  ASSERT_TRUE(send_source(found, "r", stored, changes, {file("f")}));
  EXPECT_EQ(refusing.calls, all);
  for (const std::size_t failing : {0U, 1U, 2U, 3U}) {
    refusing.calls.clear();
    refusing.failing = all[failing];
    const auto sent = send_source(found, "r", stored, changes, {file("f")});
    ASSERT_FALSE(sent) << all[failing];
    EXPECT_EQ(sent.error().where + ": " + sent.error().what, "pachctl " + all[failing] + ": refused");
    EXPECT_EQ(refusing.calls, Calls(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(failing) + 1));
  }
  // A file that is gone: nothing is begun.
  refusing.calls.clear();
  refusing.failing.clear();
  changes.sent = {file("none")};
  EXPECT_FALSE(send_source(found, "r", stored, changes, {file("f")}));
  EXPECT_EQ(refusing.calls, Calls());
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

TEST_F(SourceRepo, BranchesAreKnownByTheirNames) {
  const auto with_head = [](const std::string& name, const std::string& head) {
    return json{{"branch", {{"name", name}}}, {"head", {{"id", head}}}}.dump();
  };
  const auto recent = "pachbuild-upload-" + std::to_string(base::seconds_now()) + "-x";
  answers.answers["list branch"] = with_head("dev", "x") + with_head("master", "h") +
                                   branch("pachbuild-version-1") + with_head("pachbuild-version-2", "v") +
                                   branch(recent) + branch("pachbuild-upload-1-x") +
                                   branch("x-pachbuild-version-") + branch("x-pachbuild-upload-");
  const auto info = [](const json& more) {
    json commit = {{"finishing", "t"},
                   {"description", R"({"by": "pachbuild 1", "pachbuild-digests": {"a": "d", "b": 1}})"}};
    commit.update(more);
    return commit.dump();
  };
  answers.answers["inspect commit"] = info(json::object());
  auto all = read_branches(pachctl(), "p_source").value();
  EXPECT_EQ(all.head, "h");
  EXPECT_TRUE(all.is_finished);
  EXPECT_TRUE(all.is_own);
  EXPECT_FALSE(all.is_deleting);
  EXPECT_EQ(all.digests, (std::map<std::string, std::string>{{"a", "d"}}));
  EXPECT_EQ(all.versions, (std::vector<std::string>{"pachbuild-version-1", "pachbuild-version-2"}));
  EXPECT_EQ(all.heads,
            (std::map<std::string, std::string>{{"pachbuild-version-1", ""}, {"pachbuild-version-2", "v"}}));
  EXPECT_EQ(all.uploads, (std::vector<std::string>{recent, "pachbuild-upload-1-x"}));
  EXPECT_EQ(all.leftovers, std::vector<std::string>{"pachbuild-upload-1-x"});
  for (const std::string description :
       {"", "x", "[]", "{}", R"({"by": 1})", R"({"by": "pachbuildx"})", R"({"by": "me"})",
        R"({"pachbuild-digests": 1})", R"({"pachbuild-digests": "x"})", R"({"pachbuild-digests": ["x"]})",
        R"("by")", R"({"by": "x pachbuild "})"}) {
    answers.answers["inspect commit"] = info({{"description", description}});
    all = read_branches(pachctl(), "p_source").value();
    EXPECT_FALSE(all.is_own) << description;
    EXPECT_TRUE(all.digests.empty()) << description;
  }
  answers.answers["inspect commit"] = R"({"description": ""})";
  EXPECT_FALSE(read_branches(pachctl(), "p_source")->is_finished);
  answers.answers["list branch"] = branch("pachbuild-deleting") + branch("master");
  all = read_branches(pachctl(), "p_source").value();
  EXPECT_TRUE(all.is_deleting);
  EXPECT_EQ(all.head, "");
}

TEST_F(SourceRepo, ForeignCommitsAreThoseThatNobodySigned) {
  const auto commit = [](const std::string& id, const std::string& description) {
    return json{{"commit", {{"id", id}}}, {"description", description}}.dump();
  };
  answers.answers["list commit"] = commit("1", R"({"by": "pachbuild 1"})") + commit("2", "") +
                                   commit("3", "{}") + json{{"commit", {{"id", "4"}}}}.dump();
  EXPECT_EQ(foreign_commits(pachctl(), "r").value(), (std::vector<std::string>{"2", "3", "4"}));
}

TEST_F(SourceRepo, FilesAreThoseOfTheFinishedHead) {
  SourceBranches branches;
  EXPECT_EQ(read_files(pachctl(), "r", branches)->commit, "");
  branches.head = "h";
  const auto open = read_files(pachctl(), "r", branches).error();
  EXPECT_EQ(open.kind, base::ErrorKind::unavailable);
  EXPECT_EQ(
      open.where + ": " + open.what + "; " + open.hint,
      "r@master: has a commit that is not finished; it is still being written to: run `pachctl finish commit "
      "r@master` "
      "when that is done");
  branches.is_finished = true;
  branches.digests = {{"b/c", "digest"}};
  answers.answers["glob file"] =
      R"({"file_type": "FILE", "file": {"path": "/a"}, "size_bytes": "5", "hash": "h"})"
      R"({"file_type": "FILE", "file": {"path": "b/c"}}{"file_type": "DIR", "file": {"path": "/d"}}{})";
  const auto stored = read_files(pachctl(), "r", branches).value();
  EXPECT_EQ(stored.commit, "h");
  ASSERT_EQ(stored.files.size(), 2U);
  EXPECT_EQ(stored.files.at("a").bytes, 5U);
  EXPECT_EQ(stored.files.at("a").hash, "h");
  EXPECT_EQ(stored.files.at("a").sha256, "");
  EXPECT_EQ(stored.files.at("b/c").bytes, 0U);
  EXPECT_EQ(stored.files.at("b/c").sha256, "digest");
}

TEST_F(SourceRepo, AFileIsSentUnlessItIsTheSame) {
  ASSERT_TRUE(base::write_file(folder.path() / "f", "7\n"));
  const auto sent = [&](const StoredFile& stored, const std::string& path = "f") {
    StoredSource source;
    source.files[path] = stored;
    const auto changes = compare(source, {file("f")}).value();
    EXPECT_EQ(changes.sent.size() + changes.kept, 1U);
    EXPECT_EQ(changes.sent_bytes, 2 * changes.sent.size());
    EXPECT_EQ(changes.none(), changes.sent.empty() && changes.removed.empty());
    return !changes.sent.empty();
  };
  const std::string hash = "9Du6i7FrXG9MKWLpH1Uk8gPL80h591roxvNXQ1OoTi0=";  // a pachd of 2.12 gave it
  EXPECT_FALSE(sent({2, hash, ""}));
  EXPECT_TRUE(sent({3, hash, ""}));
  EXPECT_TRUE(sent({2, "other", ""}));
  EXPECT_TRUE(sent({2, hash, ""}, "g"));
  EXPECT_FALSE(sent({2, "other", base::sha256("7\n")}));
  EXPECT_TRUE(sent({2, hash, base::sha256("8\n")}));
  EXPECT_FALSE(compare({}, {file("none")}));
}

TEST_F(SourceRepo, IsSentWholeWhereTooMuchIsRemoved) {
  ASSERT_TRUE(base::write_file(folder.path() / "f", "new"));
  const auto calls = [&](std::size_t removals, bool sends) {
    StoredSource stored;
    stored.commit = "before";
    Changes changes;
    for (std::size_t i = 0; i < removals; ++i)
      changes.removed.push_back("x" + std::to_string(i) + (i == 0 ? "/" : ""));
    if (sends) changes.sent = {file("f")};
    std::vector<std::string> all;
    send(stored, changes, {file("f")}, [&](const auto& words) {
      std::string call = words[1] + " " + words[2];
      if (call == "delete file") call += " " + words[3] + (words.size() > 4 ? " " + words[4] : "");
      if (all.empty() || all.back() != call) all.push_back(call);
    });
    return all;
  };
  using Calls = std::vector<std::string>;
  EXPECT_EQ(calls(2, true),
            (Calls{"create branch", "start commit", "put file", "delete file p_source@id:/x0/ --recursive",
                   "delete file p_source@id:/x1"}));
  EXPECT_EQ(calls(1, false),
            (Calls{"create branch", "start commit", "delete file p_source@id:/x0/ --recursive"}));
  EXPECT_EQ(calls(50, false).size(), 52U);
  EXPECT_EQ(calls(51, false), (Calls{"start commit", "put file"}));
}

TEST_F(SourceRepo, DescribesItsLargeFiles) {
  const auto described = [&](std::size_t size, const StoredSource& stored, bool sends = true) {
    EXPECT_TRUE(base::write_file(folder.path() / "f", std::string(size, 'x')));
    Changes changes;
    if (sends) changes.sent = {file("f")};
    return send(stored, changes, {file("f")}, [](const auto&) {});
  };
  EXPECT_EQ(described(999'999, {}), json::object());
  EXPECT_EQ(described(1'000'000, {}), json({{"f", base::sha256(std::string(1'000'000, 'x'))}}));
  StoredSource stored;
  stored.files["f"] = {1, "h", "known"};
  EXPECT_EQ(described(1, stored, false), json({{"f", "known"}}));
  stored.files["f"].sha256.clear();
  EXPECT_EQ(described(1, stored, false), json::object());
  EXPECT_EQ(described(1, {}, false), json::object());
  // As many as an argument can have.
  std::vector<source::SourceFile> files;
  for (int i = 0; i < 2000; ++i) {
    const auto name = "file" + std::to_string(i);
    files.push_back(file(name));
    stored.files[name] = {1, "h", std::string(64, 'a')};
  }
  std::string description;
  const auto sent = [&](std::size_t count) {
    send(stored, {}, {files.begin(), files.begin() + static_cast<std::ptrdiff_t>(count)},
         [&](const auto& words) {
           if (const auto text = value_after(words, "--description"); !text.empty()) description = text;
         });
    return description.size();
  };
  EXPECT_GT(sent(1000), 75'000U);
  EXPECT_LT(sent(1000), 100'000U);
  EXPECT_LT(sent(2000), 100U);
  EXPECT_EQ(json::parse(description).at("by"), "pachbuild " PACHBUILD_VERSION);
}

TEST(NewVersions, AreDifferentEachTime) {
  const auto version = new_version();
  ASSERT_EQ(version.size(), 18U + 32U);
  EXPECT_TRUE(version.starts_with("pachbuild-version-"));
  EXPECT_EQ(version.find_first_not_of("0123456789abcdef", 18), std::string::npos);
  EXPECT_NE(new_version(), version);
}

TEST(NewVersions, SayWhatTheBuildWasGiven) {
  const std::string inputs(64, 'a');
  const std::string others(64, 'b');
  const auto version = new_version(inputs);
  ASSERT_EQ(version.size(), 18U + 32U + 1U + 32U);
  EXPECT_EQ(version.substr(18 + 32), "-" + std::string(32, 'a'));
  SourceBranches branches;
  EXPECT_FALSE(has_inputs(branches, inputs));
  branches.versions = {version};
  EXPECT_TRUE(has_inputs(branches, inputs));
  EXPECT_FALSE(has_inputs(branches, others));
  branches.versions = {new_version()};
  EXPECT_FALSE(has_inputs(branches, inputs));
  branches.versions = {version, new_version(inputs)};
  EXPECT_FALSE(has_inputs(branches, inputs)) << "of which nobody knows which counts";
}

}  // namespace
}  // namespace cluster
