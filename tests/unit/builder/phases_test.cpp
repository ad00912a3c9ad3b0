// SPDX-License-Identifier: Apache-2.0
// The phases before anything is built: what the source is, what is planned, and a build.sh instead.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>
#include <csignal>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/files.h"
#include "builder-runtime/languages/language.h"
#include "builder-runtime/phases/build_script.h"
#include "builder-runtime/phases/detect.h"
#include "builder-runtime/phases/resolve.h"
#include "contract/build_record.h"
#include "contract/environment.h"
#include "contract/layout.h"
#include "log.h"

namespace builder {
namespace {

class RecordingRunner : public process::Runner {
 public:
  base::Result<process::Finished> run(const process::Command& command,
                                      const process::ErrorSink& sink) override {
    commands.push_back(command);
    if (on_run) on_run();
    if (sink) sink(said);
    return process::Finished{process::Ending::from_wait_status(status), "", said};
  }
  std::vector<process::Command> commands;
  std::function<void()> on_run;
  std::string said;
  int status = 0;
};

class Phases : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "phases.").value();
  const fs::path m_root = fs::canonical(m_folder.path());
  RecordingRunner m_runner;
  Settings m_settings{.source = m_root / "source", .out = m_root / "out", .cache = m_root / "cache"};

  void put(const fs::path& name, const std::string& text = "") const {
    ASSERT_TRUE(base::make_folders((m_root / name).parent_path()));
    ASSERT_TRUE(base::write_file(m_root / name, text));
  }
  // "kind where: what (hint)", or the language that was found.
  [[nodiscard]] std::string found() const {
    LogOfTest log;
    const auto source = detect(m_settings);
    log.end();
    if (source) return source->language == nullptr ? "build.sh" : std::string(source->language->name);
    const auto& error = source.error();
    return std::to_string(static_cast<int>(error.kind)) + " " + error.where + ": " + error.what + " (" +
           error.hint + ")";
  }
  [[nodiscard]] std::string source() const { return m_settings.source.string(); }
};

TEST_F(Phases, ASourceIsAFolderWithSomethingInIt) {
  const std::string hint = " (check transform.build.path in the pipeline's spec)";
  EXPECT_EQ(found(), "65 " + source() + ": no such folder" + hint);
  put("source");
  EXPECT_EQ(found(), "65 " + source() + ": is not a folder" + hint);
  fs::remove(m_settings.source);
  ASSERT_TRUE(base::make_folders(m_settings.source));
  EXPECT_EQ(found(), "65 " + source() + ": the source is empty" + hint);
  put("source/README");
  EXPECT_EQ(found(), "65 " + source() +
                         ": no supported language found: expected main.py (python) or go.mod (go) (add one "
                         "of them, or a build.sh of your own)");
}

TEST_F(Phases, NothingIsWrittenIntoTheSource) {
  put("source/main.py", "print(1)\n");
  EXPECT_EQ(found(), "python");
  for (const fs::path& inside :
       std::vector<fs::path>{m_settings.source, m_settings.source / "below", m_settings.source / "a/b"}) {
    const auto settings = m_settings;
    const std::string what = inside.string() + ": is inside the source folder " + source();
    m_settings.out = inside;
    EXPECT_EQ(found(), "64 " + what + " (name another folder with --out)");
    m_settings.out = settings.out;
    m_settings.cache = inside;
    EXPECT_EQ(found(), "64 " + what + " (name another folder for the cache in PACHBUILD_CACHE_DIR)");
    m_settings = settings;
  }
  fs::create_symlink(m_settings.source, m_root / "link");
  m_settings.out = m_root / "link" / "below";
  EXPECT_NE(found(), "python");
  m_settings.out = m_root / "source-2";
  EXPECT_EQ(found(), "python");
}

