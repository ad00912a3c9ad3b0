// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/check.h"

#include <gnu/libc-version.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <cstdlib>

#include "base/files.h"
#include "base/text.h"
#include "contract/build_record.h"
#include "tests/unit/shim/elf.h"
#include "worker-shim/executable_format.h"
#include "worker-shim/seal.h"

namespace shim {
namespace {

const std::string k_checked_digest(64, 'd');

// Keeps a variable as it was.
class KeptVariable {
 public:
  explicit KeptVariable(const char* name) : m_name(name) {
    if (const char* const value = std::getenv(name)) m_value = value;
  }
  ~KeptVariable() {
    if (m_value) {
      ::setenv(m_name, m_value->c_str(), 1);
    } else {
      ::unsetenv(m_name);
    }
  }
  KeptVariable(const KeptVariable&) = delete;
  KeptVariable& operator=(const KeptVariable&) = delete;

 private:
  const char* m_name;
  std::optional<std::string> m_value;
};

class CheckReport : public testing::Test {
 protected:
  CheckReport() {
    m_record = {.builder = "python",
                .version = "0.9",
                .key = std::string(64, 'k'),
                .platform = {"linux", own_machine(), "glibc 2.2", "cpython-3.11"},
                .bundles = {{"bundle", k_checked_digest, 2048, 10240, 3}},
                .command = {"python3", "/pfs/source/main.py"}};
    ::setenv("PACHBUILD_CACHE_DIR", path("cache").c_str(), 1);
    EXPECT_TRUE(base::make_folders(path("build")));
    write("build/run.sh", "#!/bin/sh\n# interpreter=/comment\n\ninterpreter=" + path("python") + "\n");
    write("build/bundle-" + k_checked_digest + ".tar.zst", "");
    write("python", "#!" + path("none") + "\n");
    put_record();
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (m_folder.path() / name).string(); }
  void write(const std::string& name, const std::string& content, mode_t mode = 0755) const {
    ASSERT_TRUE(base::make_folders(m_folder.path() / base::fs::path(name).parent_path()));
    ASSERT_TRUE(base::write_file(path(name), content, mode));
  }
  void put_record() const { write("build/build.json", contract::to_json(m_record)); }

