// SPDX-License-Identifier: Apache-2.0
// What uv is asked for each manifest, what is then installed in which step, and what its failures mean.
#include <gmock/gmock.h>

#include <boost/filesystem/operations.hpp>
#include <functional>

#include "base/text.h"
#include "builder-runtime/languages/python/install/resolution.h"
#include "builder-runtime/languages/python/install/uv.h"
#include "builder-runtime/languages/python/install/uv_environment.h"
#include "tests/unit/builder/python/fake_machine.h"

namespace builder::python {
namespace {

namespace fs = base::fs;
using testing::ElementsAre;
using testing::HasSubstr;
using Lines = std::vector<std::string>;

class RecordingUv : public process::Runner {
 public:
  base::Result<process::Finished> run(const process::Command& command,
                                      const process::ErrorSink& /*sink*/) override {
    process::Finished finished{process::Ending::from_wait_status(0), "", ""};
    if (command.arguments.at(0) != "/bin/uv") return finished;
    commands.push_back(command);
    const auto option = std::find(command.arguments.begin(), command.arguments.end(), "--output-file");
    if (option != command.arguments.end()) {
      EXPECT_TRUE(base::write_file(*(option + 1), chosen));
    }
    if (on_command) on_command(command, finished);
    return finished;
  }
  std::vector<process::Command> commands;
  std::string chosen =
      "[[packages]]\nname = \"a\"\nversion = \"1\"\nwheels = [{ url = \"https://h/a.whl\", hashes = { sha256 "
      "= "
      "\"aa\" } }]\n[[packages]]\nname = \"own\"\ndirectory = { path = \"source\", editable = false }\n";
  std::function<void(const process::Command&, process::Finished&)> on_command;
};

class UvCommands : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "uvcommands.").value();
  fs::path m_source = m_folder.path() / "source";
  RecordingUv m_uv;
  Settings m_settings{.cache = m_folder.path() / "cache"};
  Tools m_tools{m_settings, m_uv};
  SourceSettings m_source_settings;

  void put(const std::map<std::string, std::string>& files) {
    fs::remove_all(m_source);
    for (const auto& [name, text] : files) {
      ASSERT_TRUE(base::make_folders((m_source / name).parent_path()));
      ASSERT_TRUE(base::write_file(m_source / name, text));
    }
  }
  [[nodiscard]] Installation installation() const {
    Installation installation{.source = m_source};
    installation.manifest = find_manifest(m_source, m_source_settings).value();
    installation.settings = m_source_settings.python;
    installation.uv = "/bin/uv";
    installation.interpreter = {"/bin/python3", "cpython-3.11.2", "glibc 2.36", "3.11.2", {}};
    installation.interpreter.markers.values = {{"python_full_version", "3.11.2"}, {"sys_platform", "linux"}};
    installation.configuration.environment = {{"UV_CACHE_DIR", (m_folder.path() / "uv").string()}};
    return installation;
  }
  std::string shown(std::string text) const {
    base::replace_all(text, m_source.string(), "SOURCE");
    // The folder that a resolution makes has a random name.
    const std::string work = (m_folder.path() / "cache/work/").string();
    for (std::size_t at = 0; (at = text.find(work, at)) != std::string::npos; at += 4) {
      const auto end = std::min(text.find('/', at + work.size()), text.size());
      text.replace(at, end - at, "WORK");
    }
    return text;
  }
  static std::string after(std::string text, const std::string& usual) {
    base::replace_all(text, usual, "");
    return text;
  }

