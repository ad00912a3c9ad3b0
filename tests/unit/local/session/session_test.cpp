// SPDX-License-Identifier: Apache-2.0
// Whole runs of pipelines without a build, on this machine: all that is told of each, in its order, and what
// is left in the cache and the output folder.
#include "pachbuild/local/session/session.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <stdexcept>
#include <variant>

#include "base/errors.h"
#include "base/text.h"
#include "base/time_text.h"
#include "pachbuild/local/record/run_record.h"
#include "tests/unit/local/fake_repos.h"

namespace local {
namespace {

namespace fs = base::fs;
using Json = nlohmann::json;

constexpr char k_cache_variable[] = "PACHBUILD_CACHE_DIR";
constexpr char k_limit_variable[] = "PACHBUILD_CACHE_LIMIT";

Json map_pipeline(const std::string& name, const std::string& repo, const std::string& script) {
  Json spec;
  spec["pipeline"]["name"] = name;
  spec["transform"]["image"] = "any";
  spec["transform"]["cmd"] = Json::array({"sh", "-ec", script});
  spec["input"]["pfs"]["repo"] = repo;
  spec["input"]["pfs"]["glob"] = "/*";
  return spec;
}

// What is told, a line each: the lines of a pipeline follow each other, and what is told of datums that run
// at once is sorted.
class ToldLines final : public Events {
 public:
  void tell(const Event& event) override {
    if (on_event) on_event(event);
    m_pipeline = event.pipeline;
    auto line = std::visit([&](const auto& what) { return line_of(what); }, event.what);
    m_lines.emplace_back(event.pipeline, std::move(line));
  }
  void tick() override { ++ticks; }