  // The lines but the first, with TMP for the test's folder, and the exit code.
  std::string report(std::vector<std::string> words = {}, Mode mode = Mode::run_script,
                     const std::string& environment = "") const {
    std::vector<char*> pointers;
    for (auto& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    Invocation invocation;
    invocation.mode = mode;
    invocation.build_folder = path("build");
    invocation.environment = environment;
    invocation.words = pointers.data();
    const Report found = check(invocation);
    std::string text = found.text.substr(found.text.find('\n') + 1) + std::to_string(found.exit_code);
    base::replace_all(text, m_folder.path().string(), "TMP");
    base::replace_all(text, k_checked_digest, "DIGEST");
    return text;
  }
  // The line of one subject.
  static std::string line_of(const std::string& report, const std::string& subject) {
    for (const auto& line : base::split(report, '\n')) {
      if (line.starts_with(subject + " ")) return std::string(base::trim(line.substr(subject.size())));
    }
    return "";
  }
  static std::string code_of(const std::string& report) { return base::last_line(report); }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "check.").value();
  contract::BuildRecord m_record;
  const KeptVariable m_cache{"PACHBUILD_CACHE_DIR"};
  const KeptVariable m_path{"PATH"};
  const KeptVariable m_environment{"PACHBUILD_ENV"};
};

const std::string k_libc = std::string("glibc ") + ::gnu_get_libc_version();

TEST_F(CheckReport, HasALineForEachFinding) {
  write("python", elf_program(k_this_machine, ""));
  EXPECT_EQ(
      report({"a b"}),
      "runs         sh TMP/build/run.sh 'a b'\n"
      "artifact     TMP/build: python, made by builder-runtime 0.9, starts python3 /pfs/source/main.py\n"
      "environment  not unpacked yet: TMP/build/bundle-DIGEST.tar.zst (2.0 KiB, unpacked 10.0 KiB in 3 "
      "files)\n"
      "platform     linux/" +
          own_machine() + ": ok\nC library    needs glibc 2.2, this image has " + k_libc +
          ": ok\n"
          "interpreter  needs cpython-3.11 as TMP/python: ok\n0");
}

TEST_F(CheckReport, ThePlatformIsAnOperatingSystemAndAMachine) {
  const auto platform = [&](const std::string& os, const std::string& architecture) {
    m_record.platform.os = os;
    m_record.platform.architecture = architecture;
    put_record();
    const auto text = report();
    return line_of(text, "platform");
  };
  const std::string own = ", this is linux/" + own_machine() + ": failed";
  EXPECT_EQ(platform("linux", own_machine()), "linux/" + own_machine() + ": ok");
  EXPECT_EQ(platform("linux", "other"), "needs linux/other" + own);
  EXPECT_EQ(platform("plan9", own_machine()), "needs plan9/" + own_machine() + own);
  EXPECT_EQ(code_of(report()), "126");
}

TEST_F(CheckReport, TheLibraryOfCIsTheSameOrNewer) {
  const std::string own = ::gnu_get_libc_version();
  const auto major = std::stol(own);
  const auto minor = std::stol(own.substr(own.find('.') + 1));
  const auto libc = [&](const std::string& needed) {
    m_record.platform.libc = needed;
    put_record();
    return line_of(report(), "C library");
  };
  const auto version = [](long first, long second) {
    return "glibc " + std::to_string(first) + "." + std::to_string(second);
  };
  for (const auto& fitting : {k_libc, version(major, minor - 1), version(major - 1, minor + 1),
                              version(major, 9), std::string("glibc 2")}) {
    EXPECT_EQ(libc(fitting), "needs " + fitting + ", this image has " + k_libc + ": ok");
  }
  for (const auto& other : {version(major, minor + 1), version(major + 1, 0), k_libc + ".1",
                            std::string("musl"), std::string("glibcx")}) {
    EXPECT_EQ(libc(other), "needs " + other + ", this image has " + k_libc + ": failed");
    EXPECT_EQ(code_of(report()), "126");
  }
  EXPECT_EQ(libc(""), "") << "a static program needs none";
}

TEST_F(CheckReport, TheInterpreterIsThatOfTheScript) {
  const std::string needs = "needs cpython-3.11 as TMP/";
  const auto interpreter = [&](const std::string& assignment) {
    write("build/run.sh", "#!/bin/sh\n" + assignment + "\n");
    return line_of(report(), "interpreter");
  };
  EXPECT_EQ(interpreter("interpreter=" + path("none")), needs + "none, which does not exist: failed");
  EXPECT_EQ(code_of(report()), "127");
  write("plain", "", 0644);
  if (::geteuid() != 0 || ::access(path("plain").c_str(), X_OK) != 0) {
    EXPECT_EQ(interpreter("interpreter=" + path("plain")), needs + "plain, which does not exist: failed");
  }
  write("other", elf_program(k_other_machine, ""));
  EXPECT_EQ(interpreter("interpreter=" + path("other")), needs + "other, which is for s390x: failed");
  EXPECT_EQ(code_of(report()), "126");
  write("a b", elf_program(k_this_machine, ""));
  EXPECT_EQ(interpreter("interpreter='" + path("a b") + "'"), needs + "a b: ok");
  EXPECT_EQ(interpreter("interpreter='"), "needs cpython-3.11 as ', which does not exist: failed");
  EXPECT_EQ(interpreter(" interpreter=" + path("none")), "") << "a script of the source's own";
  EXPECT_EQ(interpreter("interpreter="), "");
  EXPECT_EQ(interpreter("interpreter=" + path("a b") + "\ninterpreter=" + path("none")), needs + "a b: ok");
  m_record.platform.interpreter = "";
  put_record();
  EXPECT_EQ(interpreter("interpreter=" + path("none")), "") << "of Go";
  m_record.platform.interpreter = "cpython-3.11";
  m_record.bundles.clear();
  put_record();
  EXPECT_EQ(interpreter("interpreter=" + path("none")), "") << "any will do";
}

TEST_F(CheckReport, TheEnvironmentIsNamedWhereItIs) {
  const auto environment = [&](const std::string& digest = "") {
    return line_of(report({"cat"}, Mode::command, digest), "environment");
  };
  const std::string other(64, 'e');
  EXPECT_EQ(environment(other),
            "TMP/build/bundle-" + other + ".tar.zst: cannot read: no such file or folder");
  EXPECT_EQ(code_of(report({"cat"}, Mode::command, other)), "125");
  write("build/bundle-" + other + ".tar.zst", "");
  EXPECT_EQ(environment(), "TMP/build: has more than one bundle");
  EXPECT_EQ(code_of(report({"cat"}, Mode::command)), "125");
  ASSERT_TRUE(base::remove_tree(path("build/bundle-" + k_checked_digest + ".tar.zst")));
  write("build/build.json", "{}");
  EXPECT_EQ(environment(), "not unpacked yet: TMP/build/bundle-" + other + ".tar.zst");
  m_record.bundles.clear();
  put_record();
  EXPECT_EQ(environment(), "not unpacked yet: TMP/build/bundle-" + other + ".tar.zst");
  write("cache/env/" + other + "/file", "");
  seal(path("cache/env/" + other));
  EXPECT_EQ(environment(), "TMP/cache/env/" + other);
  EXPECT_EQ(std::getenv("PACHBUILD_ENV"), path("cache/env/" + other)) << "its programs are found";
  write("cache/env/" + other + "/more", "");
  EXPECT_EQ(environment(), "TMP/cache/env/" + other + " was changed; it is unpacked again by the next run");
  ::setenv("PACHBUILD_CACHE_DIR", "relative", 1);
  EXPECT_EQ(environment(),
            "PACHBUILD_CACHE_DIR: the cache folder must be an absolute path, not \"relative\"");
  ASSERT_TRUE(base::remove_tree(path("build/bundle-" + other + ".tar.zst")));
  EXPECT_EQ(environment(), "none: nothing was installed or compiled");
}

TEST_F(CheckReport, ACommandIsFoundAsByAShell) {
  const auto command = [&](const std::string& name) {
    return line_of(report({name, "x"}, Mode::command), "command");
  };
  write("a/tool", "#!/bin/sh\n");
  write("b/tool", "#!/bin/sh\n");
  write("b/second", "#!/bin/sh\n");
  write("b/other", elf_program(k_other_machine, ""));
  write("b/static", elf_program(k_this_machine, ""));
  ::setenv("PATH", (path("a") + ":" + path("b")).c_str(), 1);
  EXPECT_EQ(line_of(report({"tool", "a b"}, Mode::command), "runs"), "tool 'a b'");
  EXPECT_EQ(command("tool"), "TMP/a/tool: ok");
  EXPECT_EQ(command("second"), "TMP/b/second: ok");
  EXPECT_EQ(command("static"), "TMP/b/static: ok");
  EXPECT_EQ(command(path("b/second")), "TMP/b/second: ok");
  EXPECT_EQ(command("other"), "TMP/b/other is for s390x: failed");
  EXPECT_EQ(code_of(report({"other"}, Mode::command)), "126");
  for (const auto& none : {std::string("third"), path("third"), std::string("no/tool")}) {
    std::string shown = none;
    base::replace_all(shown, m_folder.path().string(), "TMP");
    EXPECT_EQ(command(none), shown + " does not exist: failed");
    EXPECT_EQ(code_of(report({none}, Mode::command)), "127");
  }
  // An empty folder of PATH is the current one.
  ::setenv("PATH", (path("a") + ":").c_str(), 1);
  const auto before = base::fs::current_path();
  base::fs::current_path(path("b"));
  EXPECT_EQ(command("second"), "./second: ok");
  base::fs::current_path(before);
}

TEST_F(CheckReport, ALibraryThatACommandLacksIsNamedWithWhatToDo) {
  write("ld-musl-x.so.1", "#!/bin/sh\necho 'libodd.so => not found'\n");
  write("tool", elf_program(k_this_machine, path("ld-musl-x.so.1")));
  const auto text = report({path("tool")}, Mode::command);
  EXPECT_EQ(line_of(text, "command"), "tool: needs libraries that this image lacks: libodd.so");
  EXPECT_NE(text.find("\n             install them in the transform's image"), std::string::npos) << text;
  EXPECT_EQ(code_of(text), "125");
}

TEST_F(CheckReport, WhatIsMissingIsNamed) {
  write("build/build.json", "{}");
  EXPECT_EQ(report(),
            "runs         sh TMP/build/run.sh\n"
            "artifact     TMP/build/build.json: was not written by this version of builder-runtime\n"
            "             use the same version of pachbuild to build and to run\n"
            "environment  not unpacked yet: TMP/build/bundle-DIGEST.tar.zst\n125");
  for (const std::string cut : {"", "{", "{\n", "}", "{\"a\": 1", "[{}]"}) {
    write("build/build.json", cut);
    EXPECT_EQ(line_of(report(), "artifact"), "TMP/build/build.json: is not valid JSON") << cut;
    EXPECT_NE(report().find("\n             build the source again\n"), std::string::npos);
    EXPECT_EQ(code_of(report()), "125");
  }
  ASSERT_TRUE(base::remove_tree(path("build/build.json")));
  EXPECT_EQ(line_of(report(), "artifact"), "TMP/build: no build.json, so its platform is not known");
  EXPECT_EQ(code_of(report()), "0");
  ASSERT_TRUE(base::remove_tree(path("build/run.sh")));
  EXPECT_EQ(line_of(report(), "runs"), "TMP/build/run.sh: cannot read: no such file or folder");
  EXPECT_EQ(code_of(report()), "125");
}

TEST_F(CheckReport, AFaultThatTwoLinesAreAboutHasItsHintOnce) {
  ASSERT_TRUE(base::remove_tree(path("build")));
  EXPECT_EQ(report(),
            "runs         TMP/build: no such folder\n"
            "             name the folder that a build wrote: the one with run.sh and build.json\n"
            "artifact     TMP/build: no build.json, so its platform is not known\n"
            "environment  TMP/build: no such folder\n125");
}

TEST_F(CheckReport, TheFirstThatDoesNotFitDecidesTheExitCode) {
  m_record.platform.architecture = "other";
  put_record();
  EXPECT_EQ(code_of(report({"/no/such/program"}, Mode::command)), "126");
  ASSERT_TRUE(base::remove_tree(path("build/run.sh")));
  EXPECT_EQ(code_of(report()), "125");
}

}  // namespace
}  // namespace shim