  // The commands, and what each step then installs.
  Lines resolve(const Installation& asked) {
    m_uv.commands.clear();
    Lines told;
    const auto resolution = Resolution::make(asked, m_tools);
    for (const auto& command : m_uv.commands) {
      auto words = command.arguments;
      words.erase(words.begin());
      auto text = after(base::join(words, " "),
                        " --quiet --no-header --format pylock.toml --output-file " + output_of(command));
      told.push_back(shown(command.folder.string() + ": " + text));
    }
    if (!resolution) return {"error: " + resolution.error().where + ": " + resolution.error().what};
    for (const auto* step : {&(*resolution)->fixed(), &(*resolution)->unhashed()}) {
      if (step->arguments.empty()) continue;
      told.push_back(std::string(step == &(*resolution)->fixed() ? "fixed" : "unhashed") +
                     (step->is_chosen ? "! " : " ") + shown(base::join(step->arguments, " ")));
    }
    told.push_back(base::join((*resolution)->requirements(), ", "));
    return told;
  }
  static std::string output_of(const process::Command& command) {
    const auto option = std::find(command.arguments.begin(), command.arguments.end(), "--output-file");
    return option == command.arguments.end() ? "" : *(option + 1);
  }
};

const std::string k_project = "[project]\nname = 'x'\nversion = '1'\ndependencies = ['a']\n";
const std::string k_compile = "pip compile --generate-hashes --python /bin/python3";
const std::string k_fixed = "fixed! --no-deps --requirements WORK/pylock.fixed.toml";
const std::string k_unhashed = "unhashed! --no-deps --requirements WORK/pylock.unhashed.toml";

TEST_F(UvCommands, RequirementsAreChosenFrom) {
  put({{"requirements.txt", "a\n"}});
  const auto told = resolve(installation());
  ASSERT_EQ(told.size(), 4U);
  EXPECT_EQ(told[0], "SOURCE: " + k_compile + " requirements.txt");
  EXPECT_EQ(told[1], k_fixed);
  EXPECT_EQ(told[2], k_unhashed);
  EXPECT_THAT(told[3], HasSubstr("a==1 --hash=sha256:aa"));
  auto with_arguments = installation();
  with_arguments.configuration.arguments = {"--no-index"};
  with_arguments.manifest.files = {"requirements.txt", "more.txt"};
  EXPECT_EQ(resolve(with_arguments).front(),
            "SOURCE: " + k_compile + " --no-index requirements.txt more.txt");
}

TEST_F(UvCommands, RequirementsWithHashesAreTakenAsTheyAre) {
  put({{"requirements.txt", "--pre\na==1 --hash=sha256:0\n-e ./b\n"}});
  auto asked = installation();
  asked.has_hashes = true;
  EXPECT_THAT(resolve(asked),
              ElementsAre("fixed --requirements requirements.txt", "a==1 --hash=sha256:0, -e ./b"));
  asked.requires_hashes = true;
  EXPECT_THAT(resolve(asked), ElementsAre("fixed --requirements requirements.txt --require-hashes",
                                          "a==1 --hash=sha256:0, -e ./b"));
}

TEST_F(UvCommands, ProjectsAreChosenFromWithExtrasAndGroups) {
  put({{"pyproject.toml",
        k_project + "[dependency-groups]\nd = ['b']\ne = []\n[tool.uv]\ndefault-groups = ['d', 'e']\n"}});
  EXPECT_EQ(resolve(installation()).front(), "SOURCE: " + k_compile + " pyproject.toml --group d --group e");
  m_source_settings.python.extras = {"x", "y"};
  m_source_settings.python.groups = {"e"};
  EXPECT_EQ(resolve(installation()).front(),
            "SOURCE: " + k_compile + " pyproject.toml --extra x --extra y --group e --group d");
}

TEST_F(UvCommands, AProjectThatIsInstalledIsARequirement) {
  put({{"pyproject.toml", k_project + "[build-system]\nrequires = []\n"}});
  m_source_settings.python.extras = {"x", "y"};
  m_source_settings.python.groups = {"e"};
  auto asked = installation();
  asked.uses_files = true;
  std::string text;
  m_uv.on_command = [&](const auto& command, auto& /*finished*/) {
    text = base::read_file(command.folder / ".pachbuild-requirements.in").value_or("none");
  };
  EXPECT_EQ(resolve(asked).front(),
            "WORK/source: " + k_compile + " WORK/source/.pachbuild-requirements.in --group e");
  EXPECT_EQ(text, ".[x,y]\n");
  m_source_settings.python.extras.clear();
  asked.settings.extras.clear();
  resolve(asked);
  EXPECT_EQ(text, ".\n");
}

