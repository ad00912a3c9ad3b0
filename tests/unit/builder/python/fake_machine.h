// SPDX-License-Identifier: Apache-2.0
// A machine whose python3 and uv do what a test says: nothing is started, downloaded or compiled.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/text.h"
#include "builder-runtime/languages/python/install/ask_indexes.h"
#include "builder-runtime/languages/python/program/compile_bytecode.h"
#include "builder-runtime/languages/python/program/read_imports.h"
#include "builder-runtime/tools.h"
#include "report/report.h"

namespace builder::python {

class FakeMachine final : public process::Runner {
 public:
  using Words = std::vector<std::string>;

  // Its programs, and the user's home, are in folders below this one.
  explicit FakeMachine(const base::fs::path& folder)
      : environment{{"PATH", (folder / "bin").string()},
                    {"HOME", (folder / "home").string()},
                    {"PIP_CONFIG_FILE", "/dev/null"}} {
    for (const auto* name : {"python3", "uv"}) {
      EXPECT_TRUE(base::make_folders(folder / "bin"));
      EXPECT_TRUE(base::write_file(folder / "bin" / name, name, 0755));
    }
    python = (base::fs::canonical(folder) / "bin/python3").string();
    uv = (folder / "bin/uv").string();
  }

  base::Result<process::Finished> run(const process::Command& command,
                                      const process::ErrorSink& sink) override {
    const auto& words = command.arguments;
    process::Finished finished{process::Ending::from_wait_status(0), "", ""};
    if (words.at(0) == uv) {
      if (words.at(1) == "--version") {
        finished.output = uv_version;
        return finished;
      }
      uv_commands.push_back(command);
      run_uv(words);
    } else if (const auto script = script_of(words); script == k_compile_bytecode) {
      compile(command);
      finished.output = "tag\n";
    } else if (script == k_read_imports) {
      readings.push_back(command);
      known_imports = input_of(command);
      finished.output = imports;
    } else if (script == k_ask_indexes) {
      finished.output = index_faults;
    } else {
      finished.output = identity();
    }
    if (on_command) on_command(command, finished);
    if (sink && !finished.errors.empty()) sink(finished.errors);
    return finished;
  }

  process::Environment environment;
  std::string python, uv;
  std::string python_version = "3.11.2";
  std::string uv_version = "uv 0.9.1 (abc 2025-01-01)";
  std::string imports;       // what read_imports.py prints
  std::string index_faults;  // what ask_indexes.py prints
  std::string chosen;        // the pylock.toml that uv writes
  std::function<void(const base::fs::path& site_packages)> on_install;
  std::function<void(const process::Command&, process::Finished&)> on_command;

  std::vector<process::Command> uv_commands;
  std::vector<process::Command> readings;  // of imports
  std::string known_imports;               // what the last of them got on its standard input
  Words compiled;                          // modules

  static base::fs::path site_packages(const base::fs::path& tree) {
    return tree / "lib/python3.11/site-packages";
  }
  static std::string input_of(const process::Command& command) {
    std::string text;
    std::array<char, 4096> buffer{};
    for (ssize_t count = 0; (count = ::read(command.standard_input, buffer.data(), buffer.size())) > 0;)
      text.append(buffer.data(), static_cast<std::size_t>(count));
    return text;
  }
  static std::string script_of(const Words& words) {
    const auto option = std::find(words.begin(), words.end(), "-c");
    return option == words.end() || option + 1 == words.end() ? "" : *(option + 1);
  }
  static std::string value_behind(const Words& words, const std::string& option) {
    const auto found = std::find(words.begin(), words.end(), option);
    return found == words.end() || found + 1 == words.end() ? "" : *(found + 1);
  }

 private:
  [[nodiscard]] std::string identity() const {
    return python + "\ncpython-" + python_version +
           "\nglibc 2.36\nimplementation_name cpython\nimplementation_version 3.11.2\nos_name posix\n"
           "platform_machine x86_64\nplatform_python_implementation CPython\nplatform_release 6\n"
           "platform_system Linux\nplatform_version 1\npython_full_version " +
           python_version + "\npython_version 3.11\nsys_platform linux\n";
  }

  void run_uv(const Words& words) const {
    if (words.at(1) == "venv") {
      const auto interpreter = std::find(words.begin(), words.end(), "--python");
      const base::fs::path tree = *(interpreter + 2);
      ASSERT_TRUE(base::make_folders(site_packages(tree)));
      ASSERT_TRUE(base::make_folders(tree / "bin"));
      for (const auto* file : {"bin/python", "pyvenv.cfg", ".lock"})
        ASSERT_TRUE(base::write_file(tree / file, file));
    } else if (words.at(1) == "pip" && words.at(2) == "install") {
      const auto program = base::fs::path(value_behind(words, "--python"));
      if (on_install) on_install(site_packages(program.parent_path().parent_path()));
    }
    if (const auto file = value_behind(words, "--output-file"); !file.empty()) {
      ASSERT_TRUE(base::write_file(file, chosen));
    }
  }

  void compile(const process::Command& command) {
    for (const auto& name : base::split(input_of(command), '\0')) {
      const base::fs::path path = command.folder / name;
      const auto folder = path.parent_path() / "__pycache__";
      ASSERT_TRUE(base::make_folders(folder));
      ASSERT_TRUE(base::write_file(folder / (path.stem().string() + ".tag.pyc"), "compiled " + name));
      compiled.push_back(name);
    }
  }
};

// What is reported while it lives, in lines.
class Reported {
 public:
  Reported() : m_redirection([this](std::string_view text) { m_text += text; }) { report::set_up(); }
  // Those lines that begin so, without the beginning.
  [[nodiscard]] std::vector<std::string> lines(const std::string& beginning = "warning: ") const {
    std::vector<std::string> found;
    for (const auto& line : base::split(m_text, '\n')) {
      if (line.starts_with(beginning)) found.push_back(line.substr(beginning.size()));
    }
    return found;
  }

 private:
  std::string m_text;
  report::Redirection m_redirection;
};

}  // namespace builder::python
