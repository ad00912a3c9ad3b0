// SPDX-License-Identifier: Apache-2.0
// Commits, files and jobs that are read from a cluster: what pachctl is called with, what is made of each
// answer, and what each call's failure says.
#include <gmock/gmock.h>

#include <boost/filesystem/operations.hpp>
#include <cstdlib>
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/text.h"
#include "pachbuild/cluster/job_replay.h"
#include "pachbuild/cluster/present.h"
#include "pachbuild/cluster/repo_files.h"
#include "pachbuild/cluster/transaction.h"

namespace cluster {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using Texts = std::vector<std::string>;

// Answers each call that begins with some words; of several answers to the same words one after the other.
class RepoCalls final : public process::Runner {
 public:
  base::Result<process::Finished> run(const process::Command& command,
                                      const process::ErrorSink& /*sink*/) override {
    const std::lock_guard lock(m_mutex);
    const auto call = base::join({command.arguments.begin() + 1, command.arguments.end()}, " ");
    calls.push_back(call + limit_text(command.time_limit));
    if (!failing.empty() && call.starts_with(failing)) return finished(1, "", errors);
    for (auto& [begin, texts] : answers) {
      if (!call.starts_with(begin) || texts.empty()) continue;
      const std::string text = texts.front();
      if (texts.size() > 1) texts.erase(texts.begin());
      return finished(0, text, "");
    }
    return finished(0, "", "");
  }

  std::map<std::string, Texts> answers;
  Texts calls;
  std::string failing;
  std::string errors = "Error: refused\n";

 private:
  static std::string limit_text(std::chrono::milliseconds limit) {
    return limit.count() == 0 ? "" : " in " + std::to_string(limit.count());
  }
  static process::Finished finished(int code, const std::string& output, const std::string& said) {
    return {process::Ending::from_wait_status(code << 8), output, said};
  }
  std::mutex m_mutex;
};

class RepoCallsTest : public testing::Test {
 protected:
  RepoCallsTest() { ::setenv("PACHCTL", "/bin/true", 1); }
  ~RepoCallsTest() override { ::unsetenv("PACHCTL"); }

  Pachctl pachctl(const std::string& project = "") {
    return Pachctl::find({.context = "", .project = project}, m_folder.path() / "scratch", m_script).value();
  }
  static std::string shown(const base::Error& error) {
    return std::to_string(static_cast<int>(error.kind)) + " " + base::format_error(error);
  }

  const std::string m_id = "0123456789abcdef0123456789abcdef";
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "repo-calls.").value();
  RepoCalls m_script;
};

json commit_info(const std::string& id, const json& more = json::object()) {
  json info = {{"commit", {{"id", id}}}};
  info.update(more);
  return info;
}

std::string kind_of(base::ErrorKind kind) { return std::to_string(static_cast<int>(kind)) + " "; }

TEST_F(RepoCallsTest, ACommitHasAnIdWhenItIsFinished) {
  const json finished = {{"finishing", "t"}, {"finished", "t"}};
  const auto find = [&](const CommitPlace& place, const Texts& answers, const std::string& project = "") {
    m_script.calls.clear();
    m_script.answers = {{"inspect commit", answers}};
    const auto id = find_commit(pachctl(project), place);
    return id ? *id : shown(id.error());
  };
  EXPECT_EQ(find({"", "r", "master"}, {commit_info(m_id, finished).dump()}), m_id);
  EXPECT_THAT(m_script.calls, ElementsAre("inspect commit r@master --raw"));
  EXPECT_EQ(find({"q", "r", "b"}, {commit_info(m_id, finished).dump()}, "p"), m_id);
  EXPECT_THAT(m_script.calls, ElementsAre("inspect commit r@b --project q --raw"));
  EXPECT_EQ(find({"", "r", "b"}, {commit_info(m_id, finished).dump()}, "p"), m_id);
  EXPECT_THAT(m_script.calls, ElementsAre("inspect commit r@b --project p --raw"));
  // One that is closed and not yet compacted is waited for.
  EXPECT_EQ(find({"", "r", "b"},
                 {commit_info(m_id, {{"finishing", "t"}}).dump(), commit_info(m_id, finished).dump()}),
            m_id);
  EXPECT_THAT(m_script.calls,
              ElementsAre("inspect commit r@b --raw", "wait commit r@" + m_id, "inspect commit r@b --raw"));
  const std::string open = kind_of(base::ErrorKind::network) +
                           "error: q/r@b: is not finished yet\nhint: it is being written to, or its job is "
                           "still running; name an earlier commit, for example q/r@b^\n";
  EXPECT_EQ(find({"q", "r", "b"}, {commit_info(m_id).dump()}), open);
  EXPECT_EQ(m_script.calls.size(), 1U);
  EXPECT_EQ(find({"q", "r", "b"}, {commit_info(m_id, {{"finishing", "t"}}).dump()}), open);
  EXPECT_EQ(find({"", "r", "b"}, {commit_info("x", finished).dump()}),
            kind_of(base::ErrorKind::io) + "error: r@b: has no commit id\n");
  EXPECT_EQ(find({"", "r", "b"}, {""}), kind_of(base::ErrorKind::io) + "error: r@b: has no commit id\n");
  json failed = finished;
  failed["error"] = "no\n";
  EXPECT_EQ(find({"", "r", "b"}, {commit_info(m_id, failed).dump()}),
            kind_of(base::ErrorKind::bad_input) +
                "error: r@b: belongs to a job that failed: no\\n\nhint: name an earlier commit, for example "
                "r@b^\n");
}

