// SPDX-License-Identifier: Apache-2.0
// The repository that is made for a build answers git's questions as the source's own would.
#include "builder-runtime/languages/python/install/git_repository.h"

#include <gmock/gmock.h>

#include <boost/filesystem/operations.hpp>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "tests/unit/builder/python/fake_machine.h"

namespace builder::python {
namespace {

namespace fs = base::fs;
using revision::Revision;

class GitRepository : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "gitrepository.").value();
  fs::path m_top = m_folder.path() / "top";
  process::SystemRunner m_runner;
  process::Environment m_environment{{"PATH", process::value_of(process::current_environment(), "PATH")}};

  void make(const Revision& revision, process::Environment& build) {
    const fs::path source = m_top / revision.folder;
    fs::remove_all(m_top);
    ASSERT_TRUE(base::make_folders(source));
    ASSERT_TRUE(base::write_file(source / "pyproject.toml", "[project]\nname = 'My.app'\n"));
    ASSERT_TRUE(base::write_file(source / revision::k_file, "handed over"));
    const Settings settings{.cache = m_folder.path() / "cache", .environment = m_environment};
    const Tools tools(settings, m_runner);
    const auto status = add_repository(revision, m_top, source, tools, build);
    ASSERT_TRUE(status) << status.error().where << ": " << status.error().what;
    EXPECT_FALSE(fs::exists(source / revision::k_file));
  }
  std::string git(std::vector<std::string> words) {
    words.insert(words.begin(), process::find_program("git", m_environment.at("PATH")).value());
    const auto finished = m_runner.run(
        {.arguments = words, .environment = {{"GIT_CONFIG_GLOBAL", "/dev/null"}}, .folder = m_top}, {});
    return finished ? std::string(base::trim(finished->output)) : finished.error().what;
  }
};

