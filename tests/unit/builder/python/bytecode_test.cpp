// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/program/bytecode.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/filesystem/operations.hpp>

#include "base/digest.h"
#include "base/parallel.h"
#include "base/text.h"
#include "tests/unit/builder/python/fake_machine.h"

namespace builder::python {
namespace {

namespace fs = base::fs;

// Makes bytecode of the modules that it is given the names of, as compile_bytecode.py does.
class FakePython : public process::Runner {
 public:
  base::Result<process::Finished> run(const process::Command& command,
                                      const process::ErrorSink& /*sink*/) override {
    std::string names;
    std::array<char, 4096> buffer{};
    for (ssize_t count = 0; (count = ::read(command.standard_input, buffer.data(), buffer.size())) > 0;)
      names.append(buffer.data(), static_cast<std::size_t>(count));
    for (const auto& name : base::split(names, '\0')) {
      const fs::path path(name);
      const fs::path folder = fs::path(command.folder) / path.parent_path() / "__pycache__";
      BASE_TRY(base::make_folders(folder));
      BASE_TRY(base::write_file(folder / (path.stem().string() + ".tag.pyc"), made + name));
      compiled.push_back(name);
    }
    return process::Finished{process::Ending::from_wait_status(0), "tag\n", ""};
  }
  std::string made;
  std::vector<std::string> compiled;
};

class Bytecode : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "bytecode.").value();
  FakePython m_python;
  Settings m_settings{.cache = m_folder.path() / "cache"};
  Tools m_tools{m_settings, m_python};
  Interpreter m_interpreter{"/bin/python3", "cpython-3.11.2", "glibc 2.36", "3.11.2", {}};
  std::string m_module = "A = 1\n";

  // Of a fresh site-packages with one package: what was compiled, and the module's bytecode.
  std::string make() {
    const fs::path packages = m_folder.path() / "packages";
    EXPECT_TRUE(base::remove_tree(packages));
    EXPECT_TRUE(base::make_folders(packages / "one-1.dist-info"));
    EXPECT_TRUE(
        base::write_file(packages / "one-1.dist-info" / "RECORD", "one.py,,\none-1.dist-info/RECORD,,\n"));
    EXPECT_TRUE(base::write_file(packages / "one.py", m_module));
    m_python.compiled.clear();
    EXPECT_TRUE(make_bytecode(m_interpreter, m_tools, packages));
    return base::join(m_python.compiled, " ") + ":" +
           base::read_file(packages / "__pycache__" / "one.tag.pyc").value_or("none");
  }
};

TEST_F(Bytecode, IsMadeOnceForWhatDecidesIt) {
  m_python.made = "1 ";
  EXPECT_EQ(make(), "one.py:1 one.py");
  m_python.made = "2 ";
  EXPECT_EQ(make(), ":1 one.py");
  m_interpreter.identity = "cpython-3.11.3";
  EXPECT_EQ(make(), "one.py:2 one.py");
  m_python.made = "3 ";
  m_interpreter.path = "/opt/python3";
  EXPECT_EQ(make(), "one.py:3 one.py");
  m_python.made = "4 ";
  m_module = "A = 2\n";
  EXPECT_EQ(make(), "one.py:4 one.py");
  EXPECT_EQ(make(), ":4 one.py");
}

TEST_F(Bytecode, ThatWasTamperedWithIsMadeAgain) {
  m_python.made = "1 ";
  make();
  const fs::path kept = fs::directory_iterator(m_folder.path() / "cache/python/bytecode")->path();
  const std::string text = base::read_file(kept).value();
  std::string other = text;
  other.replace(other.find("1 one"), 1, "9");
  for (const auto& damage : {other, text.substr(0, text.size() - 1), std::string(), text + "x"}) {
    ASSERT_TRUE(base::write_file(kept, damage));
    EXPECT_EQ(make(), "one.py:1 one.py") << damage;
  }
}