TEST_F(RepoCallsTest, ACommitThatIsNotFoundIsNotAClusterThatIsSilent) {
  const CommitPlace place{"q", "r", "b"};
  const auto find = [&](std::chrono::milliseconds limit) {
    m_script.calls.clear();
    return shown(find_commit(pachctl(), place, limit).error());
  };
  m_script.failing = "inspect";
  EXPECT_EQ(find(std::chrono::milliseconds(70)),
            kind_of(base::ErrorKind::bad_input) +
                "error: q/r@b: Error: refused\nhint: pachctl list branch r lists them\n");
  EXPECT_THAT(m_script.calls,
              ElementsAre("inspect commit r@b --project q --raw in 70", "version --timeout 5s in 70"));
  m_script.failing = "wait";
  m_script.answers["inspect commit"] = {commit_info(m_id, {{"finishing", "t"}}).dump()};
  EXPECT_NE(find(std::chrono::milliseconds(70)), "");
  EXPECT_EQ(m_script.calls.back(), "wait commit r@" + m_id + " --project q");
  // What was answered before the answer broke off counts for nothing.
  m_script.failing.clear();
  m_script.answers["inspect commit"] = {commit_info(m_id, {{"finishing", "t"}}).dump() + "{"};
  const auto broken = kind_of(base::ErrorKind::io) + "error: pachctl inspect commit: returned invalid JSON\n";
  EXPECT_EQ(find(std::chrono::milliseconds(70)), broken);
  EXPECT_EQ(m_script.calls.size(), 1U);
  // A call that took too long says by itself that nobody answers.
  class Late final : public process::Runner {
   public:
    base::Result<process::Finished> run(const process::Command&, const process::ErrorSink&) override {
      ++count;
      return base::fail(base::ErrorKind::unavailable, "pachctl", "took too long", "");
    }
    int count = 0;
  } late;
  EXPECT_EQ(shown(find_commit(pachctl().with_runner(late), place).error()),
            kind_of(base::ErrorKind::unavailable) +
                "error: the cluster does not answer: took too long\nhint: check the output of `pachctl "
                "version` and `pachctl config get active-context`\n");
  EXPECT_EQ(late.count, 1);
  class Silent final : public process::Runner {
   public:
    base::Result<process::Finished> run(const process::Command&, const process::ErrorSink&) override {
      return process::Finished{process::Ending::from_wait_status(256), "", "Error: no route\n"};
    }
  } silent;
  EXPECT_EQ(shown(find_commit(pachctl().with_runner(silent), place).error()),
            kind_of(base::ErrorKind::unavailable) +
                "error: the cluster does not answer: Error: no route\nhint: check the output of `pachctl "
                "version` and `pachctl config get active-context`\n");
}