  [[nodiscard]] std::string text() const {
    auto lines = m_lines;
    std::stable_sort(lines.begin(), lines.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    const auto is_of_running = [](const auto& line) {
      return line.second.starts_with("start ") || line.second.starts_with("end ") ||
             line.second.starts_with("warning: datum ");
    };
    for (auto begin = lines.begin(); begin != lines.end();) {
      begin = std::find_if(begin, lines.end(), is_of_running);
      const auto end = std::find_if_not(begin, lines.end(), is_of_running);
      std::sort(begin, end);
      begin = end;
    }
    std::string text;
    for (const auto& [pipeline, line] : lines) text += pipeline + ": " + line + "\n";
    return text;
  }

  std::function<void(const Event&)> on_event;
  int ticks = 0;

 private:
  static std::string amount(std::uint64_t files, std::uint64_t bytes) {
    return std::to_string(files) + " files " + std::to_string(bytes) + " bytes";
  }
  static std::string name(const DatumName& datum) { return std::to_string(datum.number) + " " + datum.label; }
  template <class Phase>
  [[nodiscard]] std::string phase_key(const Phase& event) const {
    return m_pipeline + " " + name_of(event.phase) + " " + event.of;
  }
  std::string line_of(const Warned& event) { return "warning: " + event.what; }
  std::string line_of(const Hinted& event) { return "hint: " + event.what; }
  std::string line_of(const PhaseBegins& event) {
    m_meters[phase_key(event)] = event.bytes;
    return std::string(name_of(event.phase)) + " " + event.of + " begins";
  }
  std::string line_of(const PhaseEnds& event) {
    const auto& meter = m_meters[phase_key(event)];
    return std::string(name_of(event.phase)) + " " + event.of + (event.succeeded ? " ends" : " fails") +
           (meter ? ", " + std::to_string(meter->done) + " of " + std::to_string(meter->all) : "");
  }
  std::string line_of(const BuildSteps& event) { return "step " + event.step; }
  std::string line_of(const BuildPrints& event) { return "build prints " + event.text; }
  std::string line_of(const SourceLeftOut& event) { return "left out: " + base::join(event.paths, " "); }
  std::string line_of(const Explained& event) { return "explain " + event.what + ": " + event.because; }
  std::string line_of(const Counted& event) { return "counted " + std::to_string(event.datums); }
  std::string line_of(const DatumSkipped& event) {
    return "skipped " + name(event.datum) + " " + amount(event.files, event.bytes);
  }
  std::string line_of(const DatumsBegin& event) { return "begin " + std::to_string(event.datums); }
  std::string line_of(const DatumStarts& event) {
    return "start " + name(event.datum) + " (" + event.because + ") " + event.log;
  }
  std::string line_of(const DatumPrints& event) { return "prints " + name(event.datum) + " " + event.text; }
  std::string line_of(const DatumEnds& event) {
    const char* const k_states[] = {"succeeded", "recovered", "failed"};
    return "end " + name(event.datum) + " " + k_states[static_cast<int>(event.state)] + " " + event.reason +
           " " + amount(event.files, event.bytes);
  }
  std::string line_of(const PipelineEnds& event) {
    std::string text = "ended";
    for (const auto& [count, what] :
         {std::pair(event.run, " run"), std::pair(event.skipped, " skipped"),
          std::pair(event.recovered, " recovered"), std::pair(event.failed, " failed"),
          std::pair(event.unselected, " unselected"), std::pair(event.conflicting, " conflicting")}) {
      if (count > 0) text += " " + std::to_string(count) + what;
    }
    if (event.exported) text += " to " + event.output + (event.partial ? " in part" : "");
    return text + " " + amount(event.files, event.bytes);
  }
  std::string line_of(const PipelineFails& event) {
    return "fails (" + std::to_string(static_cast<int>(event.error.kind)) + ") " +
           base::format_error(event.error);
  }
  std::string line_of(const PipelineLeftOut& event) { return "left out because of " + event.because; }
  std::string line_of(const CacheShrunk& event) { return "removed " + std::to_string(event.datums); }

  std::vector<std::pair<std::string, std::string>> m_lines;
  std::string m_pipeline;  // of the event that is told
  std::map<std::string, std::shared_ptr<const Meter>> m_meters;
};

class SessionTest : public testing::Test {
 protected:
  SessionTest() {
    for (const auto* name : {k_cache_variable, k_limit_variable}) {
      if (const char* value = std::getenv(name)) m_before[name] = value;
    }
    ::setenv(k_cache_variable, path("cache").c_str(), 1);
    ::unsetenv(k_limit_variable);
    put("data/a.txt", "A\n");
    put("data/b.txt", "BB\n");
    m_options.workers = 1;
    m_options.output = path("out").string();
    m_given = {{"data", path("data").string()}};
  }
  ~SessionTest() override {
    for (const auto* name : {k_cache_variable, k_limit_variable}) ::unsetenv(name);
    for (const auto& [name, value] : m_before) ::setenv(name.c_str(), value.c_str(), 1);
  }
  [[nodiscard]] fs::path path(const std::string& name) const { return m_folder.path() / name; }
  void put(const std::string& name, const std::string& content) const {
    ASSERT_TRUE(base::make_folders(path(name).parent_path()));
    ASSERT_TRUE(base::write_file(path(name), content));
  }
  // Without what differs from run to run.
  [[nodiscard]] std::string plain(std::string text) const {
    text = std::regex_replace(text, std::regex(fs::canonical(m_folder.path()).string()), "TMP");
    text = std::regex_replace(text, std::regex(m_folder.path().string()), "TMP");
    text = std::regex_replace(text, std::regex("TMP/cache/run/[0-9a-f]{16}/logs/[0-9a-f]{64}\\.log"), "LOG");
    text = std::regex_replace(text, std::regex("run/digests-[0-9a-f]{16}"), "run/digests");
    // How much of it came early depends on the machine.
    if (m_options.partial)
      text = std::regex_replace(text, std::regex("(exporting  ends), [0-9]+ of"), "$1 of");
    return text;
  }
  // Runs the pipelines: what was told, and the exit code or the error.
  std::string run(const std::vector<Json>& specs) {
    std::string text;
    for (const auto& spec : specs) text += spec.dump(1) + "\n";
    put("spec.json", text);
    auto loaded =
        spec::load_pipelines({.paths = {path("spec.json").string()}, .templates = {}, .arguments = {}});
    if (!loaded) return base::format_error(loaded.error());
    auto plan = make_plan(std::move(*loaded), m_given);
    if (!plan) return base::format_error(plan.error());
    ToldLines told;
    told.on_event = m_on_event;
    const auto code = run_session(*plan, m_options, told);
    m_ticks = told.ticks;
    return plain(told.text() + (code ? std::to_string(*code) : base::format_error(code.error())));
  }
  // Part of what is recorded of the test.
  void record(const std::string& text) {
    m_record += "--- " + std::to_string(++m_number) + "\n" + text + "\n";
  }
  void TearDown() override {
    const fs::path file = fs::path(PACHBUILD_GOLDEN) / "sessions" /
                          testing::UnitTest::GetInstance()->current_test_info()->name();
    if (std::getenv("PACHBUILD_RECORD") != nullptr && !m_record.empty()) {
      ASSERT_TRUE(base::make_folders(file.parent_path()));
      ASSERT_TRUE(base::write_file(file, m_record));
    }
    EXPECT_EQ(m_record, base::read_file(file).value_or("")) << "record again: tests/golden/README.md";
  }
  [[nodiscard]] LastRun last_run(const std::string& pipeline) const {
    return LastRun::of(path("cache"), path("spec.json").string(), pipeline).value();
  }
  // The folders in the cache that have logs.
  [[nodiscard]] std::vector<fs::path> log_folders() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(path("cache/run"))) {
      if (fs::exists(entry.path() / "logs")) found.push_back(entry.path() / "logs");
    }
    return found;
  }
  // The files of a folder, "NAME=CONTENT" each, in their order.
  [[nodiscard]] std::vector<std::string> files(const fs::path& folder) const {
    std::vector<std::string> found;
    boost::system::error_code error;
    for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end; ++entry) {
      const auto name = entry->path().lexically_relative(folder).string();
      if (name.find(".pachbuild") == std::string::npos && fs::is_regular_file(entry->path()))
        found.push_back(name + "=" + base::read_file(entry->path()).value());
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  [[nodiscard]] std::vector<std::string> output() const { return files(path("out")); }
  // What the logs say, in no order that means anything.
  [[nodiscard]] std::vector<std::string> logs() const {
    std::vector<std::string> found;
    for (const auto& folder : log_folders()) {
      for (const auto& log : fs::directory_iterator(folder))
        found.push_back(base::read_file(log.path()).value());
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  static mode_t mode(const fs::path& path) {
    struct stat status{};
    return ::lstat(path.c_str(), &status) == 0 ? status.st_mode & 07777U : 0;
  }
  // The modes that folders of this name have in the cache's `run`, whenever such an event is told.
  template <typename Kind>
  std::shared_ptr<std::vector<mode_t>> watch_modes(const std::string& name) {
    auto modes = std::make_shared<std::vector<mode_t>>();
    m_on_event = [this, name, modes](const Event& event) {
      if (!std::holds_alternative<Kind>(event.what)) return;
      for (const auto& entry : fs::directory_iterator(path("cache/run"))) {
        if (fs::exists(entry.path() / name)) modes->push_back(mode(entry.path() / name));
      }
    };
    return modes;
  }

  std::map<std::string, std::string> m_before;  // variables
  std::string m_record;
  int m_number = 0;
  int m_ticks = 0;
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "session.").value();
  GivenRepos m_given;
  SessionOptions m_options;
  std::function<void(const Event&)> m_on_event;
};

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr char k_copy[] = "cp -L $data /pfs/out/; echo printed";

TEST_F(SessionTest, ARunIsToldStepByStep) {
  const auto spec = map_pipeline("p", "data", k_copy);
  const auto modes = watch_modes<DatumStarts>("outputs");
  record(run({spec}));
  EXPECT_THAT(output(), ElementsAre("a.txt=A\n", "b.txt=BB\n"));
  EXPECT_THAT(*modes, ElementsAre(0700U, 0700U));
  EXPECT_GT(m_ticks, 0);
  m_on_event = nullptr;
  EXPECT_THAT(logs(), ElementsAre("printed\n", "printed\n"));
  ASSERT_EQ(log_folders().size(), 1U);
  EXPECT_EQ(mode(log_folders()[0]), 0700U);
  EXPECT_EQ(mode(log_folders()[0].parent_path()), 0700U);
  record(run({spec}));
  put("data/b.txt", "CCC\n");
  record(run({spec}));
  m_options.force = true;
  record(run({spec}));
}

TEST_F(SessionTest, WhatFailedComesFirstAndIsLeftOut) {
  const auto spec = map_pipeline("p", "data", "grep -q A $data; cp -L $data /pfs/out/");
  record(run({spec}));
  EXPECT_FALSE(fs::exists(path("out/a.txt")));
  m_options.partial = true;
  record(run({spec}));
  EXPECT_THAT(output(), ElementsAre("a.txt=A\n"));
  m_options.partial = false;
  put("data/a.txt", "AA\n");
  record(run({spec}));
  m_options.only_failed = true;
  put("data/b.txt", "BA\n");
  record(run({spec}));
  EXPECT_THAT(output(), ElementsAre("a.txt=AA\n", "b.txt=BA\n"));
  put("data/a.txt", "AAA\n");
  record(run({spec}));
}

TEST_F(SessionTest, OnlyTheDatumsThatAreNamedRun) {
  const auto spec = map_pipeline("p", "data", k_copy);
  m_options.datums = {"b.txt"};
  record(run({spec}));
  EXPECT_THAT(output(), ElementsAre("b.txt=BB\n"));
  m_options.datums = {"a.txt"};
  m_options.force = true;
  record(run({spec}));
  EXPECT_THAT(output(), ElementsAre("a.txt=A\n", "b.txt=BB\n"));
  m_options.datums = {"none"};
  record(run({spec}));
}

TEST_F(SessionTest, AnInputWithoutDatumsIsAnErrorThatShowsTheRepo) {
  auto spec = map_pipeline("p", "data", k_copy);
  spec["input"]["pfs"]["glob"] = "/*.jpg";
  record(run({spec}));
  put("data/c.txt", "");
  record(run({spec}));
  put("data/d.txt", "");
  record(run({spec}));
  m_options.allow_empty = true;
  record(run({spec}));
  m_options.allow_empty = false;
  spec["input"] = Json();
  for (const char* repo : {"one", "two"}) {
    Json part;
    part["pfs"]["repo"] = repo;
    part["pfs"]["glob"] = "/(*)";
    part["pfs"]["join_on"] = "$1";
    spec["input"]["join"].push_back(part);
    put(std::string(repo) + "/" + repo, "");
    m_given[repo] = path(repo).string();
  }
  m_given.erase("data");
  record(run({spec}));
  ASSERT_TRUE(base::remove_tree(path("two/two")));
  record(run({spec}));
}

TEST_F(SessionTest, TheOutputSharesNoFilesWithTheInput) {
  const auto spec = map_pipeline("p", "data", k_copy);
  for (const std::string folder : {"data", "data/below", "."}) {
    m_options.output = path(folder).string();
    record(run({spec}));
  }
  m_options.output = path("data2").string();
  EXPECT_THAT(run({spec}), EndsWith("\n0"));
  m_options.output = "";
  record(run({spec}));
}

TEST_F(SessionTest, ARunIsAcceptedUnlessTheSpecOrAnOptionIsWrong) {
  int accepted = 0;
  m_options.accepted = [&] { ++accepted; };
  const auto good = map_pipeline("p", "data", k_copy);
  m_options.output = path("data").string();
  run({good});
  m_options.output = path("out").string();
  m_options.datums = {"none"};
  run({good});
  m_options.datums.clear();
  auto mistyped = good;
  mistyped["input"]["pfs"]["glob"] = "/*.jpg";
  run({mistyped});
  EXPECT_EQ(accepted, 0);
  m_options.folder_each = true;
  run({good, map_pipeline("fails", "data", "exit 3")});
  EXPECT_EQ(accepted, 1);
  run({map_pipeline("fails", "data", "exit 3"), map_pipeline("second", "fails", k_copy)});
  EXPECT_EQ(accepted, 2);
}

TEST_F(SessionTest, PipelinesReadWhatOthersWrote) {
  const auto first = map_pipeline("first", "data", k_copy);
  const auto second = map_pipeline("second", "first", "cat $first $first > /pfs/out/$(basename $first)");
  m_options.folder_each = true;
  record(run({first, second}));
  EXPECT_THAT(output(), ElementsAre("first/a.txt=A\n", "first/b.txt=BB\n", "second/a.txt=A\nA\n",
                                    "second/b.txt=BB\nBB\n"));
  const auto broken = map_pipeline("first", "data", "exit 3");
  record(run({broken, second, map_pipeline("third", "second", k_copy)}));
  // Nothing is read for a pipeline without datums, and that is not an error.
  record(run({map_pipeline("first", "data", "true"), second}));
}

TEST_F(SessionTest, AFolderHasTheOutputOfOnePipelineOrOfSeveral) {
  const auto one = map_pipeline("one", "data", k_copy);
  const auto two = map_pipeline("two", "data", k_copy);
  const std::string out = "TMP/out: contains the output of ";
  ASSERT_THAT(run({one}), EndsWith("\n0"));
  m_options.folder_each = true;
  EXPECT_THAT(run({one, two}), HasSubstr(out + "pipeline one, not a subfolder for each pipeline\n"));
  EXPECT_THAT(output(), ElementsAre("a.txt=A\n", "b.txt=BB\n"));
  ASSERT_TRUE(base::remove_tree(path("out")));
  ASSERT_THAT(run({one, two}), EndsWith("\n0"));
  ASSERT_THAT(run({one, two}), EndsWith("\n0"));
  m_options.folder_each = false;
  EXPECT_THAT(run({two}), HasSubstr(out + "several pipelines, such as "));
  // Whoever has put the output of another one into the folder meant it.
  ASSERT_TRUE(base::remove_tree(path("out")));
  ASSERT_THAT(run({one}), EndsWith("\n0"));
  m_options.output = path("out/two").string();
  ASSERT_THAT(run({two}), EndsWith("\n0"));
  m_options.output = path("out").string();
  EXPECT_THAT(run({one}), EndsWith("\n0"));
}

TEST_F(SessionTest, AFolderOfTwoNamesIsReadOnce) {
  const auto one = map_pipeline("one", "data", k_copy);
  const auto two = map_pipeline("two", "other", "cp -L $other /pfs/out/");
  m_options.folder_each = true;
  fs::create_symlink("data", path("link"));
  m_given["other"] = path("link").string();
  record(run({one, two}));
  m_given["other"] = path("none").string();
  record(run({one, two}));
}

TEST_F(SessionTest, ProgramsSeeWhatTheSpecSays) {
  auto spec = map_pipeline("p", "data", "");
  put("data/b.txt", "");
  ASSERT_TRUE(base::remove_tree(path("data/b.txt")));
  auto& transform = spec["transform"];
  transform["cmd"] = Json::array({"sh", "-ec"});
  transform["stdin"] = Json::array({"one", "two"});
  transform["working_dir"] = "/usr";
  transform["accept_return_code"] = Json::array({3, 4});
  transform["env"]["GREETING"] = "hello";
  transform["secrets"] = Json::array();
  for (const auto* key : {"user", "password"}) {
    Json secret;
    secret["name"] = "db";
    secret["key"] = key;
    secret["env_var"] = std::string("DB_") + key;
    transform["secrets"].push_back(secret);
  }
  Json mounted;
  mounted["name"] = "db";
  mounted["mount_path"] = "/etc/pachbuild-unit-test/db";
  transform["secrets"].push_back(mounted);
  m_options.secrets = {{"db", {{"user", "ann"}, {"password", "p"}}}};
  m_options.arguments = {R"(exec > /pfs/out/report; pwd; cat; echo $GREETING $DB_user $DB_password $0 $1
cd /etc/pachbuild-unit-test/db; stat -c '%a %n' .. . ..2* user ..2*/user; cat user; echo
stat -c '%a %n' /pfs/ /pfs/.scratch/ /pfs/out/ /pfs/data/; grep -o '^\(PACH\|PPS\|FILESET\|data\|GREETING\)[A-Za-z_]*' /pfs/.env
exit 4)",
                         "zero", "first"};
  const mode_t mask = ::umask(022);
  record(run({spec}));
  ::umask(mask);
  record(base::read_file(path("out/report")).value_or(""));
}

TEST_F(SessionTest, DatumsAreTriedRecoveredAndTimedOut) {
  ASSERT_TRUE(base::remove_tree(path("data/b.txt")));
  auto spec =
      map_pipeline("p", "data", "echo try; ls /pfs/out; touch /pfs/out/left; cat $data > /dev/null; exit 3");
  spec["datum_tries"] = 2;
  spec["input"]["pfs"]["lazy"] = true;
  spec["transform"]["err_cmd"] = Json::array({"sh", "-c", "cat; exit 1"});
  spec["transform"]["err_stdin"] = Json::array({"error input"});
  record(run({spec}));
  EXPECT_THAT(logs(), ElementsAre("try\nerror input\ntry\nerror input\n"));
  spec["transform"]["err_cmd"] = Json::array({"true"});
  record(run({spec}));
  spec = map_pipeline("p", "data", "exec sleep 60");
  spec["datum_timeout"] = "0.1s";
  record(run({spec}));
}

TEST_F(SessionTest, AProgramThatWritesNothingIsExplainedOnce) {
  record(run({map_pipeline("p", "data", "mkdir /pfs/result; cp -L $data /pfs/result/")}));
  record(run({map_pipeline("p", "data", "cat /pfs/images/x || true")}));
  record(run({map_pipeline("p", "data", "true")}));
}

TEST_F(SessionTest, ALinkInTheOutputIsFollowedOrTold) {
  record(run({map_pipeline("p", "data", "ln -s $data /pfs/out/$(basename $data)")}));
  EXPECT_THAT(output(), ElementsAre("a.txt=A\n", "b.txt=BB\n"));
  record(run({map_pipeline("p", "data", "ln -s nowhere /pfs/out/link")}));
  record(run({map_pipeline("p", "data", "echo x > /pfs/out/one")}));
}

TEST_F(SessionTest, AChangedInputFailsItsDatum) {
  m_on_event = [&](const Event& event) {
    if (std::holds_alternative<DatumStarts>(event.what)) put("data/a.txt", "changed");
  };
  m_options.datums = {"a.txt"};
  record(run({map_pipeline("p", "data", k_copy)}));
}

TEST_F(SessionTest, ASourceIsCopiedForThePersonAlone) {
  auto spec = map_pipeline("p", "data", k_copy);
  spec["transform"] = Json();
  spec["transform"]["build"]["image"] = "builder";
  spec["transform"]["build"]["path"] = "source";
  put("source/main.py", "12345");
  const auto modes = watch_modes<BuildSteps>("source");
  record(run({spec}));
  EXPECT_THAT(*modes, ElementsAre(0700U, 0700U, 0700U));
}

TEST_F(SessionTest, ASignalEndsItAndKeepsWhatIsDone) {
  const auto spec = map_pipeline("p", "data", "grep -q A $data || exec sleep 60; cp -L $data /pfs/out/");
  const auto end_after_first = [](const Event& event) {
    if (std::holds_alternative<DatumEnds>(event.what)) ::kill(::getpid(), SIGTERM);
  };
  const auto end_at_start = [](const Event& event) {
    if (std::holds_alternative<DatumStarts>(event.what)) ::kill(::getpid(), SIGTERM);
  };
  m_on_event = end_after_first;
  const auto told = run({spec});
  EXPECT_THAT(told, HasSubstr("\n: warning: interrupted; the output folder was not changed, and finished "
                              "datums are kept for the next run\n"));
  EXPECT_THAT(told, EndsWith("\n143"));
  EXPECT_THAT(told, Not(HasSubstr("fails")));
  m_on_event = end_at_start;
  m_options.partial = true;
  record(run({spec}));
  m_options.tells_interruption = false;
  record(run({spec}));
}

TEST_F(SessionTest, TheCacheIsKeptBelowItsLimit) {
  const auto spec = map_pipeline("p", "data", k_copy);
  ::setenv(k_limit_variable, "much", 1);
  record(run({spec}));
  ::setenv(k_limit_variable, "1", 1);
  record(run({spec}));
  // What this run used stays; what it did not, goes.
  for (const auto& entry : fs::recursive_directory_iterator(path("cache/results/datums"))) {
    if (!fs::is_regular_file(entry.path())) continue;
    const timespec times[] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, entry.path().c_str(), times, 0), 0);
  }
  put("data/a.txt", "new\n");
  put("data/b.txt", "newer\n");
  ::setenv(k_limit_variable, "0", 1);
  record(run({spec}));
  ::setenv(k_limit_variable, "1", 1);
  record(run({spec}));
  record(run({spec}));
  // After a run that has failed too, unless it could not be done.
  for (const std::string script : {"grep -qx new $data; cp -L $data /pfs/out/", "echo x > /pfs/out/one"}) {
    for (const auto& entry : fs::recursive_directory_iterator(path("cache/results/datums"))) {
      const timespec times[] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
      ASSERT_EQ(::utimensat(AT_FDCWD, entry.path().c_str(), times, 0), 0);
    }
    record(run({map_pipeline("p", "data", script)}));
  }
}