TEST_F(GitRepository, AnswersAsTheSourcesOwn) {
  if (!process::find_program("git", m_environment.at("PATH"))) GTEST_SKIP() << "there is no git";
  Revision revision{.commit = std::string(40, 'a'), .time = 1'600'000'000, .branch = "main", .commits = 5};
  revision.tags = {{.name = "v2", .distance = 0, .is_annotated = true},
                   {.name = "light", .distance = 0, .is_annotated = false},
                   {.name = "v1", .distance = 3, .is_annotated = true},
                   {.name = "old", .distance = 4, .is_annotated = false}};
  process::Environment build{{"GIT_DIR", "/elsewhere"}};
  make(revision, build);
  EXPECT_TRUE(build.empty());
  EXPECT_EQ(git({"rev-parse", "HEAD"}), revision.commit);
  EXPECT_EQ(git({"rev-parse", "--abbrev-ref", "HEAD"}), "main");
  EXPECT_EQ(git({"rev-list", "--count", "HEAD"}), "5");
  EXPECT_EQ(git({"log", "-1", "--format=%ct"}), "1600000000");
  EXPECT_EQ(git({"describe", "--long"}), "v2-0-gaaaaaaa");
  EXPECT_EQ(git({"status", "--porcelain", "--untracked-files=no"}), "");
  for (const auto& tag : revision.tags) {
    EXPECT_EQ(git({"cat-file", "-t", "refs/tags/" + tag.name}), tag.is_annotated ? "tag" : "commit")
        << tag.name;
    EXPECT_EQ(git({"rev-list", "--count", tag.name + "..HEAD"}), std::to_string(tag.distance)) << tag.name;
  }
}

TEST_F(GitRepository, OfAChangedSourceOnNoBranchSaysSo) {
  if (!process::find_program("git", m_environment.at("PATH"))) GTEST_SKIP() << "there is no git";
  process::Environment build;
  make({.commit = std::string(40, 'b'),
        .time = 7,
        .folder = "below",
        .commits = 2,
        .is_dirty = true,
        .tags = {{.name = "v1", .distance = 1, .is_annotated = true}}},
       build);
  EXPECT_EQ(git({"describe", "--dirty"}), "v1-1-gbbbbbbb-dirty");
  EXPECT_EQ(git({"rev-parse", "--abbrev-ref", "HEAD"}), "HEAD");
  EXPECT_EQ(build, (process::Environment{{"SOURCE_DATE_EPOCH", "7"}}));
}

TEST_F(GitRepository, WithoutGitFilesAndVariablesSayIt) {
  m_environment["PATH"] = "/nowhere";
  const std::string commit = "0123456789abcdef0123456789abcdef01234567";
  Revision revision{.commit = commit, .time = 0, .branch = "main", .commits = 3};
  process::Environment build;
  make(revision, build);
  EXPECT_EQ(build.size(), 1U);
  EXPECT_TRUE(build.contains("SETUPTOOLS_SCM_PRETEND_VERSION_FOR_MY_APP"));
  EXPECT_EQ(base::read_file(m_top / ".git_archival.txt").value(),
            "node: " + commit + "\nnode-date: 1970-01-01T00:00:00+00:00\nref-names: HEAD -> main\n");
  revision.branch.clear();
  revision.tags = {{.name = "none", .distance = 0, .is_annotated = true},
                   {.name = "v1.2", .distance = 2, .is_annotated = true}};
  build.clear();
  make(revision, build);
  EXPECT_TRUE(build.empty());
  const auto text = base::read_file(m_top / ".git_archival.txt").value();
  EXPECT_NE(text.find("\ndescribe-name: v1.2-2-g0123"), std::string::npos) << text;
  EXPECT_NE(text.find("\nref-names: HEAD, tag: none\n"), std::string::npos) << text;
  EXPECT_FALSE(fs::exists(m_top / ".git"));
}

// Answers what git would, and keeps what it was told.
class RecordingGit : public process::Runner {
 public:
  base::Result<process::Finished> run(const process::Command& command,
                                      const process::ErrorSink& /*sink*/) override {
    const auto& words = command.arguments;
    const std::string line = base::join(std::vector<std::string>(words.begin() + 1, words.end()), " ");
    lines.push_back(line);
    last = command;
    if (command.standard_input >= 0) inputs[words.at(1)] = FakeMachine::input_of(command);
    process::Finished finished{process::Ending::from_wait_status(0), "", ""};
    if (line == "write-tree") finished.output = "TREE\n";
    if (words.at(1) == "rev-parse") finished.output = "LAST\n";
    if (words.at(1) == "hash-object") finished.output = "TAG\n";
    if (!failing.empty() && line.find(failing) != std::string::npos)
      finished = {process::Ending::from_wait_status(1 << 8), "", "first\nwhy\n"};
    return finished;
  }
  std::vector<std::string> lines;
  std::map<std::string, std::string> inputs;  // by the command
  process::Command last;
  std::string failing;
};

class MadeRepository : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "maderepository.").value();
  const fs::path m_top = m_folder.path() / "top";
  const fs::path m_own = m_top / ".git";
  RecordingGit m_git;
  Revision m_revision{.commit = std::string(40, 'a'), .time = 100, .branch = "main", .commits = 3};
  process::Environment m_build;
  std::vector<std::string> m_files;

  void SetUp() override {
    ASSERT_TRUE(base::make_folders(m_folder.path() / "bin"));
    ASSERT_TRUE(base::write_file(m_folder.path() / "bin/git", "git", 0755));
  }
  // The error, "none" without one.
  std::string make() {
    fs::remove_all(m_top);
    m_git.lines.clear();
    m_git.inputs.clear();
    EXPECT_TRUE(base::make_folders(m_top / m_revision.folder));
    for (const auto& file : m_files) EXPECT_TRUE(base::write_file(m_top / m_revision.folder / file, ""));
    const Settings settings{.cache = m_folder.path() / "cache",
                            .environment = {{"PATH", (m_folder.path() / "bin").string()}}};
    const Tools tools(settings, m_git);
    const auto status = add_repository(m_revision, m_top, m_top / m_revision.folder, tools, m_build);
    return status ? "none" : status.error().where + ": " + status.error().what;
  }
  [[nodiscard]] std::string own(const std::string& name) const {
    return base::read_file(m_own / name).value_or("none");
  }
};