TEST_F(RepoCallsTest, TheFilesOfACommitAreListedAsAFolderIs) {
  const auto file = [](const std::string& path, const json& more = json::object()) {
    json item = {{"file_type", "FILE"}, {"file", {{"path", path}}}, {"hash", "h" + path}};
    item.update(more);
    return item.dump() + "\n";
  };
  m_script.answers["glob file"] = {file("/b.c", {{"size_bytes", "7"}}) + file("/b/z") + file("/b/a/x") +
                                   file("a") + file("/d", {{"file_type", "DIR"}}) +
                                   json{{"file", {{"path", "/e"}}}}.dump() + file("/~") + file("/b-c")};
  const auto files = list_commit(pachctl(), {"q", "r", m_id}).value();
  Texts listed;
  for (const auto& one : files) listed.push_back(one.path + " " + std::to_string(one.bytes) + " " + one.hash);
  EXPECT_THAT(listed, ElementsAre("a 0 ha", "b/a/x 0 h/b/a/x", "b/z 0 h/b/z", "b-c 0 h/b-c", "b.c 7 h/b.c",
                                  "~ 0 h/~"));
  EXPECT_THAT(m_script.calls, ElementsAre("glob file r@" + m_id + ":/** --project q --raw"));
  for (const std::string path : {"../x", "a/../x", ".", "a/./b", "a//b", "", "/", "a/", "a\nb"}) {
    m_script.answers["glob file"] = {file("/a") + file(path.starts_with('/') ? path : "/" + path) +
                                     file("/z")};
    const auto wrong = list_commit(pachctl(), {"", "r", "b"});
    if (path.empty() || path == "/") continue;
    ASSERT_FALSE(wrong) << path;
    EXPECT_EQ(shown(wrong.error()), kind_of(base::ErrorKind::bad_input) + "error: r@b: has a file " +
                                        base::printable(base::quoted(path)) +
                                        ", which cannot be stored in a folder here\n");
  }
  m_script.failing = "glob";
  EXPECT_FALSE(list_commit(pachctl(), {"", "r", "b"}));
}

TEST_F(RepoCallsTest, FilesAndFoldersAreFetchedIntoTheirFolders) {
  const auto target = m_folder.path() / "target";
  const std::string to = target.string();
  ASSERT_TRUE(get_files(pachctl(), {"q", "r", "b"}, {{"x/a", false}, {"y/", true}, {"", true}}, target));
  EXPECT_THAT(m_script.calls,
              testing::UnorderedElementsAre(
                  "get file r@b:/x/a --output " + to + "/x/a --progress=false --project q",
                  "get file r@b:/y/ --output " + to + "/y/ --progress=false --recursive --project q",
                  "get file r@b:/ --output " + to + " --progress=false --recursive --project q"));
  EXPECT_TRUE(base::fs::is_directory(target / "x"));
  EXPECT_FALSE(base::fs::exists(target / "x/a"));
  EXPECT_TRUE(base::fs::is_directory(target / "y"));
  m_script.failing = "get file r@b:/y";
  EXPECT_FALSE(get_files(pachctl(), {"", "r", "b"}, {{"x/a", false}, {"y/", true}}, target));
}

TEST(CommitIds, Have32LowerCaseDigits) {
  EXPECT_TRUE(is_commit_id("0123456789abcdef0123456789abcdef"));
  for (const std::string& text : Texts{"", std::string(31, 'a'), std::string(33, 'a'), std::string(32, 'A'),
                                       std::string(31, 'a') + "g", std::string(31, 'a') + "/"})
    EXPECT_FALSE(is_commit_id(text)) << text;
}

TEST(CommitPlaces, ThatAreWrongSayWhatIsRight) {
  const auto error = parse_commit_place("a b", "--input").error();
  EXPECT_EQ(error.kind, base::ErrorKind::usage);
  EXPECT_EQ(base::format_error(error),
            "error: --input: \"a b\" does not have the form [PROJECT/]REPO[@BRANCH-OR-COMMIT]\n"
            "hint: for example images@master\n");
  for (const auto& [text, project, repo, commit] :
       std::vector<std::tuple<std::string, std::string, std::string, std::string>>{
           {"a", "", "a", "master"},
           {"p/a", "p", "a", "master"},
           {"p/a@b", "p", "a", "b"},
           {"a@b/c", "", "a", "b/c"},
           {"a@~!", "", "a", "~!"}}) {
    const auto place = parse_commit_place(text, "").value();
    EXPECT_EQ(place.project, project);
    EXPECT_EQ(place.repo, repo);
    EXPECT_EQ(place.commit, commit);
  }
  for (const char* text : {"-p@x", "p/-a", "a@\x7f", "a@é", "a@b:c", "p b/a", "a@\x1f", "p//a"})
    EXPECT_FALSE(parse_commit_place(text, "")) << text;
}