TEST_F(UvCommands, ASetupCfgAloneGetsAScript) {
  put({{"setup.cfg", "[metadata]\nname = x\n"}});
  auto asked = installation();
  asked.uses_files = true;
  bool has_script = false;
  m_uv.on_command = [&](const auto& command, auto& /*finished*/) {
    has_script = fs::exists(command.folder / "setup.py");
  };
  resolve(asked);
  EXPECT_TRUE(has_script);
  EXPECT_FALSE(fs::exists(m_source / "setup.py"));
  put({{"setup.cfg", ""}, {"pyproject.toml", "[build-system]\nrequires = []\n"}});
  resolve(asked);
  EXPECT_FALSE(has_script);
}

TEST_F(UvCommands, AUvLockIsExported) {
  put({{"uv.lock", "[[package]]\nname = 'a'\nversion = '1'\n"}, {"pyproject.toml", k_project}});
  const std::string exported = "SOURCE: export --frozen --no-dev --no-editable --python /bin/python3";
  EXPECT_EQ(resolve(installation()).front(), exported);
  m_source_settings.python.project = false;
  m_source_settings.python.groups = {"g"};
  m_source_settings.python.extras = {"e"};
  auto asked = installation();
  asked.configuration.environment["UV_NO_SOURCES"] = "1";
  asked.configuration.environment["UV_NO_SOURCES_PACKAGE"] = "1";
  EXPECT_EQ(resolve(asked).front(), exported + " --no-emit-project --extra e --group g");
  EXPECT_FALSE(m_uv.commands.front().environment.contains("UV_NO_SOURCES"));
  EXPECT_FALSE(m_uv.commands.front().environment.contains("UV_NO_SOURCES_PACKAGE"));
  put({{"uv.lock", ""}, {"pyproject.toml", k_project}});
  EXPECT_THAT(resolve(installation()),
              ElementsAre("error: uv.lock: does not match pyproject.toml: a is required but not locked"));
}

TEST_F(UvCommands, APylockIsInstalledAsItIs) {
  put({{"pylock.toml", ""}});
  m_source_settings.python.groups = {"g"};
  m_source_settings.python.extras = {"e"};
  EXPECT_THAT(resolve(installation()),
              ElementsAre("fixed! --requirements pylock.toml --extra e --group g", ""));
}

TEST_F(UvCommands, LocksThatUvDoesNotReadAreListsOfTwoSteps) {
  put({{"poetry.lock",
        "[[package]]\nname = 'a'\nversion = '1'\nfiles = [{hash = 'sha256:0'}]\n"
        "[[package]]\nname = 'b'\nversion = '2'\n"},
       {"pyproject.toml", "[tool.poetry.dependencies]\na = '*'\nb = '*'\n"}});
  EXPECT_THAT(resolve(installation()),
              ElementsAre("fixed! --no-deps --requirements WORK/.pachbuild-fixed.txt",
                          "unhashed! --no-deps --requirements WORK/.pachbuild-unhashed.txt",
                          "a==1 --hash=sha256:0, b==2"));
  EXPECT_TRUE(m_uv.commands.empty());
  // Without one of the two kinds there is one step.
  put({{"Pipfile.lock", R"({"default": {"a": {"version": "==1"}}})"}});
  EXPECT_THAT(resolve(installation()),
              ElementsAre("unhashed! --no-deps --requirements WORK/.pachbuild-unhashed.txt", "a==1"));
  auto with_project = installation();
  with_project.manifest.installs_project = true;
  EXPECT_EQ(resolve(with_project).back(), "a==1, .");
}