TEST_F(MadeRepository, HasAsManyCommitsAndTheirTags) {
  m_revision.tags = {{.name = "here", .distance = 0, .is_annotated = true},
                     {.name = "light/here", .distance = 0, .is_annotated = false},
                     {.name = "first", .distance = 1, .is_annotated = true},
                     {.name = "second", .distance = 2, .is_annotated = false},
                     {.name = "beyond", .distance = 3, .is_annotated = true}};
  EXPECT_EQ(make(), "none");
  EXPECT_THAT(m_git.lines, testing::ElementsAre("add --all", "write-tree", "fast-import --quiet --force",
                                                "rev-parse refs/heads/pachbuild-chain",
                                                "update-ref -d refs/heads/pachbuild-chain",
                                                "hash-object -t tag -w --stdin"));
  const auto commit = [](int number, int time, const std::string& more = "") {
    return "commit refs/heads/pachbuild-chain\nmark :" + std::to_string(number) +
           "\ncommitter pachbuild <pachbuild@localhost> " + std::to_string(time) + " +0000\ndata 0\n" + more +
           "\n";
  };
  EXPECT_EQ(m_git.inputs["fast-import"],
            commit(1, 98) + commit(2, 99) + commit(3, 100, "M 040000 TREE \"\"\n") +
                "tag first\nfrom :2\ntagger pachbuild <pachbuild@localhost> 99 +0000\ndata 0\n\n"
                "reset refs/tags/second\nfrom :1\n\n");
  EXPECT_EQ(m_git.inputs["hash-object"],
            "object " + m_revision.commit +
                "\ntype commit\ntag here\ntagger pachbuild <pachbuild@localhost> 100 "
                "+0000\n\nhere\n");
  EXPECT_EQ(own("refs/replace/" + m_revision.commit), "LAST\n");
  EXPECT_EQ(own("refs/tags/here"), "TAG\n");
  EXPECT_EQ(own("refs/tags/light/here"), m_revision.commit + "\n");
  EXPECT_EQ(own("HEAD"), "ref: refs/heads/main\n");
  EXPECT_EQ(own("refs/heads/main"), m_revision.commit + "\n");
  EXPECT_TRUE(fs::is_directory(m_own / "objects"));
}

TEST_F(MadeRepository, NoCommitIsBeforeTheFirstSecond) {
  m_revision.time = 1;
  m_revision.tags = {{.name = "t", .distance = 1, .is_annotated = true},
                     {.name = "u", .distance = 2, .is_annotated = true}};
  EXPECT_EQ(make(), "none");
  std::string times;
  for (const auto& line : base::split(m_git.inputs["fast-import"], '\n')) {
    if (line.find("er pachbuild <") != std::string::npos) times += line.substr(line.find("> ") + 2, 1);
  }
  EXPECT_EQ(times, "00100");
}

TEST_F(MadeRepository, OfAVeryLongHistoryIsShorter) {
  m_revision.commits = 200'001;
  EXPECT_EQ(make(), "none");
  EXPECT_NE(m_git.inputs["fast-import"].find("\nmark :200000\n"), std::string::npos);
  EXPECT_EQ(m_git.inputs["fast-import"].find("\nmark :200001\n"), std::string::npos);
}

TEST_F(MadeRepository, IsOfTheSameHash) {
  const std::string core = "\n\tfilemode = false\n\tcompression = 0\n[gc]\n\tauto = 0\n";
  EXPECT_EQ(make(), "none");
  EXPECT_EQ(own("config"), "[core]\n\trepositoryformatversion = 0" + core);
  m_revision.commit = std::string(64, 'b');
  m_revision.branch = "a/b";
  EXPECT_EQ(make(), "none");
  EXPECT_EQ(own("config"),
            "[core]\n\trepositoryformatversion = 1" + core + "[extensions]\n\tobjectFormat = sha256\n");
  EXPECT_EQ(own("refs/heads/a/b"), m_revision.commit + "\n");
  m_revision.branch.clear();
  EXPECT_EQ(make(), "none");
  EXPECT_EQ(own("HEAD"), m_revision.commit + "\n");
}

TEST_F(MadeRepository, GitKnowsNothingOfThisMachine) {
  EXPECT_EQ(make(), "none");
  EXPECT_EQ(m_git.last.arguments.at(0), (m_folder.path() / "bin/git").string());
  EXPECT_EQ(m_git.last.folder, m_top);
  EXPECT_EQ(m_git.last.environment, (process::Environment{{"LC_ALL", "C"},
                                                          {"HOME", m_top.string()},
                                                          {"PATH", (m_folder.path() / "bin").string()},
                                                          {"GIT_CONFIG_NOSYSTEM", "1"},
                                                          {"GIT_CONFIG_GLOBAL", "/dev/null"},
                                                          {"GIT_DIR", m_own.string()},
                                                          {"GIT_WORK_TREE", m_top.string()}}));
  for (const auto* name :
       {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NO_REPLACE_OBJECTS",
        "GIT_COMMON_DIR", "GIT_CEILING_DIRECTORIES", "GIT_ASKPASS"})
    m_build[name] = "x";
  m_build["SOURCE_DATE_EPOCH"] = "7";
  m_revision.is_dirty = true;
  EXPECT_EQ(make(), "none");
  EXPECT_EQ(m_build, (process::Environment{{"GIT_ASKPASS", "x"}, {"SOURCE_DATE_EPOCH", "7"}}))
      << "the user's own day counts";
  m_build.clear();
  make();
  EXPECT_EQ(m_build, (process::Environment{{"SOURCE_DATE_EPOCH", "100"}}));
  m_build.clear();
  m_revision.is_dirty = false;
  make();
  EXPECT_TRUE(m_build.empty());
}