// A call costs as much as 8 MiB, a file of a folder 8 KiB.
TEST(Transfers, CostTheirCallsAndTheirBytes) {
  const auto of_folder = [](std::uint64_t unwanted) {
    const std::vector<RepoFile> files = {
        {"a", std::uint64_t{1} << 40U, ""}, {"b/c", 1, ""}, {"b/d", 1, ""}, {"b/e", unwanted, ""}};
    const auto transfers = plan_transfers(files, {false, true, true, false});
    return transfers.size() == 1 && transfers[0].is_folder && transfers[0].path == "b/";
  };
  constexpr std::uint64_t k_call = std::uint64_t{8} << 20U;
  constexpr std::uint64_t k_files = 3 * (std::uint64_t{8} << 10U);
  EXPECT_TRUE(of_folder(k_call - k_files - 1));
  EXPECT_FALSE(of_folder(k_call - k_files));
}

TEST(JobPlaces, AreWhatPachctlTakes) {
  const std::string id(32, 'f');
  const auto told = [](const std::string& text) {
    const auto place = parse_job_place(text, "--job");
    return place ? place->project + "|" + place->pipeline + "|" + place->job
                 : base::format_error(place.error());
  };
  EXPECT_EQ(told("map"), "|map|");
  EXPECT_EQ(told("q/map@" + id), "q|map|" + id);
  EXPECT_EQ(told("map@" + id), "|map|" + id);
  for (const std::string& job : Texts{"", "1", id + "@" + id})
    EXPECT_EQ(
        told("q/map@" + job),
        "error: --job q/map@" + job + ": invalid job id \"" + job +
            "\"; expected 32 hexadecimal digits\nhint: pachctl list job --pipeline map shows the ids\n");
  for (const std::string& text :
       Texts{"", "@" + id, "-map", "a/b/map", "/map", "a b", "q/", "a b/map", "a b@" + id})
    EXPECT_EQ(told(text), "error: --job " + text +
                              ": does not have the form [PROJECT/]PIPELINE[@JOB]\nhint: for example "
                              "map@f4de83f7bc204bb7975de966b346fce9; pachctl list job shows the ids\n");
  EXPECT_EQ(parse_job_place("", "").error().kind, base::ErrorKind::usage);
}

class JobReplays : public RepoCallsTest {
 protected:
  JobReplays() { answer(); }

  void answer() {
    m_script.answers = {
        {"inspect job", {m_info.dump()}},
        {"list job --pipeline map", {json{{"job", {{"pipeline", {{"name", "map"}}}, {"id", m_id}}}}.dump()}},
        {"inspect commit", {commit_info(std::string(32, 'c'), {{"finished", "t"}}).dump()}},
        {"list datum",
         {R"({"state": "FAILED", "datum": {"id": "d1"}}{"state": "SUCCESS"})"
          R"({"datum": {"id": "d3"}}{"state": "FAILED", "datum": {"id": "d4"}})"}}};
    m_script.calls.clear();
  }
  static json pfs(const json& more) {
    json leaf = {{"repo", "r"}, {"project", "default"}, {"commit", "x"}};
    leaf.update(more);
    return {{"pfs", leaf}};
  }

  json m_info = {
      {"job", {{"pipeline", {{"name", "map"}, {"project", {{"name", "default"}}}}}}},
      {"state", "JOB_FAILURE"},
      {"details",
       {{"transform", {{"cmd", {"worker-shim", "--exec", "--", "a"}}, {"image", "i"}}},
        {"input",
         pfs({{"branch", "dev"}, {"repo_type", "user"}, {"trigger", 1}, {"propagation_spec", 2}})}}}};
};

