// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/tools.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <csignal>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/digest.h"

namespace builder {
namespace {

using testing::_;
using testing::Return;

class FakeRunner : public process::Runner {
 public:
  MOCK_METHOD(base::Result<process::Finished>, run, (const process::Command&, const process::ErrorSink&),
              (override));
};

class AskTool : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "tools.").value();
  std::string m_tool = (m_folder.path() / "tool").string();
  FakeRunner m_runner;
  Settings m_settings{.cache = m_folder.path() / "cache"};
  Tools m_tools{m_settings, m_runner};

  void SetUp() override { ASSERT_TRUE(base::write_file(m_tool, "1", 0755)); }

  void answer(const std::string& text, int status = 0) {
    EXPECT_CALL(m_runner, run(_, _))
        .WillOnce(Return(process::Finished{process::Ending::from_wait_status(status), text, ""}));
  }
};

TEST_F(AskTool, TheSameQuestionIsAskedOnce) {
  answer("version 1\n");
  EXPECT_EQ(m_tools.ask({m_tool, "--version"}, {}).value(), "version 1\n");
  EXPECT_EQ(m_tools.ask({m_tool, "--version"}, {}).value(), "version 1\n");
}

TEST_F(AskTool, AnotherQuestionIsAnother) {
  answer("1");
  EXPECT_TRUE(m_tools.ask({m_tool, "a", "b"}, {}));
  answer("2");
  EXPECT_EQ(m_tools.ask({m_tool, "ab"}, {}).value(), "2");
}

TEST_F(AskTool, AChangedToolIsAskedAgain) {
  answer("1");
  EXPECT_TRUE(m_tools.ask({m_tool}, {}));
  ASSERT_TRUE(base::write_file(m_tool, "another", 0755));
  answer("2");
  EXPECT_EQ(m_tools.ask({m_tool}, {}).value(), "2");
}

TEST_F(AskTool, AFailureIsNotKept) {
  answer("half", 3 << 8);
  EXPECT_EQ(m_tools.ask({m_tool}, {}).error().what, "does not work: it exited with code 3");
  answer("whole");
  EXPECT_EQ(m_tools.ask({m_tool}, {}).value(), "whole");
}

TEST_F(AskTool, ADamagedNoteIsNone) {
  answer("1");
  EXPECT_TRUE(m_tools.ask({m_tool}, {}));
  const auto note = fs::directory_iterator(m_folder.path() / "cache/tools")->path();
  const auto kept = base::read_file(note).value();
  const auto end = kept.find('\n');
  for (const auto& text :
       {kept + "2", std::string(), kept.substr(0, end), "x" + kept.substr(1), kept.substr(0, end + 1)}) {
    ASSERT_TRUE(base::write_file(note, text));
    answer("3");
    EXPECT_EQ(m_tools.ask({m_tool}, {}).value(), "3") << text;
  }
  EXPECT_EQ(m_tools.ask({m_tool}, {}).value(), "3");
}

TEST_F(AskTool, AScriptIsAskedEachTimeWithTheEnvironmentOfTools) {
  ASSERT_TRUE(base::write_file(m_tool, "#!/bin/sh\n", 0755));
  m_settings.environment = {{"HOME", "/home/me"}, {"LANG", "x"}};
  const Tools tools(m_settings, m_runner);
  process::Command command;
  EXPECT_CALL(m_runner, run(_, _)).Times(2).WillRepeatedly([&](const auto& called, const auto& /*sink*/) {
    command = called;
    return process::Finished{process::Ending::from_wait_status(0), "1", ""};
  });
  EXPECT_TRUE(tools.ask({m_tool}, {{"HOME", "/"}, {"A", "b"}}, m_folder.path()));
  EXPECT_TRUE(tools.ask({m_tool}, {{"HOME", "/"}, {"A", "b"}}, m_folder.path()));
  EXPECT_EQ(process::value_of(command.environment, "HOME"), "/home/me");
  EXPECT_EQ(process::value_of(command.environment, "A"), "b");
  EXPECT_EQ(command.folder, m_folder.path());
}