TEST_F(UvCommands, ManifestsOfOthersAreChosenFromAsAList) {
  put({{"Pipfile", "[[source]]\nname = 'n'\nurl = 'https://h/s'\n[packages]\na = '>1'\n"}});
  std::string text;
  m_uv.on_command = [&](const auto& command, auto& /*finished*/) {
    text = base::read_file(command.arguments.back() == output_of(command) ? *(command.arguments.begin() + 6)
                                                                          : "")
               .value_or("none");
  };
  EXPECT_EQ(resolve(installation()).front(), "SOURCE: " + k_compile + " WORK/.pachbuild-requirements.in");
  EXPECT_EQ(text, "a>1\n");
  EXPECT_EQ(process::value_of(m_uv.commands.front().environment, "UV_DEFAULT_INDEX"), "https://h/s");
}

TEST_F(UvCommands, WhatIsBuiltAgainstOthersIsInstalledWithThem) {
  put({{"requirements.txt", "a\n"}});
  auto asked = installation();
  asked.configuration.environment["UV_NO_BUILD_ISOLATION"] = "1";
  EXPECT_THAT(resolve(asked)[1], "unhashed! --no-deps --requirements WORK/pylock.all.toml");
}

TEST_F(UvCommands, APoetryPythonIsWrittenAsUvReadsIt) {
  const auto python = [&](const std::string& text) {
    put({{"pyproject.toml", "[project]\nname = 'x'\nversion = '1'\nrequires-python = '" + text + "'\n"}});
    std::string read;
    m_uv.on_command = [&](const auto& command, auto& /*finished*/) {
      read = (command.folder == m_source ? "as it is: " : "written: ") +
             data::read_toml(command.folder / "pyproject.toml", "p").value().text("project.requires-python");
    };
    resolve(installation());
    return read;
  };
  EXPECT_EQ(python(">=3.9"), "as it is: >=3.9");
  EXPECT_EQ(python("^3.9"), "written: >=3.9,<4");
  EXPECT_EQ(python("^3.9 || ^4"), "written: ");
}

TEST_F(UvCommands, HaveACacheAndAFolderOfTheirOwn) {
  put({{"requirements.txt", "a\n"}});
  resolve(installation());
  const auto& command = m_uv.commands.front();
  EXPECT_EQ(process::value_of(command.environment, "PWD"), m_source.string());
  EXPECT_THAT(process::value_of(command.environment, "UV_CACHE_DIR"),
              testing::StartsWith((m_folder.path() / "uv/pachbuild/").string()));
}

// uv's exit code 2 is of the network only where the same without a network fails otherwise.
TEST_F(UvCommands, AFailureIsOfTheNetworkOrOfTheSource) {
  put({{"requirements.txt", "a\n"}});
  const auto failure = [&](int code, int offline) {
    m_uv.commands.clear();
    m_uv.on_command = [&](const auto& command, auto& finished) {
      const bool is_offline = std::find(command.arguments.begin(), command.arguments.end(), "--offline") !=
                              command.arguments.end();
      finished.ending = process::Ending::from_wait_status((is_offline ? offline : code) << 8);
    };
    const auto status = run_uv(installation(), m_tools, m_source, {"pip", "install", "x"}, "the file");
    if (status) return std::string("none");
    return status.error().where + ": " + status.error().what +
           (status.error().kind == base::ErrorKind::network ? " (network)" : "");
  };
  EXPECT_EQ(failure(0, 0), "none");
  EXPECT_EQ(m_uv.commands.size(), 1U);
  EXPECT_EQ(failure(1, 0), "the file: installation failed: uv exited with code 1");
  EXPECT_EQ(m_uv.commands.size(), 1U);
  EXPECT_EQ(failure(2, 2), "the file: installation failed: uv exited with code 2");
  ASSERT_EQ(m_uv.commands.size(), 2U);
  EXPECT_EQ(base::join(m_uv.commands.back().arguments, " "),
            "/bin/uv pip install x --offline --no-cache --quiet --quiet --dry-run");
  EXPECT_EQ(failure(2, 1), "the file: a package index cannot be reached (network)");
}