TEST_F(JobReplays, HaveTheSpecAndTheCommitsOfTheirJob) {
  const auto replay = read_job_replay(pachctl(), {"", "map", m_id}).value();
  EXPECT_EQ(replay.id, m_id);
  EXPECT_TRUE(replay.has_ended);
  EXPECT_FALSE(replay.has_build);
  EXPECT_EQ(json::parse(replay.spec),
            json::parse(R"({"pipeline": {"name": "map", "project": {"name": "default"}},
              "transform": {"cmd": ["worker-shim", "--exec", "--", "a"], "image": "i"},
              "input": {"pfs": {"repo": "r", "project": "default", "branch": "dev"}}})"));
  EXPECT_EQ(replay.commits,
            (std::map<std::string, std::string>{{"default/r@dev", "default/r@" + std::string(32, 'c')}}));
  EXPECT_THAT(replay.failed, ElementsAre("d1", "d4"));
  EXPECT_THAT(m_script.calls,
              ElementsAre("inspect job map@" + m_id + " --raw", "inspect commit r@x --project default --raw",
                          "list datum map@" + m_id + " --raw"));
}

TEST_F(JobReplays, WithoutAnIdAreOfTheNewestJob) {
  const auto replay = read_job_replay(pachctl(), {"q", "map", ""}).value();
  EXPECT_EQ(replay.id, m_id);
  EXPECT_THAT(m_script.calls, ElementsAre("list job --pipeline map --project q --raw",
                                          "inspect job map@" + m_id + " --project q --raw",
                                          "inspect commit r@x --project default --raw",
                                          "list datum map@" + m_id + " --project q --raw"));
  m_script.answers["list job"] = {""};
  m_script.answers["list job --pipeline map"] = {""};
  const auto none = read_job_replay(pachctl(), {"", "map", ""});
  ASSERT_FALSE(none);
  EXPECT_EQ(shown(none.error()),
            kind_of(base::ErrorKind::bad_input) + "error: pipeline map: has no job yet\n");
}

TEST_F(JobReplays, TakeCommitsOutOfEveryInput) {
  auto& input = m_info["details"]["input"];
  input = json::object();
  for (const char* kind : {"join", "group", "union"}) {
    input = {{kind, json::array({input, pfs({{"repo", std::string("of-") + kind}})})}};
    if (input[kind][0].empty()) input[kind].erase(0);
  }
  input = {{"cross", json::array({input, {{"cron", {{"repo", "tick"}, {"commit", "y"}}}}})}};
  m_info["details"]["datum_timeout"] = "5s";
  answer();
  const auto replay = read_job_replay(pachctl(), {"", "map", m_id}).value();
  Texts keys;
  for (const auto& [key, value] : replay.commits) keys.push_back(key);
  EXPECT_THAT(keys, ElementsAre("default/of-group@master", "default/of-join@master",
                                "default/of-union@master", "default/tick@master"));
  EXPECT_EQ(replay.spec.find("commit"), std::string::npos) << replay.spec;
  EXPECT_EQ(json::parse(replay.spec).at("datum_timeout"), "5s");
}

TEST_F(JobReplays, KnowTheBuildThatTheyRead) {
  const json shim = {"/usr/local/bin/worker-shim", "--exec", "--", "a", "b"};
  const json build = pfs({{"name", "build"}, {"repo", "map_build"}, {"branch", "build"}});
  const auto replay_with = [&](const json& leaf) {
    m_info["details"]["transform"] = {{"cmd", shim}, {"err_cmd", {"sh", "/pfs/build/run.sh"}}};
    m_info["details"]["input"] = {{"cross", json::array({leaf, pfs({{"name", "z"}})})}};
    answer();
    return read_job_replay(pachctl(), {"", "map", m_id}).value();
  };
  const auto replay = replay_with(build);
  EXPECT_TRUE(replay.has_build);
  const auto transform = json::parse(replay.spec).at("transform");
  EXPECT_EQ(transform.at("cmd").at(0), "sh");
  EXPECT_EQ(transform.at("cmd").back(), "b");
  EXPECT_EQ(transform.at("err_cmd"), json({"sh", "/pfs/build/run.sh"}));
  for (const char* field : {"name", "repo", "branch"}) {
    json other = build;
    other["pfs"][field] = "other";
    const auto changed = replay_with(other);
    EXPECT_FALSE(changed.has_build) << field;
    EXPECT_EQ(json::parse(changed.spec).at("transform").at("cmd"), shim);
  }
}

TEST_F(JobReplays, EndAsTheirStatesSay) {
  for (const auto& [state, has_ended] : std::map<std::string, bool>{{"JOB_SUCCESS", true},
                                                                    {"JOB_FAILURE", true},
                                                                    {"JOB_KILLED", true},
                                                                    {"JOB_UNRUNNABLE", true},
                                                                    {"JOB_RUNNING", false},
                                                                    {"JOB_CREATED", false}}) {
    m_info["state"] = state;
    answer();
    EXPECT_EQ(read_job_replay(pachctl(), {"", "map", m_id})->has_ended, has_ended) << state;
  }
}

