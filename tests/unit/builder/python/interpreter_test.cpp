// SPDX-License-Identifier: Apache-2.0
// Which Python of a machine is taken, and why none.
#include "builder-runtime/languages/python/packaging/interpreter.h"

#include <gmock/gmock.h>

#include <boost/filesystem/operations.hpp>

namespace builder::python {
namespace {

namespace fs = base::fs;

// Each program is the interpreter whose version is its own last line. Those of this machine do not work.
class Pythons : public process::Runner {
 public:
  explicit Pythons(fs::path folder) : m_folder(std::move(folder)) {}
  base::Result<process::Finished> run(const process::Command& command,
                                      const process::ErrorSink& /*sink*/) override {
    const std::string& program = command.arguments.at(0);
    asked.push_back(program);
    auto version = base::read_file(program).value_or("");
    version = version.substr(version.rfind('\n') + 1);
    if (version == "broken" || !program.starts_with(m_folder.string() + "/"))
      return process::Finished{process::Ending::from_wait_status(1 << 8), "", ""};
    if (version == "silent") return process::Finished{process::Ending::from_wait_status(0), "x\n", ""};
    std::string answer = fs::canonical(program).string() + "\ncpython-" + version + "\nglibc 2.36\n";
    for (const auto* name : {"implementation_name", "implementation_version", "os_name", "platform_machine",
                             "platform_python_implementation", "platform_release", "platform_system"})
      answer += std::string(name) + " x\n";
    answer += "platform_version\npython_full_version " + version + "\npython_version 3\nsys_platform linux\n";
    return process::Finished{process::Ending::from_wait_status(0), answer, ""};
  }
  std::vector<std::string> asked;

 private:
  fs::path m_folder;
};

class FindInterpreter : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "interpreter.").value();
  Pythons m_pythons{m_folder.path()};
  process::Environment m_environment{{"PATH", path("bin") + ":" + path("more")}, {"HOME", path("home")}};

  [[nodiscard]] std::string path(const std::string& name) const { return (m_folder.path() / name).string(); }
  void put(const std::string& name, const std::string& version) const {
    ASSERT_TRUE(base::make_folders((m_folder.path() / name).parent_path()));
    ASSERT_TRUE(base::write_file(m_folder.path() / name, version, 0755));
  }
  // The path of the one that is found, relative, or the error.
  std::string find(const std::string& pin = "") {
    const Settings settings{.cache = m_folder.path() / "cache", .environment = m_environment};
    const Tools tools(settings, m_pythons);
    std::vector<Pin> pins;
    if (!pin.empty()) pins.push_back(pin_of_version("the pin", pin).value());
    const auto found = find_interpreter(tools, pins);
    if (!found) return found.error().where + ": " + found.error().what;
    return fs::path(found->path).lexically_relative(fs::canonical(m_folder.path())).string();
  }
};

TEST_F(FindInterpreter, TheFirstOnPathWhereItFits) {
  EXPECT_EQ(find(), "python3: is not on PATH");
  put("bin/python3", "3.11.2");
  put("more/python3.12", "3.12.1");
  EXPECT_EQ(find(), "bin/python3");
  EXPECT_EQ(find("3.11"), "bin/python3");
  EXPECT_EQ(m_pythons.asked.size(), 1U) << "it is remembered, and no other is asked";
  EXPECT_EQ(find("3.12"), "more/python3.12");
}

TEST_F(FindInterpreter, KnowsWhatItIs) {
  put("bin/python3", "3.11.2");
  const Settings settings{.cache = m_folder.path() / "cache", .environment = m_environment};
  const Tools tools(settings, m_pythons);
  const auto found = find_interpreter(tools, {}).value();
  EXPECT_EQ(found.identity, "cpython-3.11.2");
  EXPECT_EQ(found.libc, "glibc 2.36");
  EXPECT_EQ(found.version, "3.11.2");
  EXPECT_EQ(found.markers.values.at("sys_platform"), "linux");
  EXPECT_EQ(found.markers.values.at("platform_version"), "") << "it may be empty";
}