// uv ends with a code, and with another without a network; ask_indexes.py finds a fault or none.
class UvFailures : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "uvfailures.").value();
  const fs::path m_top = fs::canonical(m_folder.path());
  FakeMachine m_machine{m_top};
  Settings m_settings{.cache = m_top / "cache", .environment = m_machine.environment};
  Tools m_tools{m_settings, m_machine};
  Installation m_installation{.source = m_top / "source"};
  fs::path m_run_in = m_top / "source";
  Lines m_arguments = {"pip", "compile"};

  void SetUp() override {
    ASSERT_TRUE(base::make_folders(m_top / "source"));
    m_settings.environment["UV_INDEX"] = "https://a/s";
    m_installation.uv = m_machine.uv;
    m_installation.interpreter.path = m_machine.python;
    m_installation.configuration.environment = {{"UV_CACHE_DIR", (m_top / "uv").string()},
                                                {"UV_INDEX", "https://a/s"},
                                                {"PATH", (m_top / "none").string()}};
  }
  base::Error failure(int code, int offline, const std::string& fault, const std::string& words = "") {
    m_machine.uv_commands.clear();
    m_machine.index_faults = fault;
    m_machine.on_command = [=](const process::Command& command, process::Finished& finished) {
      const auto& all = command.arguments;
      const bool is_offline = std::find(all.begin(), all.end(), "--offline") != all.end();
      if (all.at(1) == "-I") return;
      finished.ending = process::Ending::from_wait_status((is_offline ? offline : code) << 8);
      finished.errors = words;
    };
    const auto status = run_uv(m_installation, m_tools, m_run_in, m_arguments, "the file");
    return status ? base::Error{} : status.error();
  }
  static std::string told(const base::Error& error) {
    return error.where + ": " + error.what + " | " + error.hint + " | " +
           std::to_string(static_cast<int>(error.kind));
  }
};

TEST_F(UvFailures, NameTheIndexThatIsAtFault) {
  const std::string tls = "0\ttls\t\n";
  const std::string what =
      "no secure connection to a (TLS) | this address comes from the variable UV_INDEX; check whether the "
      "URL should start with http:// | ";
  const auto code = [](base::ErrorKind kind) { return std::to_string(static_cast<int>(kind)); };
  EXPECT_EQ(told(failure(2, 1, tls)), "the file: " + what + code(base::ErrorKind::network));
  EXPECT_EQ(told(failure(2, 2, tls)),
            "the file: installation failed: " + what + code(base::ErrorKind::step_failed));
  EXPECT_EQ(told(failure(1, 1, tls)),
            "the file: installation failed: " + what + code(base::ErrorKind::step_failed));
  EXPECT_EQ(told(failure(2, 1, "")),
            "the file: a package index cannot be reached | see uv's output above; if it names a certificate, "
            "set SSL_CERT_FILE to a file with the certificate of the index's authority; otherwise check the "
            "network, then try again | " +
                code(base::ErrorKind::network));
  m_installation.configuration.environment.erase("UV_INDEX");
  const std::string pypi = "0\tname\t\n";
  EXPECT_THAT(told(failure(2, 1, pypi)), testing::StartsWith("the file: the host pypi.org is unknown"));
  EXPECT_THAT(told(failure(1, 1, pypi)),
              testing::StartsWith("the file: installation failed: uv exited with code 1"))
      << "nobody has named PyPI";
}

TEST_F(UvFailures, AreTriedWithoutANetworkAndWithoutEffect) {
  failure(2, 2, "");
  ASSERT_EQ(m_machine.uv_commands.size(), 2U);
  EXPECT_EQ(base::join(m_machine.uv_commands[1].arguments, " "),
            m_machine.uv + " pip compile --offline --no-cache --quiet --quiet");
  m_arguments = {"pip", "install"};
  failure(2, 2, "");
  EXPECT_EQ(m_machine.uv_commands.back().arguments.back(), "--dry-run");
  failure(1, 2, "");
  EXPECT_EQ(m_machine.uv_commands.size(), 1U);
}