TEST_F(AskTool, AProgramGetsTheGivenEnvironmentOnlyAndDiesWithUs) {
  process::Command command;
  EXPECT_CALL(m_runner, run(_, _)).WillOnce([&](const auto& called, const auto& /*sink*/) {
    command = called;
    return process::Finished{process::Ending::from_wait_status(0), "1", ""};
  });
  EXPECT_TRUE(m_tools.ask({m_tool}, {{"A", "b"}}, m_folder.path()));
  EXPECT_EQ(command.environment, (process::Environment{{"A", "b"}}));
  EXPECT_EQ(command.folder, "/");
  EXPECT_EQ(command.orphan_signal, SIGKILL);
  EXPECT_TRUE(command.ends_its_group);
}

TEST_F(AskTool, OnlyAFailureSaysThatADiskIsFull) {
  const auto run = [&](int status, const std::string& errors) {
    EXPECT_CALL(m_runner, run(_, _))
        .WillOnce(Return(process::Finished{process::Ending::from_wait_status(status), "", errors}));
    const auto finished = m_tools.run({.arguments = {m_tool}});
    return finished ? "none" : finished.error().what;
  };
  EXPECT_EQ(run(1 << 8, "other"), "none");
  EXPECT_EQ(run(0, "No space left on device"), "none");
  EXPECT_NE(run(1 << 8, "error: NO SPACE left on device (os error 28)"), "none");
}

TEST_F(AskTool, AFilterSeesWholeLines) {
  std::vector<std::string> lines;
  EXPECT_CALL(m_runner, run(_, _)).WillOnce([&](const auto& /*command*/, const auto& sink) {
    for (const std::string piece : {"a", "b\nc", "\n\nlast"}) sink(piece);
    return process::Finished{process::Ending::from_wait_status(0), "", ""};
  });
  testing::internal::CaptureStderr();
  const auto filter = [&](std::string_view line) -> std::optional<std::string> {
    lines.emplace_back(line);
    if (line == "c") return std::nullopt;
    return "<" + std::string(line) + ">";
  };
  EXPECT_TRUE(m_tools.run({.arguments = {m_tool}}, filter));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "<ab>\n<>\n<last>\n");
  EXPECT_EQ(lines, (std::vector<std::string>{"ab", "c", "", "last"}));
}

TEST_F(AskTool, DigestsAreRemembered) {
  EXPECT_EQ(m_tools.digest_of(m_tool).value(), base::sha256("1"));
  ASSERT_TRUE(base::write_file(m_tool, "2", 0755));
  EXPECT_EQ(m_tools.digest_of(m_tool).value(), base::sha256("2"));
  EXPECT_FALSE(m_tools.digest_of(m_folder.path() / "none"));
}

// The part of a key that a tool is.
class ToolVersion : public AskTool {
 protected:
  void SetUp() override {
    AskTool::SetUp();
    m_settings.environment = {{"PATH", m_folder.path().string()}};
  }
  std::string line(const std::string& name = "tool") {
    const Tools tools(m_settings, m_runner);
    Inputs inputs;
    tools.add_version(name, inputs);
    return inputs.lines();
  }
};

TEST_F(ToolVersion, IsTheFirstLineOfWhatItSays) {
  answer("tool 1.0\nlicence\n");
  EXPECT_EQ(line(), "tool\ttool\ttool 1.0\t" + m_tool + "\n");
  EXPECT_EQ(line(), "tool\ttool\ttool 1.0\t" + m_tool + "\n") << "it is not asked again";
  EXPECT_EQ(line("none"), "");
}