TEST_F(FindInterpreter, OthersByTheirNames) {
  put("bin/python3", "3.11.2");
  for (const std::string name :
       {"python3-config", "python3.", "python3.x", "python", "python3.13t", "xpython3.13"}) {
    put("bin/" + name, "3.13.0");
  }
  EXPECT_THAT(
      find("3.13"),
      testing::StartsWith("the pin (3.13): this version of Python is not available here; available: 3.11.2"));
  put("bin/python3.13", "3.13.0");
  EXPECT_EQ(find("3.13"), "bin/python3.13");
}

TEST_F(FindInterpreter, OthersOfPyenvAndUv) {
  put("bin/python3", "3.11.2");
  put("home/.pyenv/versions/3.8.1/bin/python3", "3.8.1");
  put("home/.pyenv/versions/3.8.2/bin/python3", "3.8.2");
  put("home/.local/share/uv/python/x/bin/python3", "3.7.0");
  EXPECT_EQ(find("3.8"), "home/.pyenv/versions/3.8.2/bin/python3");
  EXPECT_EQ(find("3.7"), "home/.local/share/uv/python/x/bin/python3");
  put("pyenv/versions/a/bin/python3", "3.6.0");
  put("data/uv/python/a/bin/python3", "3.5.0");
  put("own/a/bin/python3", "3.4.0");
  m_environment["PYENV_ROOT"] = path("pyenv");
  EXPECT_EQ(find("3.6"), "pyenv/versions/a/bin/python3");
  m_environment["XDG_DATA_HOME"] = path("data");
  EXPECT_EQ(find("3.5"), "data/uv/python/a/bin/python3");
  m_environment["UV_PYTHON_INSTALL_DIR"] = path("own");
  EXPECT_EQ(find("3.4"), "own/a/bin/python3");
}

TEST_F(FindInterpreter, AShimOfPyenvIsWhatItStarts) {
  put("pyenv/shims/python3", "#!/bin/sh\n3.0.0");
  put("pyenv/versions/3.9.1/bin/python3", "3.9.1");
  put("pyenv/versions/3.9.2/bin/python3", "3.9.2");
  m_environment["PATH"] = path("pyenv/shims");
  m_environment["PYENV_VERSION"] = "3.9.1:3.9.2";
  EXPECT_EQ(find(), "pyenv/versions/3.9.1/bin/python3");
  m_environment.erase("PYENV_VERSION");
  put("pyenv/version", "3.9.2\n3.9.1\n");
  EXPECT_EQ(find(), "pyenv/versions/3.9.2/bin/python3");
  // A version is the name of a folder, not a path.
  put("pyenv/x/bin/python3", "3.9.3");
  put("pyenv/versions/x/y/bin/python3", "3.9.4");
  put("pyenv/versions/bin/python3", "3.9.5");
  for (const std::string version : {"", "system", "../x", "x/y", "/", "3.9.9", ":3.9.1", "\n3.9.1"}) {
    put("pyenv/version", version);
    EXPECT_EQ(find(), "pyenv/shims/python3") << version;
    if (version.empty()) continue;
    m_environment["PYENV_VERSION"] = version;
    EXPECT_EQ(find(), "pyenv/shims/python3") << version;
    m_environment.erase("PYENV_VERSION");
  }
}

TEST_F(FindInterpreter, OthersThatDoNotWorkAreNone) {
  put("bin/python3", "3.11.2");
  put("bin/python3.9", "broken");
  put("bin/python3.8", "silent");
  put("more/python3.8", "3.8.5");
  put("more/python3.10", "3.10.0");
  fs::create_symlink(path("bin/python3"), path("more/python3.11"));
  EXPECT_THAT(
      find("3.9"),
      testing::StartsWith(
          "the pin (3.9): this version of Python is not available here; available: 3.8.5, 3.10.0, 3.11.2"));
  EXPECT_EQ(find("3.8"), "more/python3.8");
  put("bin/python3", "silent");
  EXPECT_EQ(find(), path("bin/python3") + ": does not report its version and platform");
  put("bin/python3", "broken");
  EXPECT_EQ(find(), path("bin/python3") + ": does not work: it exited with code 1");
}