class BytecodeOfPackages : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "bytecode.").value();
  const fs::path m_packages = m_folder.path() / "packages";
  FakeMachine m_machine{m_folder.path()};
  Settings m_settings{.cache = m_folder.path() / "cache"};
  Tools m_tools{m_settings, m_machine};
  Interpreter m_interpreter{"/bin/python3", "cpython-3.11.2", "glibc 2.36", "3.11.2", {}};
  Reported m_reported;

  void put(const std::string& name, const std::string& text = "") const {
    ASSERT_TRUE(base::make_folders((m_packages / name).parent_path()));
    ASSERT_TRUE(base::write_file(m_packages / name, text));
  }
  void distribute(const std::string& name, const std::map<std::string, std::string>& files) const {
    std::string record;
    for (const auto& [file, text] : files) {
      put(file, text);
      record += file + ",,\n";
    }
    put(name + "-1.dist-info/RECORD", record);
  }
  void clear() {
    fs::remove_all(m_packages);
    m_machine.compiled.clear();
  }
  // "REUSED of PACKAGES: what was compiled"
  std::string make() {
    m_machine.compiled.clear();
    const auto made = make_bytecode(m_interpreter, m_tools, m_packages);
    if (!made) return made.error().where + ": " + made.error().what;
    return std::to_string(made->reused) + " of " + std::to_string(made->packages) + ": " +
           base::join(m_machine.compiled, " ");
  }
  [[nodiscard]] std::vector<fs::path> entries() const {
    std::vector<fs::path> found;
    for (fs::directory_iterator entry(m_settings.cache / "python/bytecode"), end; entry != end; ++entry)
      found.push_back(entry->path());
    return found;
  }
  [[nodiscard]] std::string bytecode(const std::string& name) const {
    return base::read_file(m_packages / name).value_or("none");
  }
};

TEST_F(BytecodeOfPackages, IsOfWhatTheirRecordsList) {
  const auto install = [&](const std::string& b) {
    clear();
    distribute("b", {{"b/__init__.py", b}, {"b/c.py", ""}});
    distribute("a", {{"a.py", ""}});
    distribute("none", {{"none.txt", ""}});
    for (const auto* other :
         {"unlisted.py", ".py", "d/.py", "x.py/y.py", "b/__pycache__/c.cpython-3.pyc", "z.pyc"})
      put(other);
  };
  install("1");
  EXPECT_EQ(make(), "0 of 2: unlisted.py x.py/y.py a.py b/__init__.py b/c.py");
  EXPECT_FALSE(fs::exists(m_packages / "b/__pycache__/c.cpython-3.pyc")) << "others' bytecode";
  EXPECT_TRUE(fs::exists(m_packages / "z.pyc"));
  EXPECT_EQ(entries().size(), 2U);
  install("1");
  EXPECT_EQ(make(), "2 of 2: unlisted.py x.py/y.py");
  EXPECT_EQ(bytecode("b/__pycache__/c.tag.pyc"), "compiled b/c.py");
  EXPECT_EQ(bytecode("__pycache__/a.tag.pyc"), "compiled a.py");
  install("2");
  EXPECT_EQ(make(), "1 of 2: unlisted.py x.py/y.py b/__init__.py b/c.py");
  clear();
  distribute("a", {{"a.py", ""}});
  EXPECT_EQ(make(), "1 of 1: ") << "nothing is started";
  clear();
  distribute("a", {{"renamed.py", ""}});
  EXPECT_EQ(make(), "0 of 1: renamed.py") << "the name is in the bytecode";
  clear();
  distribute("a", {{"a.py", ""}});
  fs::remove(m_packages / "a-1.dist-info/RECORD");
  EXPECT_THAT(make(), testing::StartsWith((m_packages / "a-1.dist-info/RECORD").string() + ": "));
}

TEST_F(BytecodeOfPackages, PythonIsStartedTheSameWayEverywhere) {
  distribute("a", {{"a.py", ""}, {"b.py", ""}});
  process::Command asked;
  std::string input;
  m_machine.on_command = [&](const process::Command& command, process::Finished& finished) {
    asked = command;
    finished.errors = "+2\nhello\n+x\n+\n";
  };
  make();
  EXPECT_THAT(asked.arguments, testing::ElementsAre("/bin/python3", "-s", "-S", "-W", "ignore", "-c",
                                                    k_compile_bytecode, std::to_string(base::processors())));
  EXPECT_EQ(asked.environment, (process::Environment{{"PYTHONHASHSEED", "0"}, {"LC_ALL", "C.UTF-8"}}));
  EXPECT_EQ(asked.folder, m_packages);
  EXPECT_EQ(m_reported.lines("hello").size(), 1U);
  EXPECT_EQ(m_reported.lines("+x").size(), 1U);
  EXPECT_EQ(m_reported.lines("+2").size(), 0U) << "how many are compiled is no line to show";
}