TEST_F(UvFailures, SayWhatAnImageWithoutACompilerLacks) {
  const std::string none =
      "see uv's output above; this image has no C compiler: to compile a package, use an image that has one "
      "(python:3.11 rather than python:3.11-slim), or install Debian's packages gcc and libc6-dev in this "
      "one";
  EXPECT_EQ(failure(1, 1, "").hint, none);
  EXPECT_EQ(
      failure(1, 1, "", "Package 'x', required by 'virtual:world', not found\n").hint.substr(0, none.size()),
      none);
  ASSERT_TRUE(base::make_folders(m_top / "none"));
  for (const std::string compiler : {"cc", "gcc", "clang"}) {
    ASSERT_TRUE(base::write_file(m_top / "none" / compiler, "", 0755));
    EXPECT_EQ(failure(1, 1, "").hint, "see uv's output above") << compiler;
    fs::remove(m_top / "none" / compiler);
  }
}

TEST_F(UvFailures, AreInTheWordsOfTheSource) {
  m_installation.configuration.arguments = {"--no-index"};
  m_arguments = {"pip", "compile", "--no-index", "--frozen"};
  m_run_in = m_settings.cache / "work/resolve-1/source";
  ASSERT_TRUE(base::make_folders(m_run_in));
  {
    const Reported reported;
    failure(1, 1, "", "in " + m_run_in.string() + "/x\nhint: remove `--frozen`\nhint: remove `--no-index`\n");
    EXPECT_EQ(reported.lines("in "), (Lines{(m_top / "source/x").string()}));
    EXPECT_EQ(reported.lines("hint: remove "), (Lines{"`--no-index`"})) << "that is the user's own";
  }
  m_run_in = m_top / "source";
  const Reported reported;
  failure(1, 1, "", "in " + m_run_in.string() + "/y\n");
  EXPECT_EQ(reported.lines("in "), (Lines{(m_top / "source/y").string()}));
}

TEST_F(UvCommands, WhatIsCopiedIsWhatCannotBeReadInPlace) {
  const auto place = [&](const Installation& asked) {
    const auto told = resolve(asked);
    return told.empty() ? "" : told.front().substr(0, told.front().find(": "));
  };
  put({{"requirements.txt", "a\n"}});
  EXPECT_EQ(place(installation()), "SOURCE");
  auto asked = installation();
  asked.uses_files = true;
  EXPECT_EQ(place(asked), "WORK/source");
  asked = installation();
  asked.rewritten = {{"requirements.txt", "b\n"}};
  std::string text;
  m_uv.on_command = [&](const auto& command, auto& /*finished*/) {
    text = base::read_file(command.folder / "requirements.txt").value_or("none");
  };
  EXPECT_EQ(place(asked), "WORK/source");
  EXPECT_EQ(text, "b\n");
  asked.rewritten = {{"requirements.txt", "x @ git+https://me:pw@h/x\n"}};
  EXPECT_EQ(place(asked), "WORK/source");
  EXPECT_EQ(text, "x @ git+https://h/x\n");
  EXPECT_EQ(process::value_of(m_uv.commands.front().environment, "PACHBUILD_GIT_0_PASSWORD"), "pw");
  put({{"requirements.txt", "x @ git+https://me:pw@h/x\n"}});
  EXPECT_EQ(place(installation()), "WORK/source") << "a password is not given to uv in a file";
  EXPECT_EQ(text, "x @ git+https://h/x\n");
  EXPECT_EQ(process::value_of(m_uv.commands.front().environment, "PACHBUILD_GIT_0_PASSWORD"), "pw");
  put({{"requirements.txt", "a\n"},
       {"pyproject.toml", "[tool.uv.sources]\nx = { git = 'https://me:pw@h/x' }\n"}});
  EXPECT_EQ(place(installation()), "WORK/source");
  m_uv.on_command = nullptr;
}

TEST_F(UvCommands, ACopyOfAPartOfARepositoryHasItsPlaceInIt) {
  put({{"requirements.txt", "a\n"}});
  auto asked = installation();
  asked.uses_files = true;
  asked.revision = revision::Revision{.commit = std::string(40, 'a'), .folder = "below/deep"};
  EXPECT_THAT(resolve(asked).front(), testing::StartsWith("WORK/source/below/deep: "));
  std::string archival;
  m_uv.on_command = [&](const auto& command, auto& /*finished*/) {
    archival = base::read_file(command.folder / ".git_archival.txt").value_or("none");
  };
  resolve(asked);
  EXPECT_THAT(archival, testing::StartsWith("node: aaa"));
}