TEST_F(Phases, TheLanguageIsThatOfTheFileAtTheRoot) {
  put("source/go.mod", "module m\n");
  put("source/main.go", "package main\nfunc main() {}\n");
  EXPECT_EQ(found(), "go");
  put("source/main.py", "print(1)\n");
  EXPECT_EQ(found(), "65 " + source() + ": contains both main.py and go.mod (choose one with --language)");
  m_settings.language = "go";
  EXPECT_EQ(found(), "go");
  m_settings.language = "python";
  EXPECT_EQ(found(), "python");
  m_settings.language = "rust";
  EXPECT_EQ(found(), "64 --language: no builder for \"rust\" (available languages: python and go)");
  m_settings.language = "";
  put("source/pachbuild.toml", "language = 'go'\n");
  EXPECT_EQ(found(), "go");
  m_settings.language = "python";
  EXPECT_EQ(found(), "python") << "the command line counts more";
  const auto warned = [&](const std::string& settings) {
    put("source/pachbuild.toml", settings);
    LogOfTest log;
    EXPECT_TRUE(detect(m_settings));
    const auto text = log.end();
    return text.substr(0, text.find("detect: "));
  };
  EXPECT_EQ(warned("language = 'go'\n[go]\n"), "") << "it can be built in both";
  EXPECT_EQ(
      warned("language = 'perl'\n"),
      "warning: pachbuild.toml:1: language: ignored because the source is built by the python builder\n");
  m_settings.language = "";
  put("source/pachbuild.toml", "language = 'rust'\n");
  EXPECT_EQ(found(),
            "65 pachbuild.toml:1: language: no builder for \"rust\" (available languages: python and go)");
}

TEST_F(Phases, WithoutItTheLanguageIsThatOfOtherFiles) {
  put("source/tool.go", "package main\nfunc main() {}\n");
  put("source/docs/notes.txt");
  EXPECT_EQ(found(), "go");
  fs::remove(m_settings.source / "tool.go");
  put("source/tool.py", "print(1)\n");
  EXPECT_EQ(found(), "python");
}

TEST_F(Phases, ScriptsOfTheSourceAreItsOwn) {
  put("source/main.py", "print(1)\n");
  const auto look = [&] {
    LogOfTest log;
    auto source = detect(m_settings).value();
    log.end();
    return source;
  };
  auto plain = look();
  EXPECT_EQ(plain.folder, m_settings.source);
  EXPECT_FALSE(plain.has_run_script);
  EXPECT_FALSE(plain.has_build_script);
  EXPECT_FALSE(plain.has_own_command);
  EXPECT_TRUE(static_cast<bool>(plain.plan));
  put("source/run.sh");
  EXPECT_TRUE(look().has_run_script);
  m_settings.environment = {{contract::k_own_command, "1"}};
  EXPECT_TRUE(look().has_own_command);
  put("source/build.sh");
  EXPECT_EQ(found(), "build.sh");
  EXPECT_TRUE(look().has_build_script);
  EXPECT_TRUE(look().has_run_script);
  // Called by it for the default steps.
  m_settings.default_steps_only = true;
  EXPECT_EQ(found(), "python");
  EXPECT_FALSE(look().has_build_script);
  // One may have links that lead anywhere.
  fs::create_symlink("/bin/sh", m_settings.source / "link");
  EXPECT_NE(found(), "python");
  m_settings.default_steps_only = false;
  EXPECT_EQ(found(), "build.sh");
}

class BuildScript : public Phases {
 protected:
  base::Status run() {
    const Tools tools(m_settings, m_runner);
    LogOfTest log;
    auto status = run_build_script(m_settings, tools);
    m_log = log.end();
    return status;
  }
  [[nodiscard]] std::string script() const { return source() + "/build.sh"; }
  std::string m_log;
};

TEST_F(BuildScript, IsStartedWithThisProgramOnItsPath) {
  m_settings.environment = {{"PATH", "/usr/bin"}, {"HOSTNAME", "h"}, {"PWD", "/else"}};
  m_runner.on_run = [this] { put("out/run.sh", "mine"); };
  ASSERT_TRUE(run());
  ASSERT_EQ(m_runner.commands.size(), 1U);
  const auto& command = m_runner.commands[0];
  EXPECT_EQ(command.arguments,
            (std::vector<std::string>{"/bin/sh", "-c", "exec /bin/sh \"$0\" >&2", script()}));
  EXPECT_EQ(command.folder, m_settings.source);
  const std::string own = base::own_folder().value().string();
  EXPECT_EQ(command.environment, (process::Environment{{"PATH", own + ":/usr/bin"},
                                                       {"HOSTNAME", "h"},
                                                       {"PWD", source()},
                                                       {contract::k_default_steps_variable, "1"}}));
  EXPECT_EQ(command.orphan_signal, SIGKILL);
  m_settings.environment.erase("PATH");
  ASSERT_TRUE(run());
  EXPECT_EQ(m_runner.commands[1].environment.at("PATH"), own);
  EXPECT_NE(m_log.find("build.sh: done ("), std::string::npos) << m_log;
}