TEST_F(ToolVersion, MayBeSaidOnStandardErrorOrByAFailure) {
  EXPECT_CALL(m_runner, run(_, _))
      .WillOnce(Return(process::Finished{process::Ending::from_wait_status(1 << 8), "", "usage: tool\n"}))
      .WillOnce(Return(process::Finished{process::Ending::from_wait_status(0), "", "tool 2\n"}));
  EXPECT_EQ(line(), "tool\ttool\tusage: tool\t" + m_tool + "\n");
  EXPECT_EQ(line(), "tool\ttool\ttool 2\t" + m_tool + "\n") << "what failed is asked again";
}

TEST_F(ToolVersion, OfAToolThatWasKilledIsAskedOnceMore) {
  EXPECT_CALL(m_runner, run(_, _))
      .WillOnce(Return(process::Finished{process::Ending::from_wait_status(SIGKILL), "", ""}))
      .WillOnce(Return(process::Finished{process::Ending::from_wait_status(0), "tool 3\n", ""}));
  EXPECT_EQ(line(), "tool\ttool\ttool 3\t" + m_tool + "\n");
}

TEST_F(ToolVersion, OfAScriptHasItsTextButTheFirstLine) {
  const auto with = [&](const std::string& text) {
    EXPECT_TRUE(base::write_file(m_tool, text, 0755));
    answer("tool 1\n");
    return line();
  };
  const auto one = with("#!/usr/bin/python\nx\n");
  EXPECT_EQ(with("#!/other/python\nx\n"), one);
  EXPECT_NE(with("#!/usr/bin/python\ny\n"), one);
}

// ccache starts the next program of its own name on PATH, rustup one of its toolchains.
TEST_F(ToolVersion, OfALinkIsAskedAgainWhenWhatIsBehindItChanges) {
  const auto path = [&](const std::string& name) { return (m_folder.path() / name).string(); };
  const auto put = [&](const std::string& name, const std::string& text) {
    ASSERT_TRUE(base::make_folders(fs::path(path(name)).parent_path()));
    ASSERT_TRUE(base::write_file(path(name), text, 0755));
  };
  put("real/ccache", "x");
  put("real/rustup", "x");
  put("second/cc", "1");
  put("rust/toolchains/stable/bin/rustc", "1");
  put("rust/settings.toml", "1");
  ASSERT_TRUE(base::make_folders(path("links")));
  fs::create_symlink(path("real/ccache"), path("links/cc"));
  fs::create_symlink(path("real/rustup"), path("links/rustc"));
  m_settings.environment = {{"PATH", path("links") + ":" + path("second")}, {"RUSTUP_HOME", path("rust")}};
  int asked = 0;
  EXPECT_CALL(m_runner, run(_, _)).WillRepeatedly([&](const auto& /*command*/, const auto& /*sink*/) {
    ++asked;
    return process::Finished{process::Ending::from_wait_status(0), "1", ""};
  });
  for (const auto& [name, file] :
       std::vector<std::pair<std::string, std::string>>{{"cc", "second/cc"},
                                                        {"cc", "real/ccache"},
                                                        {"rustc", "rust/toolchains/stable/bin/rustc"},
                                                        {"rustc", "rust/settings.toml"},
                                                        {"rustc", "rust/toolchains/nightly/bin/rustc"}}) {
    line(name);
    asked = 0;
    line(name);
    EXPECT_EQ(asked, 0) << file;
    put(file, "changed");
    line(name);
    EXPECT_EQ(asked, 1) << file;
  }
  asked = 0;
  m_settings.environment["RUSTUP_TOOLCHAIN"] = "nightly";
  line("rustc");
  EXPECT_EQ(asked, 1) << "another toolchain";
}

TEST_F(AskTool, EachFieldOfAQuestionIsAPart) {
  for (const auto& question : std::vector<std::vector<std::string>>{{m_tool}, {m_tool, ""}, {m_tool, "a"}}) {
    answer(std::to_string(question.size()));
    EXPECT_EQ(m_tools.ask(question, {}).value(), std::to_string(question.size()));
  }
}