TEST_F(MadeRepository, OfAChangedSourceHasOneChangedFile) {
  m_revision.is_dirty = true;
  m_revision.folder = "below";
  const auto changed = [&](const std::vector<std::string>& files, const std::string& failing = "") {
    m_files = files;
    m_git.failing = failing;
    EXPECT_EQ(make(), "none");
    std::string names;
    for (const auto& line : m_git.lines) {
      const std::string start = "update-index --chmod=+x -- ";
      if (line.starts_with(start)) names += line.substr(start.size()) + " ";
    }
    return names;
  };
  EXPECT_EQ(changed({}), "");
  EXPECT_EQ(changed({"setup.cfg"}), "below/setup.cfg ");
  EXPECT_EQ(changed({"setup.cfg", "setup.py", "pyproject.toml"}), "below/pyproject.toml ");
  EXPECT_EQ(changed({"setup.cfg", "setup.py", "pyproject.toml"}, "pyproject.toml"),
            "below/pyproject.toml below/setup.py ");
  EXPECT_EQ(changed({"setup.py"}, "setup.py"), "below/setup.py ") << "one that is not tracked is no error";
  m_revision.is_dirty = false;
  EXPECT_EQ(changed({"setup.py"}), "");
}

TEST_F(MadeRepository, EachCommandThatFailsIsAnError) {
  m_revision.tags = {{.name = "here", .distance = 0, .is_annotated = true}};
  for (const std::string command :
       {"add --all", "write-tree", "fast-import --quiet --force", "rev-parse refs/heads/pachbuild-chain",
        "update-ref -d refs/heads/pachbuild-chain", "hash-object -t tag -w --stdin"}) {
    m_git.failing = command;
    EXPECT_EQ(make(), "git " + command + ": exited with code 1: why");
  }
}

class WithoutGit : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "withoutgit.").value();
  const fs::path m_source = m_folder.path() / "source";
  RecordingGit m_git;
  const Settings m_settings{.cache = m_folder.path() / "cache", .environment = {{"PATH", "/nowhere"}}};
  const Tools m_tools{m_settings, m_git};
  Revision m_revision{.commit = "0123456789abcdef0123456789abcdef01234567",
                      .time = 1'600'000'000,
                      .branch = "main",
                      .commits = 3};

  process::Environment make(const std::map<std::string, std::string>& files) {
    fs::remove_all(m_source);
    EXPECT_TRUE(base::make_folders(m_source));
    for (const auto& [name, text] : files) EXPECT_TRUE(base::write_file(m_source / name, text));
    process::Environment build;
    EXPECT_TRUE(add_repository(m_revision, m_source, m_source, m_tools, build));
    return build;
  }
  [[nodiscard]] std::string text(const std::string& name) const {
    return base::read_file(m_source / name).value_or("none");
  }
};

TEST_F(WithoutGit, VersionsAreTheUsualOnes) {
  const struct {
    std::vector<revision::Tag> tags;
    bool is_dirty;
    std::string with_node, of_pbr;
  } rows[] = {
      {{}, false, "0.1.dev3+g0123456", "0.1.dev3"},
      {{}, true, "0.1.dev3+g0123456", "0.1.dev3"},
      {{{"v1.2", 0, true}}, false, "1.2", "1.2"},
      {{{"v1.2", 0, true}}, true, "1.3.dev0+g0123456", "1.2.1.dev0"},
      {{{"v1.2", 4, true}}, false, "1.3.dev4+g0123456", "1.2.1.dev4"},
      {{{"2", 1, false}}, false, "3.dev1+g0123456", "2.0.1.dev1"},
      {{{"x1.2.3.4", 1, false}}, false, "1.2.3.5.dev1+g0123456", "1.2.3.5.dev1"},
      {{{"release", 0, true}, {"v1.x", 1, true}, {"app-1.5", 2, true}, {"v9", 3, true}},
       false,
       "1.6.dev2+g0123456",
       "1.5.1.dev2"},
  };
  for (const auto& row : rows) {
    m_revision.tags = row.tags;
    m_revision.is_dirty = row.is_dirty;
    const auto build =
        make({{"pyproject.toml",
               "[project]\nname = 'x'\n[build-system]\nrequires = ['pbr']\n[tool.pdm.version]\n"}});
    EXPECT_EQ(process::value_of(build, "PDM_BUILD_SCM_VERSION"), row.with_node);
    EXPECT_EQ(text("PKG-INFO"), "Metadata-Version: 1.0\nName: x\nVersion: " + row.of_pbr + "\n");
    EXPECT_EQ(process::value_of(build, "SETUPTOOLS_SCM_PRETEND_VERSION_FOR_X"),
              row.tags.empty() ? row.with_node : "");
  }
}

