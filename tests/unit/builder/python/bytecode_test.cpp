// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/bytecode.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <boost/filesystem/operations.hpp>

#include "base/text.h"

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

}  // namespace
}  // namespace builder::python