TEST_F(SessionTest, DataOfAClusterComesAsItIsNeeded) {
  const auto repos = std::make_shared<FakeRepos>(m_folder.path());
  for (const std::string name : {"a.txt", "b.txt"}) repos->set(name, "cluster's " + name + "\n");
  m_options.remote = repos;
  m_options.datums = {"a.txt"};
  m_given = {{"data", "pfs:"}};
  const auto spec = map_pipeline("p", "data", "cp -L $data /pfs/out/; echo $data_COMMIT > /pfs/out/id");
  record(run({spec}));
  record(base::join(repos->asked, "\n"));
  EXPECT_THAT(output(), ElementsAre("a.txt=cluster's a.txt\n", std::string("id=") + k_first_id + "\n"));
  repos->is_refusing = true;
  record(run({spec}));
}

TEST_F(SessionTest, WhatIsPrintedIsToldIfSomebodyWantsIt) {
  m_options.printed = Printed::all;
  m_options.datums = {"a.txt"};
  record(run({map_pipeline("p", "data", k_copy)}));
  m_options.printed = Printed::nothing;
  m_options.force = true;
  record(run({map_pipeline("p", "data", k_copy)}));
}

TEST_F(SessionTest, AShellIsInTheDatumThatFailedLast) {
  const auto spec = map_pipeline("p", "data", "grep -q A $data");
  run({spec});
  std::string told;
  ShellOptions shell;
  shell.begins = [&](const ShellBegins& begins) {
    EXPECT_FALSE(last_run("p").goes_on()) << "nobody waits for its end";
    told += "begins " + begins.datum.label + " of " + std::to_string(begins.datums) + ": " +
            base::join(begins.program, " ") + " < " + base::join(begins.input_lines, "|") + "\n";
  };
  shell.ends = [&](const ShellEnds& ends) {
    told += "ends " + ends.fault;
    for (const auto& file : ends.files) told += file.path + "=" + std::to_string(file.size) + " ";
    told += "\n";
  };
  m_options.shell = &shell;
  const auto in_shell = [&](const std::string& script) {
    shell.command = {"sh", "-c", script};
    told.clear();
    const auto lines = run({spec});
    return lines + "\n" + plain(told);
  };
  record(in_shell("cat $data > /pfs/out/copy; exit 7"));
  m_options.arguments = {"x"};
  m_options.datums = {"a.txt"};
  record(in_shell("ln -s x /pfs/out/link"));
  shell.command = {"no-such-command"};
  told.clear();
  record(run({spec}));
  record(told);
  EXPECT_FALSE(fs::exists(path("out")));
}