TEST_F(FindInterpreter, TheFileThatPyenvReadsIsKnown) {
  put("pyenv/shims/python3", "#!/bin/sh\n3.0.0");
  put("pyenv/versions/3.9.1/bin/python3", "3.9.1");
  put("pyenv/version", " 3.9.1 \n");
  put("home/.pyenv/versions/3.8.2/bin/python3", "3.8.2");
  m_environment["PATH"] = path("pyenv/shims");
  const auto choice = [&](const std::string& pin) {
    const Settings settings{.cache = m_folder.path() / "cache", .environment = m_environment};
    const Tools tools(settings, m_pythons);
    return find_interpreter(tools, {pin_of_version("p", pin).value()}).value().choice.string();
  };
  EXPECT_EQ(choice("3.9"), path("pyenv/version"));
  EXPECT_EQ(choice("3.8"), path("pyenv/version")) << "another choice may fit";
  m_environment["PYENV_VERSION"] = "3.9.1";
  EXPECT_EQ(choice("3.9"), "");
  put("other/python3", "3.7.1");
  m_environment = {{"PATH", path("other")}};
  EXPECT_EQ(choice("3.7"), "");
}

TEST_F(FindInterpreter, ShimsAreNotAskedForOthers) {
  put("bin/python3", "3.11.2");
  put("shims/python3.9", "3.9.1");
  put("more/python3.10", "3.10.0");
  put("more/python3.8", "3.8.0");
  m_environment["PATH"] = path("bin") + ":" + path("shims") + "::" + path("more");
  EXPECT_EQ(find(">=3.8,<3.11"), "more/python3.10") << "by their names";
  EXPECT_THAT(
      find("3.9"),
      testing::StartsWith(
          "the pin (3.9): this version of Python is not available here; available: 3.8.0, 3.10.0, 3.11.2"));
}

TEST_F(FindInterpreter, WithoutOneTheHintSaysWhatToDo) {
  const Settings settings{.cache = m_folder.path() / "cache", .environment = m_environment};
  const Tools tools(settings, m_pythons);
  const auto none = find_interpreter(tools, {});
  EXPECT_EQ(none.error().hint, "install Python 3, or build in an image that has it");
  EXPECT_EQ(none.error().kind, base::ErrorKind::unavailable);
  put("bin/python3", "3.11.2");
  const auto other =
      find_interpreter(tools, {pin_of_version("a", "3.9").value(), pin_of_poetry("b", "^3.9").value()});
  EXPECT_EQ(other.error().where, "a (3.9) and b (^3.9)");
  EXPECT_EQ(other.error().hint,
            "install it, build in an image that has it (python:X.Y-slim), or change the required version");
  EXPECT_EQ(other.error().kind, base::ErrorKind::unavailable);
}

TEST(Pins, AgreeWhereOnePythonSatisfiesBoth) {
  const auto agree = [](const std::vector<std::string>& texts) {
    std::vector<Pin> pins;
    for (const auto& text : texts) pins.push_back(pin_of_specifiers("p", text).value());
    const auto status = check_agreement(pins);
    return status ? "yes" : status.error().where;
  };
  EXPECT_EQ(agree({}), "yes");
  EXPECT_EQ(agree({">=3.99"}), "yes") << "alone it contradicts nothing";
  EXPECT_EQ(agree({">=3.9", "<3.10"}), "yes");
  EXPECT_EQ(agree({">=3.40", "<=3.40"}), "yes");
  EXPECT_EQ(agree({"==3.9.20", ">=3.9.20,<3.9.21"}), "yes");
  EXPECT_EQ(agree({"<3.1", "==3.0.*"}), "yes");
  EXPECT_EQ(agree({">3.9.20,<3.10", ">=3.9"}), "yes");
  EXPECT_EQ(agree({">=3.10", "<3.10"}), "p (>=3.10) and p (<3.10)");
  EXPECT_EQ(agree({">=3.9", ">=3.8", "<3.9"}), "p (>=3.9) and p (<3.9)");
  EXPECT_EQ(agree({">=3.9", "<3.12", ">=3.12"}), "p (<3.12) and p (>=3.12)");
  const auto status =
      check_agreement({pin_of_specifiers("a", "<3").value(), pin_of_specifiers("b", ">=3").value()});
  EXPECT_EQ(status.error().what, "contradict each other");
  EXPECT_EQ(status.error().hint, "change one, or choose with python.version in pachbuild.toml");
  EXPECT_EQ(status.error().kind, base::ErrorKind::bad_input);
}

}  // namespace
}  // namespace builder::python