TEST_F(BuildScript, HasToSucceedAndToLeaveARunScript) {
  const auto without = run();
  ASSERT_FALSE(without);
  EXPECT_EQ(without.error().kind, base::ErrorKind::step_failed);
  EXPECT_EQ(without.error().where, script());
  EXPECT_EQ(without.error().what, "did not write run.sh to " + m_settings.out.string());
  EXPECT_EQ(without.error().hint,
            "the pipeline is started with sh /pfs/build/run.sh: write this file, or call builder-runtime");
  EXPECT_TRUE(fs::is_directory(m_settings.out)) << "it is made for the script";
  m_runner.on_run = [this] { put("out/run.sh", "mine"); };
  EXPECT_TRUE(run());
  for (const auto& [status, text] : std::map<int, std::string>{
           {3 << 8, "exited with code 3"}, {SIGKILL, "was killed by signal 9 (Killed)"}}) {
    m_runner.status = status;
    const auto failed = run();
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind, base::ErrorKind::step_failed);
    EXPECT_EQ(failed.error().where, script());
    EXPECT_EQ(failed.error().what, text);
    EXPECT_EQ(m_log.find("done"), std::string::npos);
  }
}

// What builder-runtime made may be replaced by the next build, with the script's run.sh.
TEST_F(BuildScript, ItsRunScriptIsEnteredIntoTheRecord) {
  contract::BuildRecord record{.builder = "go", .version = "1", .key = "k"};
  record.files = {{"run.sh", base::sha256("ours")}};
  record.starts_in = {"/pfs/source", false};
  put("out/build.json", contract::to_json(record));
  m_runner.on_run = [this] { put("out/run.sh", "mine"); };
  ASSERT_TRUE(run());
  record.files["run.sh"] = base::sha256("mine");
  record.starts_in = {};
  EXPECT_EQ(base::read_file(m_settings.out / "build.json").value_or(""), contract::to_json(record));
}

class Resolve : public Phases {
 protected:
  Resolve() {
    m_source.language = std::make_shared<const Language>(languages().back());
    m_source.plan = [this](const Tools& /*tools*/) -> base::Result<Plan> { return m_plan; };
    m_plan.platform = {"linux", "amd64", "", ""};
    m_plan.key = "0123456789abcdef";
    m_plan.start.command = {"main"};
  }
  Plan resolved() {
    const Tools tools(m_settings, m_runner);
    LogOfTest log;
    auto plan = resolve(m_source, tools);
    m_log = log.end();
    return plan.value();
  }
  Source m_source;
  Plan m_plan;
  std::string m_log;
};

TEST_F(Resolve, TakesTheSettingsOfTheSource) {
  m_source.settings.arguments = {"--fast", "x"};
  m_source.settings.environment = {{"A", "b"}};
  const auto plan = resolved();
  EXPECT_EQ(plan.language, languages().back().name);
  EXPECT_EQ(plan.start.command, (std::vector<std::string>{"main", "--fast", "x"}));
  EXPECT_EQ(plan.start.environment, (std::map<std::string, std::string>{{"A", "b"}}));
  EXPECT_EQ(plan.key, m_plan.key);
}

TEST_F(Resolve, SaysForWhatAndWhichProgram) {
  const auto log_is = [&](const std::string& text) {
    resolved();
    EXPECT_NE(m_log.find(text + " ("), std::string::npos) << m_log;
    EXPECT_EQ(m_log.find("program: ") != std::string::npos, !m_plan.program.name.empty()) << m_log;
  };
  log_is("resolve: for linux/amd64, key 0123456789ab");
  m_plan.compiler = "go1.26.8";
  m_plan.platform.libc = "glibc 2.36";
  m_plan.platform.interpreter = "cpython-3.11";
  log_is("resolve: for linux/amd64, go1.26.8, glibc 2.36, cpython-3.11, key 0123456789ab");
  m_plan.program = {"./cmd/x", "the only package main"};
  log_is("program: ./cmd/x");
  EXPECT_NE(m_log.find("program: ./cmd/x (the only package main)\n"), std::string::npos) << m_log;
  m_source.has_own_command = true;
  resolved();
  EXPECT_EQ(m_log.find("program: "), std::string::npos) << m_log;
  m_source.has_own_command = false;
  log_is("resolve: for linux/amd64, go1.26.8, glibc 2.36, cpython-3.11, key 0123456789ab");
  m_plan.program = {};
  m_plan.key = "";
  log_is("resolve: nothing to install; using cpython-3.11");
}

TEST_F(Resolve, AFailureOfThePlanIsItsOwn) {
  m_source.plan = [](const Tools&) -> base::Result<Plan> {
    return base::fail(base::ErrorKind::bad_input, "go.mod", "is wrong");
  };
  const Tools tools(m_settings, m_runner);
  EXPECT_EQ(resolve(m_source, tools).error().what, "is wrong");
}

}  // namespace
}  // namespace builder