TEST_F(SessionTest, LogsAreOfAPipelineAndAnOutputFolder) {
  const auto spec = map_pipeline("p", "data", k_copy);
  run({spec});
  EXPECT_EQ(log_folders().size(), 1U);
  put("data/b.txt", "CCC\n");
  run({spec});
  EXPECT_EQ(log_folders().size(), 1U);
  EXPECT_THAT(logs(), ElementsAre("printed\n", "printed\n")) << "that of the skipped datum stays";
  m_options.output = path("other").string();
  m_options.force = true;
  run({spec});
  EXPECT_EQ(log_folders().size(), 2U);
  m_options.output = "";
  run({spec});
  EXPECT_EQ(log_folders().size(), 3U);
  run({map_pipeline("q", "data", k_copy)});
  EXPECT_EQ(log_folders().size(), 4U);
}

TEST_F(SessionTest, LogsThatCannotBeWrittenAreToldOnce) {
  const auto spec = map_pipeline("p", "data", k_copy);
  run({spec});
  std::vector<fs::path> logs;
  for (const auto& log : fs::directory_iterator(log_folders().at(0))) logs.push_back(log.path());
  for (const auto& log : logs) {
    fs::remove(log);
    ASSERT_TRUE(base::make_folders(log));
  }
  m_options.force = true;
  const auto told = run({spec});
  EXPECT_THAT(told, HasSubstr("p: warning: LOG: cannot write: is a folder; logs of datums are incomplete\n"));
  EXPECT_EQ(told.find("incomplete"), told.rfind("incomplete"));
  EXPECT_THAT(told, EndsWith("\n0"));
}