TEST_F(WithoutGit, EachToolIsToldInItsWay) {
  const std::string variable = "SETUPTOOLS_SCM_PRETEND_VERSION_FOR_MY_APP_X";
  const std::string named = "[project]\nname = 'my.App_x'\n";
  const std::string cfg = "[metadata]\nname = My-App.X\n";
  auto build = make({{"pyproject.toml", named}});
  EXPECT_EQ(build.size(), 1U);
  EXPECT_TRUE(build.contains(variable));
  EXPECT_EQ(text("PKG-INFO"), "none");
  EXPECT_TRUE(make({{"setup.cfg", cfg}}).contains(variable));
  EXPECT_TRUE(make({{"setup.cfg", cfg}, {"pyproject.toml", "[build-system]\n"}}).contains(variable));
  EXPECT_TRUE(make({{"setup.py", "pbr"}}).empty()) << "nothing has a name";
  EXPECT_EQ(text("PKG-INFO"), "none");
  make({{"setup.cfg", cfg}, {"setup.py", "setup(setup_requires=['pbr'])"}});
  EXPECT_NE(text("PKG-INFO").find("\nName: My-App.X\n"), std::string::npos);
  make({{"setup.cfg", cfg}, {"setup.py", "setup()"}});
  EXPECT_EQ(text("PKG-INFO"), "none");
  EXPECT_TRUE(make({{"pyproject.toml", "[tool.pdm.version]\n"}}).contains("PDM_BUILD_SCM_VERSION"));
  m_revision.tags = {{"v1", 0, true}};
  EXPECT_TRUE(make({{"pyproject.toml", named}}).empty());
}

TEST_F(WithoutGit, ArchivesSayWhatGitWouldHave) {
  m_revision.tags = {{"v1.2", 0, true}, {"light", 0, false}, {"v1", 2, true}};
  m_revision.is_dirty = true;
  make({});
  EXPECT_EQ(text(".git_archival.txt"),
            "node: 0123456789abcdef0123456789abcdef01234567\nnode-date: 2020-09-13T12:26:40+00:00\n"
            "describe-name: v1.2-0-g012345678-dirty\nref-names: HEAD -> main, tag: v1.2, tag: light\n");
  EXPECT_EQ(nlohmann::json::parse(text(".git_archival.json")),
            (nlohmann::json{{"hash-full", m_revision.commit},
                            {"hash-short", "0123456"},
                            {"timestamp", "2020-09-13T12:26:40+00:00"},
                            {"refs", "HEAD -> main, tag: v1.2, tag: light"},
                            {"describe", "v1.2-0-g0123456-dirty"}}));
  m_revision.tags.clear();
  m_revision.branch.clear();
  m_revision.time = ~std::uint64_t{0} >> 1U;
  make({});
  EXPECT_EQ(text(".git_archival.txt"),
            "node: " + m_revision.commit + "\nnode-date: 1970-01-01T00:00:00+00:00\nref-names: HEAD\n")
      << "no year has so many seconds";
  EXPECT_TRUE(m_git.lines.empty());
}

TEST_F(WithoutGit, ARevisionIsThatOfItsFile) {
  ASSERT_TRUE(base::make_folders(m_source));
  const Reported reported;
  EXPECT_FALSE(find_revision(m_source, m_tools).value().has_value());
  EXPECT_TRUE(reported.lines().empty());
  ASSERT_TRUE(base::make_folders(m_source / ".git/objects"));
  ASSERT_TRUE(base::make_folders(m_source / ".git/refs"));
  ASSERT_TRUE(base::write_file(m_source / ".git/HEAD", "ref: refs/heads/main\n"));
  EXPECT_FALSE(find_revision(m_source, m_tools).value().has_value());
  EXPECT_THAT(
      reported.lines(),
      testing::ElementsAre("git is not on PATH, so the build cannot derive its version from .git; install "
                           "git (Debian's package git), or build with pachbuild on a machine that has git"));
  ASSERT_TRUE(base::write_file(m_source / revision::k_file, revision::to_text(m_revision)));
  EXPECT_EQ(find_revision(m_source, m_tools).value().value().commit, m_revision.commit);
  ASSERT_TRUE(base::write_file(m_source / revision::k_file, "nonsense"));
  const auto broken = find_revision(m_source, m_tools);
  ASSERT_FALSE(broken);
  EXPECT_THAT(broken.error().where, testing::HasSubstr((m_source / revision::k_file).string()));
}

}  // namespace
}  // namespace builder::python