// Whatever the file system says of a file is a part of its identity.
TEST_F(AskTool, AToolWithAnotherTimeIsAskedAgain) {
  answer("1");
  EXPECT_TRUE(m_tools.ask({m_tool}, {}));
  std::string next = "1";
  for (const auto& time : std::vector<timespec>{{100, 0}, {101, 0}, {101, 9}}) {
    const timespec times[] = {time, time};
    ASSERT_EQ(::utimensat(AT_FDCWD, m_tool.c_str(), times, 0), 0);
    next += "x";
    answer(next);
    EXPECT_EQ(m_tools.ask({m_tool}, {}).value(), next);
    EXPECT_EQ(m_tools.ask({m_tool}, {}).value(), next);
  }
  fs::remove(m_tool);
  const auto gone = m_tools.ask({m_tool}, {});
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().where, m_tool);
  EXPECT_EQ(gone.error().what, "cannot read: no such file or folder");
}

TEST_F(AskTool, IsRunInTheRootWithItsEnvironment) {
  process::Command command;
  EXPECT_CALL(m_runner, run(_, _)).WillRepeatedly([&](const auto& called, const auto& /*sink*/) {
    command = called;
    return process::Finished{process::Ending::from_wait_status(0), "1", ""};
  });
  EXPECT_TRUE(m_tools.ask({m_tool, "a"}, {{"A", "b"}}, "/tmp"));
  EXPECT_EQ(command.arguments, (std::vector<std::string>{m_tool, "a"}));
  EXPECT_EQ(command.environment, (process::Environment{{"A", "b"}}));
  EXPECT_EQ(command.folder, "/");
  ASSERT_TRUE(base::write_file(m_tool, "#!/bin/sh\n", 0755));
  EXPECT_TRUE(m_tools.ask({m_tool, "a"}, {{"A", "b"}}, "/tmp"));
  EXPECT_EQ(command.environment.at("A"), "b");
  EXPECT_EQ(command.environment.at("LC_ALL"), "C.UTF-8");
  EXPECT_EQ(command.folder, "/tmp");
}

TEST_F(AskTool, ScriptsAreKnownByTheirFirstTwoBytes) {
  EXPECT_CALL(m_runner, run(_, _)).WillRepeatedly([&](const auto& /*command*/, const auto& /*sink*/) {
    return process::Finished{process::Ending::from_wait_status(0), "1", ""};
  });
  for (const auto& [text, is_script] : std::map<std::string, bool>{{"#!/bin/sh\nx\n", true},
                                                                   {"#!", true},
                                                                   {"# !/bin/sh\n", false},
                                                                   {"!#", false},
                                                                   {"#", false},
                                                                   {"", false},
                                                                   {"x#!", false}}) {
    ASSERT_TRUE(base::write_file(m_tool, text, 0755));
    EXPECT_EQ(Tools::identity(m_tool, "1") != "1", is_script) << text;
  }
  EXPECT_EQ(Tools::identity("/no/such/tool", "1"), "1");
  ASSERT_TRUE(base::write_file(m_tool, "#!/bin/sh\nx\n", 0755));
  EXPECT_EQ(Tools::identity(m_tool, "1").substr(0, 10), "1, script ");
}

TEST_F(AskTool, IsFoundOnPathOrAnError) {
  m_settings.environment = {{"PATH", "/nowhere:" + m_folder.path().string()}};
  const Tools tools(m_settings, m_runner);
  EXPECT_EQ(tools.find("tool", "install it").value(), m_tool);
  const auto missing = tools.find("other", "install it");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, base::ErrorKind::unavailable);
  EXPECT_EQ(missing.error().where, "other");
  EXPECT_EQ(missing.error().what, "is not on PATH");
  EXPECT_EQ(missing.error().hint, "install it");
}