TEST_F(SessionTest, WhatBecameOfEachDatumIsRemembered) {
  const auto spec = map_pipeline("p", "data", "grep -q A $data; sleep 0.02; cp -L $data /pfs/out/");
  std::vector<bool> goes_on;
  m_on_event = [&](const Event& event) {
    if (std::holds_alternative<DatumStarts>(event.what)) goes_on.push_back(last_run("p").goes_on());
  };
  const auto before = base::seconds_now();
  run({spec});
  EXPECT_THAT(goes_on, ElementsAre(true, true));
  EXPECT_FALSE(last_run("p").goes_on());
  const auto states = [&] {
    std::string text;
    const auto last = last_run("p").load().value();
    for (const auto& datum : last.datums) {
      text += datum.label + " " + std::to_string(static_cast<int>(datum.state)) + " " + datum.failure + " (" +
              last.reasons.at(datum.reason) + ")\n";
    }
    return text;
  };
  const auto last = last_run("p").load().value();
  EXPECT_GE(last.started, before);
  EXPECT_LE(last.started, base::seconds_now());
  EXPECT_EQ(last.output, fs::canonical(m_folder.path()).string() + "/out");
  EXPECT_EQ(last.logs, fs::canonical(log_folders().at(0)).string());
  EXPECT_TRUE(last.settings.hidden.contains("transform.cmd"));
  EXPECT_EQ(last.repos.at("data").size(), 2U);
  EXPECT_EQ(last.folders.at("data"), fs::canonical(path("data")).string());
  ASSERT_EQ(last.datums.size(), 2U);
  EXPECT_GE(last.datums[1].milliseconds, 20) << "data/a.txt succeeded";
  EXPECT_LT(last.datums[1].milliseconds, 60'000);
  record(states());
  // What failed stays known where it was not selected, and what it took.
  m_options.datums = {"a.txt"};
  m_options.force = true;
  run({spec});
  record(states());
  EXPECT_EQ(last_run("p").load()->datums[0].milliseconds, last.datums[0].milliseconds);
  m_options.datums = {};
  m_options.only_failed = true;
  m_options.force = false;
  record(run({spec}));
  m_options.output = "";
  run({spec});
  EXPECT_EQ(last_run("p").load()->output, "");
  // One that was edited since has no state that is known.
  put("data/b.txt", "DD\n");
  m_options.only_failed = false;
  m_options.datums = {"a.txt"};
  run({spec});
  record(states());
}

TEST_F(SessionTest, NoMoreWorkersStartThanThereAreDatums) {
  std::vector<std::ptrdiff_t> counts;
  m_options.workers = 8;
  m_on_event = [&](const Event& event) {
    if (!std::holds_alternative<DatumEnds>(event.what)) return;
    for (const auto& entry : fs::directory_iterator(path("cache/run"))) {
      if (!fs::exists(entry.path() / "outputs")) continue;
      counts.push_back(std::count_if(fs::directory_iterator(entry.path()), {}, [](const auto& child) {
        return child.path().filename().string().starts_with("worker-");
      }));
    }
  };
  run({map_pipeline("p", "data", k_copy)});
  EXPECT_THAT(counts, ElementsAre(2, 2));
}

TEST_F(SessionTest, APartialOutputIsThereWhileOthersRun) {
  const std::string out = fs::canonical(m_folder.path()).string() + "/out";
  m_options.partial = true;
  // The second waits until it sees what the first one wrote, or gives up.
  const auto spec =
      map_pipeline("p", "data",
                   "cp -L $data /pfs/out/; grep -q A $data && exit; for i in $(seq 100); do [ ! -e '" + out +
                       "/a.txt' ] || exit 0; sleep 0.1; done; exit 1");
  EXPECT_THAT(run({spec}), EndsWith("\n0"));
  EXPECT_THAT(output(), ElementsAre("a.txt=A\n", "b.txt=BB\n"));
}

TEST_F(SessionTest, DatumsWithOnePathAreLeftOutOfAPartialOutput) {
  put("data/c.txt", "C\n");
  ASSERT_THAT(run({map_pipeline("p", "data", k_copy)}), EndsWith("\n0"));
  // Only the last one writes nothing that another one writes.
  const auto spec = map_pipeline("p", "data",
                                 "cat $data > /pfs/out/new-$(basename $data); grep -q C $data || "
                                 "cp -L $data /pfs/out/same");
  EXPECT_THAT(run({spec}),
              HasSubstr("p: fails (1) error: /pfs/out/same: written by two datums: data/a.txt and "
                        "data/b.txt, so the output folder was not changed\n"));
  EXPECT_THAT(output(), ElementsAre("a.txt=A\n", "b.txt=BB\n", "c.txt=C\n"));
  m_options.partial = true;
  for (const bool force : {false, true}) {
    m_options.force = force;
    const auto told = run({spec});
    EXPECT_THAT(told, HasSubstr(" 2 conflicting to "));
    EXPECT_THAT(told, HasSubstr("p: fails (1) error: /pfs/out/same: written by two datums: data/a.txt and "
                                "data/b.txt, so their output is left out\n"));
    EXPECT_THAT(told, EndsWith("\n1"));
    EXPECT_THAT(output(), ElementsAre("new-c.txt=C\n"));
    EXPECT_EQ(base::read_file(path("out/.pachbuild/missing")).value(),
              "data/a.txt: /pfs/out/same: written by two datums: data/a.txt and data/b.txt\n"
              "data/b.txt: /pfs/out/same: written by two datums: data/a.txt and data/b.txt\n");
  }
  EXPECT_THAT(run({map_pipeline("p", "data", k_copy)}), EndsWith("\n0"));
  EXPECT_THAT(output(), ElementsAre("a.txt=A\n", "b.txt=BB\n", "c.txt=C\n"));
}

TEST_F(SessionTest, ABatchThatNeverAsksEndsTheRun) {
  auto spec = map_pipeline("p", "data", "exit 3");
  spec["transform"]["datum_batching"] = true;
  record(run({spec}));
}

TEST_F(SessionTest, ACronHasTheTickThatIsGiven) {
  Json spec = map_pipeline("p", "data", "ls /pfs/tick/ > /pfs/out/ticks");
  spec["input"] = Json();
  spec["input"]["cron"]["name"] = "tick";
  spec["input"]["cron"]["spec"] = "@daily";
  m_given.clear();
  m_options.tick = "2026-01-02T03:04:05Z";
  record(run({spec}));
  EXPECT_THAT(output(), ElementsAre("ticks=2026-01-02T03:04:05Z\n"));
}

TEST_F(SessionTest, ABugEndsAllAndComesOut) {
  m_on_event = [](const Event& event) {
    if (std::holds_alternative<Counted>(event.what)) throw std::runtime_error("a bug");
  };
  m_options.folder_each = true;
  EXPECT_THROW(run({map_pipeline("first", "data", k_copy), map_pipeline("second", "first", k_copy)}),
               std::runtime_error);
}

TEST_F(SessionTest, DigestsThatCannotBeRememberedAreToldAndNoError) {
  const auto spec = map_pipeline("p", "data", k_copy);
  run({spec});
  fs::path memory;
  for (const auto& entry : fs::directory_iterator(path("cache/run"))) {
    if (entry.path().filename().string().starts_with("digests-")) memory = entry.path();
  }
  ASSERT_FALSE(memory.empty());
  fs::remove(memory);
  ASSERT_TRUE(base::make_folders(memory / "x"));
  record(run({spec}));
  // Of other folders it is another file.
  m_given["data"] = path("other").string();
  put("other/a", "");
  EXPECT_THAT(run({spec}), Not(HasSubstr("warning")));
}

}  // namespace
}  // namespace local