TEST_F(BytecodeOfPackages, WhatIsNoPythonHasNone) {
  const auto install = [&] {
    clear();
    distribute("a", {{"a.py", ""}, {"bad.py", ""}, {"c.py", ""}});
  };
  m_machine.on_command = [&](const process::Command& /*command*/, process::Finished& /*finished*/) {
    fs::remove(m_packages / "__pycache__/bad.tag.pyc");
  };
  install();
  EXPECT_EQ(make(), "0 of 1: a.py bad.py c.py");
  install();
  EXPECT_EQ(make(), "1 of 1: ");
  EXPECT_EQ(bytecode("__pycache__/a.tag.pyc"), "compiled a.py");
  EXPECT_EQ(bytecode("__pycache__/bad.tag.pyc"), "none");
  EXPECT_EQ(bytecode("__pycache__/c.tag.pyc"), "compiled c.py");
}

// Entries whose digest is right, and which are not of this package.
TEST_F(BytecodeOfPackages, AnEntryThatDoesNotFitIsMadeAgain) {
  const auto install = [&] {
    clear();
    distribute("a", {{"a.py", ""}, {"b.py", ""}});
  };
  install();
  make();
  const fs::path entry = entries().at(0);
  const std::string kept = base::read_file(entry).value();
  const std::string both = "compiled a.pycompiled b.py";
  ASSERT_EQ(kept, "tag 13 13\n" + both + base::sha256("tag 13 13\n" + both));
  const auto stored = [&](const std::string& content) {
    install();
    EXPECT_TRUE(base::write_file(entry, content + base::sha256(content)));
    const Reported reported;
    const auto made = make();
    const bool is_told =
        reported.lines() ==
        std::vector<std::string>{"cache: " + entry.string() +
                                 ": its digest does not match the stored one; compiling a-1 again"};
    return (is_told ? "told " : "") + made;
  };
  for (const auto& content : std::vector<std::string>{
           "tag 13\n" + both, "tag 13 13 0\n" + both, "tag 13 14\n" + both, "tag 13 x\n" + both,
           "tag 13 13x\n" + both, "tag 13 \n" + both, "tag 13 13", ""}) {
    EXPECT_EQ(stored(content), "told 0 of 1: a.py b.py") << content;
  }
  EXPECT_EQ(stored("tag 13 13\n" + both), "1 of 1: ");
  EXPECT_EQ(stored("other 8 5\ncompiled rest"), "1 of 1: ");
  EXPECT_EQ(bytecode("__pycache__/a.other.pyc"), "compiled");
  EXPECT_EQ(bytecode("__pycache__/b.other.pyc"), " rest");
}

TEST_F(BytecodeOfPackages, WhatIsUsedIsTheLastToBeRemoved) {
  const auto old_mask = ::umask(022);
  distribute("a", {{"a.py", ""}});
  make();
  const fs::path entry = entries().at(0);
  struct stat status{};
  ASSERT_EQ(::stat(entry.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0644U);
  const timespec times[2] = {{1000, 0}, {1000, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, entry.c_str(), times, 0), 0);
  clear();
  distribute("a", {{"a.py", ""}});
  EXPECT_EQ(make(), "1 of 1: ");
  ASSERT_EQ(::stat(entry.c_str(), &status), 0);
  EXPECT_NE(status.st_mtim.tv_sec, 1000);
  ASSERT_EQ(::stat((m_packages / "__pycache__/a.tag.pyc").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0644U);
  ::umask(old_mask);
}

TEST_F(BytecodeOfPackages, WhyItCannotBeMade) {
  const auto error = [&](int code, const std::string& output) {
    clear();
    distribute("a", {{"a.py", ""}});
    m_machine.on_command = [&](const process::Command& /*command*/, process::Finished& finished) {
      finished.ending = process::Ending::from_wait_status(code << 8);
      finished.output = output;
    };
    return make();
  };
  const std::string where = m_packages.string() + ": ";
  EXPECT_EQ(error(1, "28"), where + "compiling to bytecode failed: python exited with code 1");
  EXPECT_EQ(error(3, "x"), where + "compiling to bytecode failed: python exited with code 3");
  EXPECT_THAT(error(3, "28\n"), testing::HasSubstr("no space left"));
  m_machine.on_command = nullptr;
  clear();
  EXPECT_THAT(make(), testing::StartsWith(where)) << "there is no folder";
}

TEST(BytecodeSummaries, SayHowManyAreReused) {
  EXPECT_EQ(describe({.packages = 1, .reused = 0}), "compiled bytecode of 1 package");
  EXPECT_EQ(describe({.packages = 3, .reused = 0}), "compiled bytecode of 3 packages");
  EXPECT_EQ(describe({.packages = 3, .reused = 1}), "reused bytecode of 1 of 3 packages");
  EXPECT_EQ(describe({.packages = 3, .reused = 3}), "reused bytecode of 3 of 3 packages");
}

}  // namespace
}  // namespace builder::python