TEST_F(JobReplays, FailWithEachOfTheirCalls) {
  m_script.failing = "inspect job";
  EXPECT_EQ(
      shown(read_job_replay(pachctl(), {"q", "map", m_id}).error()).substr(3),
      "error: job q/map@" + m_id + ": Error: refused\nhint: pachctl list job --pipeline map lists them\n");
  for (const char* failing : {"list job", "inspect commit", "list datum"}) {
    m_script.failing = failing;
    EXPECT_FALSE(read_job_replay(pachctl(), {"", "map", ""})) << failing;
  }
}

TEST_F(RepoCallsTest, TransactionsThatDeleteABranchGo) {
  const auto transaction = [](const std::string& id, const json& requests) {
    return json{{"transaction", {{"id", id}}}, {"requests", requests}}.dump();
  };
  const auto deletes = [](const std::string& name) {
    return json{{"delete_branch", {{"branch", {{"name", name}}}}}};
  };
  m_script.answers["list transaction"] = {
      transaction("1", json::array({deletes("x"), deletes("old")})) +
      transaction("2", json::array({deletes("x")})) +
      transaction("3", json::array({{{"create_branch", {{"branch", {{"name", "old"}}}}}}})) +
      transaction("4", json::array({deletes("other")})) + transaction("", json::array({deletes("old")})) +
      json{{"transaction", {{"id", "5"}}}}.dump()};
  delete_transactions(pachctl(), {"old", "other"});
  EXPECT_THAT(m_script.calls,
              ElementsAre("list transaction --raw", "delete transaction 1", "delete transaction 4"));
}

TEST_F(RepoCallsTest, ATransactionHasTheIdInQuotes) {
  for (const auto& [answer, id] :
       std::map<std::string, std::string>{{"started new transaction: \"4bf5\"\n", "4bf5"},
                                          {"\"a\"", "a"},
                                          {"started", ""},
                                          {"a \" b", ""},
                                          {"\"\"", ""}}) {
    m_script.calls.clear();
    m_script.answers["start transaction"] = {answer};
    const auto started = Transaction::start(pachctl());
    ASSERT_EQ(started.has_value(), !id.empty()) << answer;
    if (started) {
      EXPECT_EQ(started->id(), id);
      continue;
    }
    EXPECT_EQ(shown(started.error()),
              kind_of(base::ErrorKind::io) + "error: pachctl start transaction: returned no id\n");
    EXPECT_THAT(m_script.calls, ElementsAre("start transaction", "delete transaction"));
  }
}

TEST_F(RepoCallsTest, AClusterThatDoesNotAnswerSaysWhy) {
  m_script.failing = "list repo";
  const std::string silent = kind_of(base::ErrorKind::unavailable) +
                             "error: the cluster does not answer: Error: refused\nhint: check the output of "
                             "`pachctl version` and `pachctl config get active-context`\n";
  EXPECT_EQ(shown(read_repos(pachctl()).error()), silent);
  EXPECT_EQ(shown(read_present(pachctl()).error()), silent);
  m_script.failing = "list pipeline";
  EXPECT_EQ(shown(read_pipelines(pachctl()).error()), silent);
  EXPECT_EQ(shown(read_present(pachctl()).error()), silent);
  EXPECT_FALSE(read_all_readers(pachctl()));
  EXPECT_EQ(base::format_error(no_such_pipeline("p")),
            "error: pipeline p: does not exist\nhint: pachctl list pipeline shows which pipelines exist\n");
  EXPECT_EQ(no_such_pipeline("p").kind, base::ErrorKind::bad_input);
}

TEST(ComparableSpecs, AreWithoutWhatIsOfOneCall) {
  EXPECT_EQ(comparable(json::parse(
                R"({"pipeline": {"name": "p", "project": 1}, "update": 1, "reprocess": 2, "a": 3})")),
            json::parse(R"({"pipeline": {"name": "p"}, "a": 3})"));
  EXPECT_EQ(comparable(json::parse(R"({"project": 1})")), json::parse(R"({"project": 1})"));
}

}  // namespace
}  // namespace cluster