TEST_F(UvCommands, AScriptIsAProjectOfItsOwn) {
  m_uv.chosen.clear();
  put({{"tool.py", "# /// script\n# dependencies = ['a']\n# ///\n"}, {"pachbuild.toml", ""}});
  m_source_settings.places.file = "pachbuild.toml";
  m_source_settings.python.dependencies = {"tool.py"};
  std::string text;
  m_uv.on_command = [&](const auto& command, auto& /*finished*/) {
    text = base::read_file(command.folder / "pyproject.toml").value_or("none");
  };
  EXPECT_EQ(resolve(installation()).front(), "WORK/source: " + k_compile + " pyproject.toml");
  EXPECT_EQ(text, "[project]\nname = \"script\"\nversion = \"0\"\ndependencies = ['a']\n");
  ASSERT_TRUE(base::write_file(m_source / "tool.py.lock", "[[package]]\nname = 'a'\nversion = '1'\n"));
  EXPECT_EQ(resolve(installation()).front(),
            "WORK/source: export --frozen --no-dev --no-editable --python /bin/python3 --script tool.py");
}

TEST_F(UvCommands, PdmsOverridesAreUvs) {
  put({{"pyproject.toml", k_project + "[tool.pdm.resolution.overrides]\nb = '2'\n[[tool.pdm.source]]\nname = "
                                      "'n'\nurl = 'https://h/s'\n"}});
  std::string text;
  m_uv.on_command = [&](const auto& command, auto& /*finished*/) {
    text = base::read_file(FakeMachine::value_behind(command.arguments, "--override")).value_or("none");
  };
  EXPECT_EQ(resolve(installation()).front(),
            "SOURCE: " + k_compile + " pyproject.toml --override WORK/.pachbuild-overrides.txt");
  EXPECT_EQ(text, "b==2\n");
  EXPECT_EQ(process::value_of(m_uv.commands.front().environment, "UV_INDEX"), "n=https://h/s");
  put({{"pyproject.toml", k_project + "[tool.pdm.resolution.overrides]\nb = 'no version'\n"}});
  EXPECT_THAT(resolve(installation()).front(), HasSubstr("invalid requirement"));
}

TEST_F(UvCommands, WhatIsBuiltWithTheChosenVersionIsLocked) {
  const std::string needs =
      "[tool.uv.extra-build-dependencies]\nb = [{ requirement = 'a', match-runtime = true }]\n";
  put({{"pyproject.toml", k_project + needs}});
  const auto with_settings = [&] {
    auto asked = installation();
    asked.uv_settings = UvSettings::read(m_source, {{"HOME", "/nowhere"}}).value();
    return asked;
  };
  auto told = resolve(with_settings());
  EXPECT_EQ(told[0], "WORK/source: lock --quiet --python /bin/python3");
  EXPECT_EQ(told[1], "WORK/source: export --frozen --no-dev --no-editable --python /bin/python3");
  EXPECT_EQ(told[2], "unhashed! --no-deps --requirements WORK/pylock.all.toml")
      << "they are installed together";
  for (const std::string other :
       {"[tool.uv.extra-build-dependencies]\nb = ['a']\n",
        "[tool.uv.extra-build-dependencies]\nb = [{ requirement = 'a', match-runtime = false }]\n",
        "[tool.uv]\nno-build-isolation = true\n", "[tool.uv]\nno-build-isolation-package = ['b']\n"}) {
    put({{"pyproject.toml", k_project + other}});
    told = resolve(with_settings());
    EXPECT_EQ(told[0], "SOURCE: " + k_compile + " pyproject.toml") << other;
    EXPECT_EQ(told[1], "unhashed! --no-deps --requirements WORK/pylock.all.toml") << other;
  }
  put({{"pyproject.toml", k_project + "[tool.uv]\nno-build-isolation = false\n"}});
  EXPECT_EQ(resolve(with_settings())[1], k_fixed);
  put({{"setup.py", ""}, {"pyproject.toml", needs + "[build-system]\nrequires = []\n"}});
  EXPECT_THAT(resolve(with_settings())[0], HasSubstr(k_compile)) << "only a project can be locked";
}