TEST_F(AskTool, WhatItSaysIsShownWithoutPasswords) {
  const auto shown = [&](const std::vector<std::string>& pieces, const Tools::LineFilter& filter) {
    EXPECT_CALL(m_runner, run(_, _)).WillOnce([&](const auto& /*command*/, const auto& sink) {
      for (const auto& piece : pieces) sink(piece);
      return process::Finished{process::Ending::from_wait_status(0), "", ""};
    });
    testing::internal::CaptureStderr();
    EXPECT_TRUE(m_tools.run({.arguments = {m_tool}}, filter));
    return testing::internal::GetCapturedStderr();
  };
  EXPECT_EQ(shown({"at https://me:sec", "ret@host/x\nnext"}, {}), "at https://me:***@host/x\nnext");
  EXPECT_EQ(shown({"https://me:secret@host"}, {}), "https://me:***@host");
  const Tools::LineFilter same = [](std::string_view line) { return std::optional(std::string(line)); };
  EXPECT_EQ(shown({"\n", "a", "b\n\nc"}, same), "\nab\n\nc\n");
  EXPECT_EQ(shown({}, same), "");
  EXPECT_EQ(shown({"a\n"}, [](std::string_view) { return std::optional<std::string>(); }), "");
}

TEST_F(AskTool, AFullDiskIsNamed) {
  EXPECT_CALL(m_runner, run(_, _))
      .WillOnce(Return(
          process::Finished{process::Ending::from_wait_status(1 << 8), "", "x: No space left on device\n"}));
  const auto full = m_tools.run({.arguments = {m_tool}});
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().kind, base::ErrorKind::cannot_write);
  EXPECT_EQ(full.error().what.find("cannot write: no space left on the disk of "), 0U) << full.error().what;
  const std::vector<std::string> folders = {m_settings.cache.string(), m_settings.out.string(), "/tmp"};
  EXPECT_NE(std::find(folders.begin(), folders.end(), full.error().where), folders.end())
      << full.error().where;
  EXPECT_CALL(m_runner, run(_, _))
      .WillOnce(Return(
          process::Finished{process::Ending::from_wait_status(1 << 8), "no space left on device", ""}));
  EXPECT_TRUE(m_tools.run({.arguments = {m_tool}})) << "its output may be about anything";
}

TEST_F(AskTool, IsRunQuietlyInAGroupOfItsOwn) {
  process::Command command;
  bool has_sink = true;
  EXPECT_CALL(m_runner, run(_, _)).WillOnce([&](const auto& called, const auto& sink) {
    command = called;
    has_sink = static_cast<bool>(sink);
    return process::Finished{process::Ending::from_wait_status(0), "", ""};
  });
  EXPECT_TRUE(m_tools.run_quietly({.arguments = {m_tool}}));
  EXPECT_EQ(command.orphan_signal, SIGKILL);
  EXPECT_TRUE(command.ends_its_group);
  EXPECT_FALSE(has_sink);
}

TEST_F(ToolVersion, OfAToolThatIsKilledTwiceIsNothing) {
  EXPECT_CALL(m_runner, run(_, _))
      .Times(2)
      .WillRepeatedly(Return(process::Finished{process::Ending::from_wait_status(SIGKILL), "", ""}));
  EXPECT_EQ(line(), "tool\ttool\t\t" + m_tool + "\n");
}

TEST_F(ToolVersion, APathIsShownByItsName) {
  answer("\n tool 1 \nmore\n");
  EXPECT_EQ(line(m_tool), "tool\ttool\t\t" + m_tool + "\n") << "its first line is empty";
}

TEST_F(ToolVersion, WhatCannotBeRunCannotBeAsked) {
  EXPECT_CALL(m_runner, run(_, _)).WillOnce([](const auto& /*command*/, const auto& /*sink*/) {
    return base::Result<process::Finished>(base::fail(base::ErrorKind::io, "tool", "cannot be started"));
  });
  EXPECT_EQ(line(), "tool\ttool\tcannot be asked\t" + m_tool + "\n");
}

}  // namespace
}  // namespace builder