TEST_F(UvCommands, TheFilesOfAResolutionAreItsOwners) {
  put({{"pyproject.toml", k_project + "[build-system]\nrequires = []\n"}});
  std::map<std::string, unsigned> modes;
  const auto note = [&](const std::string& path) {
    if (!path.empty())
      modes[fs::path(path).filename().string()] =
          static_cast<unsigned>(fs::status(path).permissions()) & 0777U;
  };
  m_uv.on_command = [&](const auto& command, auto& /*finished*/) { note(*(command.arguments.begin() + 6)); };
  const auto resolution = Resolution::make(installation(), m_tools).value();
  note(resolution->fixed().arguments.back());
  note(resolution->unhashed().arguments.back());
  EXPECT_EQ(modes, (std::map<std::string, unsigned>{{".pachbuild-requirements.in", 0600},
                                                    {"pylock.fixed.toml", 0600},
                                                    {"pylock.unhashed.toml", 0600}}));
}

TEST_F(UvCommands, AFailureOfUvIsOneOfTheResolution) {
  m_uv.on_command = [](const auto& /*command*/, auto& finished) {
    finished.ending = process::Ending::from_wait_status(1 << 8);
  };
  const std::string what = ": installation failed: uv exited with code 1";
  put({{"requirements.txt", "a\n"}});
  EXPECT_EQ(resolve(installation()).back(), "error: requirements.txt" + what);
  put({{"uv.lock", ""}, {"pyproject.toml", ""}});
  EXPECT_EQ(resolve(installation()).back(), "error: uv.lock" + what);
  put({{"pyproject.toml",
        k_project +
            "[tool.uv.extra-build-dependencies]\nb = [{ requirement = 'a', match-runtime = true }]\n"}});
  auto asked = installation();
  asked.uv_settings = UvSettings::read(m_source, {{"HOME", "/nowhere"}}).value();
  EXPECT_EQ(resolve(asked).back(), "error: pyproject.toml" + what);
  EXPECT_EQ(m_uv.commands.size(), 1U);
  m_uv.on_command = nullptr;
  m_uv.chosen = "broken";
  put({{"requirements.txt", "a\n"}});
  EXPECT_THAT(resolve(installation()).back(), testing::StartsWith("error: "));
  for (const auto& [file, text] : std::map<std::string, std::string>{
           {"poetry.lock", "["}, {"pdm.lock", "["}, {"Pipfile.lock", "["}, {"Pipfile", "["}}) {
    put({{file, text}});
    EXPECT_THAT(resolve(installation()).back(), testing::StartsWith("error: ")) << file;
  }
}

TEST(UvEnvironment, HasWhatTheBuilderDecides) {
  const auto made = uv_environment(
      {{"UV_PYTHON", "3.9"}, {"PYTHONPATH", "/x"}, {"UV_INDEX", "i"}, {"UV_NO_PROGRESS", "0"}}, "/cache");
  EXPECT_EQ(made, (process::Environment{{"UV_CACHE_DIR", "/cache"},
                                        {"UV_INDEX", "i"},
                                        {"UV_NO_PROGRESS", "1"},
                                        {"UV_PREVIEW_FEATURES", "pylock"},
                                        {"UV_PYTHON_DOWNLOADS", "never"}}));
  const auto given = uv_environment({{"UV_CACHE_DIR", "/own"}, {"UV_PREVIEW_FEATURES", "a"}}, "/cache");
  EXPECT_EQ(given.at("UV_CACHE_DIR"), "/own");
  EXPECT_EQ(given.at("UV_PREVIEW_FEATURES"), "a,pylock");
}

}  // namespace
}  // namespace builder::python
