// SPDX-License-Identifier: Apache-2.0
// Whole command lines: what they print, and their exit codes.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/filesystem/operations.hpp>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/files.h"
#include "base/text.h"
#include "base/unique_fd.h"
#include "contract/build_record.h"
#include "pachbuild/commands/commands.h"
#include "report/report.h"
#include "tests/unit/commands/fake_pachctl.h"

namespace commands {
namespace {

using nlohmann::json;

class CommandLines : public testing::Test {
 protected:
  CommandLines() {
    ::setenv("PACHBUILD_CACHE_DIR", path("cache").c_str(), 1);
    base::fs::current_path(m_folder.path());
  }
  ~CommandLines() override {
    base::fs::current_path(m_before);
    ::unsetenv("PACHBUILD_CACHE_DIR");
  }
  void write(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(base::make_folders((m_folder.path() / name).parent_path()));
    ASSERT_TRUE(base::write_file(m_folder.path() / name, text));
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (m_folder.path() / name).string(); }

  // Standard output, then standard error with "! " before each line, then the exit code unless it is 0.
  [[nodiscard]] std::string told(const std::vector<std::string>& words) const {
    const auto logger = spdlog::default_logger();  // of the other tests
    report::set_up();
    std::string errors;
    int code = 0;
    testing::internal::CaptureStdout();
    {
      report::Redirection redirection([&](std::string_view text) { errors += text; });
      code = run_words(words, false);
    }
    std::string text = testing::internal::GetCapturedStdout();
    spdlog::set_default_logger(logger);
    for (const auto& line : base::split(errors, '\n')) text += line.empty() ? "" : "! " + line + "\n";
    base::replace_all(text, m_folder.path().string(), "DIR");
    return text + (code == 0 ? "" : "[" + std::to_string(code) + "]");
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "lines.").value();
  const base::fs::path m_before = base::fs::current_path();
};

// A pipeline that reads these repos.
std::string reading(const std::string& name, const std::vector<std::string>& repos,
                    const std::string& glob = "/*") {
  json inputs = json::array();
  for (const auto& repo : repos) inputs.push_back({{"pfs", {{"repo", repo}, {"glob", glob}}}});
  return json{{"pipeline", {{"name", name}}},
              {"transform", {{"image", "i:1"}, {"cmd", {"true"}}}},
              {"input", repos.size() == 1 ? inputs.front() : json{{"cross", inputs}}}}
      .dump();
}

TEST_F(CommandLines, InitSaysWhatItMadeAndHowToRunIt) {
  const std::string run = "pachbuild run\n";
  const auto made = [](const std::string& folder, const std::string& language, const std::string& files) {
    return "created " + folder + ": a " + language + " pipeline that counts words, with sample data\n" +
           "  pipeline.json  the spec: which program, which data\n  source/        the program (" + files +
           ")\n  data/          sample data (3 files)\n  README.md      the next steps\n"
           "run it (README.md has the details):\n";
  };
  EXPECT_EQ(told({"init", "my demo"}), made("my demo", "Python", "1 file") + "cd 'my demo' && " + run);
  EXPECT_EQ(told({"init", "go", "--language", "go"}), made("go", "Go", "2 files") + "cd go && " + run);
  EXPECT_EQ(told({"init", "go"}),
            "! error: go: already has README.md, data, pipeline.json and source; nothing was changed\n"
            "! hint: choose another folder, or move the existing files\n[73]");
  EXPECT_EQ(told({"init", ""}), "! error: DIR: is empty\n! hint: name the new folder\n[64]");
  EXPECT_EQ(told({"init", "a\tb"}),
            "! error: a\\tb: has control characters\n! hint: choose another name\n[64]");
  EXPECT_EQ(told({"init", "--context", "x", "y"}),
            "! error: --context: needs a Dockerfile\n! hint: add --from Dockerfile\n[64]");
  const auto name_fault = [&](const std::string& name) {
    return told({"init", "named", "--name=" + name}).starts_with("! error: --name");
  };
  for (const std::string name : {"a b", "-a", "_a"}) EXPECT_TRUE(name_fault(name)) << name;
  EXPECT_TRUE(name_fault(std::string(52, 'a')));
  EXPECT_FALSE(name_fault(std::string(51, 'a')));
  EXPECT_EQ(told({"init"}), made(".", "Python", "1 file") + run);
}

TEST_F(CommandLines, InitTellsWhatIsNotConverted) {
  write("old/x.py", "");
  write("old/Dockerfile", "FROM python\nCOPY x.py /app/\nRUN make\nCMD [\"python3\", \"/other/x.py\"]\n");
  EXPECT_EQ(
      told({"init", "new", "--from", "old/Dockerfile", "--name", "p"}),
      "created new: pipeline p built from source/\n  pipeline.json  the spec: which program, which data\n"
      "  source/        the program (1 file)\n  README.md      the next steps\n"
      "run it (README.md has the details):\n"
      "cd new && pachbuild run --input data=FOLDER\n"
      "! warning: old/Dockerfile:3: RUN make: not converted\n"
      "! warning: old/Dockerfile: no spec was given: the pipeline reads repo \"data\", one datum per file\n"
      "! warning: pipeline.json:12:7: \"/other/x.py\" is a path in the image; the source has x.py; write "
      "\"cmd\": [\"python3\", \"/pfs/source/x.py\"]\n");
  EXPECT_EQ(base::read_file("new/source/x.py").value_or("none"), "");
  EXPECT_EQ(told({"init", "other", "--from", "old/x"}),
            "! error: old/x: cannot read: no such file or folder\n! hint: did you mean \"old/x.py\"?\n[65]");
}

TEST_F(CommandLines, GraphHasEachPipelineBehindWhatItReads) {
  write("p.json", reading("last", {"mid", "x\"y"}) + reading("mid", {"b", "a"}) + reading("other", {"a"}));
  EXPECT_TRUE(told({"graph", "-f", "p.json"}).find("invalid repo name") != std::string::npos);
  write("p.json", reading("last", {"mid", "c"}) + reading("mid", {"b", "a"}) + reading("other", {"a"}));
  EXPECT_EQ(told({"graph", "-f", "p.json"}), "a + b -> [mid]\nc + [mid] -> [last]\na -> [other]\n");
  EXPECT_EQ(told({"graph", "-f", "p.json", "-o", "text"}), told({"graph", "-f", "p.json"}));
  EXPECT_EQ(
      told({"graph", "-f", "p.json", "-o", "mermaid"}),
      "flowchart LR\n  n0[\"mid\"]\n  n1[(\"a\")]\n  n2[(\"b\")]\n  n1 --> n0\n  n2 --> n0\n  n3[\"last\"]\n"
      "  n4[(\"c\")]\n  n4 --> n3\n  n0 --> n3\n  n5[\"other\"]\n  n1 --> n5\n");
  EXPECT_EQ(
      told({"graph", "-f", "p.json", "-o", "dot"}),
      "digraph pipelines {\n  rankdir=LR;\n  n0 [label=\"mid\", shape=box];\n  n1 [label=\"a\", "
      "shape=cylinder];\n"
      "  n2 [label=\"b\", shape=cylinder];\n  n1 -> n0;\n  n2 -> n0;\n  n3 [label=\"last\", shape=box];\n"
      "  n4 [label=\"c\", shape=cylinder];\n  n4 -> n3;\n  n0 -> n3;\n  n5 [label=\"other\", shape=box];\n"
      "  n1 -> n5;\n}\n");
  EXPECT_EQ(json::parse(told({"graph", "-f", "p.json", "-o", "json"})),
            json::parse(R"([{"pipeline": "mid", "repos": ["a", "b"], "pipelines": []},
                            {"pipeline": "last", "repos": ["c"], "pipelines": ["mid"]},
                            {"pipeline": "other", "repos": ["a"], "pipelines": []}])"));
  // A circle is in the order of the files.
  write("p.json", reading("z", {"y"}) + reading("y", {"z"}) + reading("x", {"y"}));
  EXPECT_EQ(told({"graph", "-f", "p.json"}), "[y] -> [z]\n[z] -> [y]\n[y] -> [x]\n");
}

TEST_F(CommandLines, IgnoredNamesTheLineThatDecides) {
  write("src/.pachignore", "*.log\n!keep.log\n" + std::string(300, 'x') + "*\n");
  write("src/sub/a", "");
  EXPECT_EQ(told({"ignored", "src/a", "src/x.log", "src/sub/keep.log", "src/a~"}),
            "src/a: part of the source\nsrc/x.log: left out  (.pachignore:1: *.log)\n"
            "src/sub/keep.log: left out  (.pachignore:1: *.log)\nsrc/a~: left out  (default: *~)\n");
  EXPECT_EQ(told({"ignored", "src/keep.log"}),
            "src/keep.log: part of the source  (.pachignore:2: !keep.log)\n");
  const auto name = "src/" + std::string(300, 'x');
  const auto shortened = told({"ignored", name});
  EXPECT_TRUE(shortened.starts_with(name + ": left out  (.pachignore:3: xxx")) << shortened;
  EXPECT_LT(shortened.size(), name.size() + 250);
  // Without rules around it the current folder counts, or the one that is named.
  EXPECT_EQ(told({"ignored", "x.log"}), "x.log: part of the source\n");
  EXPECT_EQ(told({"ignored", "--source", "src", "src/sub/x.log"}),
            "src/sub/x.log: left out  (.pachignore:1: *.log)\n");
  const std::string hint = "! hint: name a file of the source, or the folder with --source\n[64]";
  for (const std::string wrong : {"x", "src", "src/..", "src/../y"})
    EXPECT_EQ(told({"ignored", "--source", "src", wrong}),
              "! error: " + wrong + ": is not below the source folder DIR/src\n" + hint);
  EXPECT_EQ(told({"ignored", "src/a", "/x"}),
            "src/a: part of the source\n! error: /x: is not below the source folder DIR\n" + hint);
}

TEST_F(CommandLines, IgnoredListsWhatASourceLeavesOut) {
  const auto spec = [](const std::string& name, const std::string& path) {
    return R"({"pipeline": {"name": ")" + name +
           R"("}, "transform": {"build": {"language": "python", "path": ")" + path +
           R"("}}, "input": {"pfs": {"repo": "texts", "glob": "/"}}})";
  };
  EXPECT_EQ(told({"ignored"}),
            "! error: the current folder has no pipeline spec\n"
            "! hint: name one (pachbuild ignored -f SPEC), or create a pipeline (pachbuild init)\n[64]");
  write("p.json", spec("p", "."));
  write("main.py", "");
  EXPECT_EQ(told({"ignored"}), "! nothing is left out of .\n");
  write("data/texts/a", "");
  write(".gitignore", "*.csv\n");
  write("b.csv", "");
  write(".venv/c", "");
  EXPECT_EQ(told({"ignored"}),
            ".venv/: left out  (default: {,*/}.venv/)\nb.csv: left out  (.gitignore:1: *.csv)\n"
            "data/texts/: left out  (default: data of the pipeline)\n");
  EXPECT_EQ(told({"ignored", "data/texts/a", "data/b", "x.csv"}),
            "data/texts/a: left out  (default: data of the pipeline)\ndata/b: part of the source\n"
            "x.csv: left out  (.gitignore:1: *.csv)\n");
  write("sub/q.json", spec("q", "src"));
  write("sub/src/x~", "");
  EXPECT_EQ(told({"ignored", "-f", "sub/q.json"}), "sub/src/x~: left out  (default: *~)\n");
  EXPECT_EQ(told({"ignored", "-f", "p.json", "-f", "sub/q.json"}).find("b.csv: left out"), 41U);
  EXPECT_EQ(told({"ignored", "-f", "sub/q.json", "main.py", "/x"}),
            "main.py: left out  (outside the source folder sub/src)\n"
            "/x: left out  (outside the source folder sub/src)\n");
  EXPECT_EQ(told({"ignored", "--source", "sub/src"}), "sub/src/x~: left out  (default: *~)\n");
  EXPECT_EQ(told({"ignored", "--source", "x", "-f", "p.json"}).substr(0, 9), "! error: ");
  EXPECT_EQ(told({"ignored", "-f", "none.json"}),
            "! error: none.json: cannot read: no such file or folder\n[65]");
  write("sub/image.json", reading("i", {"a"}));
  EXPECT_EQ(
      told({"ignored", "-f", "sub/image.json"}),
      "! error: no pipeline of the spec has a source to build\n! hint: name a folder with --source\n[64]");
}

TEST_F(CommandLines, TheOnlySpecOfTheFolderIsTakenAndShown) {
  const std::string none =
      "! hint: name one (pachbuild graph -f SPEC), or create a pipeline (pachbuild init)\n[64]";
  EXPECT_EQ(told({"graph"}), "! error: the current folder has no pipeline spec\n" + none);
  write("my map.json", reading("p", {"a"}));
  EXPECT_EQ(told({"graph"}), "a -> [p]\n! pachbuild graph -f 'my map.json'\n");
  EXPECT_EQ(told({"graph", "-o", "text"}), "a -> [p]\n! pachbuild graph -o text -f 'my map.json'\n");
  EXPECT_EQ(told({"graph", "-f", "my map.json"}), "a -> [p]\n");
  EXPECT_EQ(told({"graph", "my map.json"}), "a -> [p]\n");
  EXPECT_EQ(told({"graph", "-f", ""}).substr(0, 34), "! error: no spec was given\n! hint:")
      << "an empty variable";
  EXPECT_EQ(told({"validate"}), "p: ok, nothing to build\n! pachbuild validate -f 'my map.json'\n");
  EXPECT_EQ(told({"validate", "-f", ""}).substr(0, 27), "! error: no spec was given\n");
  base::fs::rename("my map.json", "-x.json");
  EXPECT_EQ(told({"graph"}), "a -> [p]\n! pachbuild graph -f ./-x.json\n");
  base::fs::rename("-x.json", "b.json");
  write("a b.json", reading("q", {"p"}));
  EXPECT_EQ(
      told({"graph"}),
      "! error: the current folder has 2 pipeline specs: 'a b.json', b.json\n"
      "! hint: choose one (pachbuild graph -f 'a b.json'), or all of them (pachbuild graph -f .)\n[64]");
  EXPECT_EQ(told({"update", "pipeline"}).substr(0, 50), "! error: the current folder has 2 pipeline specs: ");
  for (int i = 0; i < 9; ++i)
    write("c" + std::to_string(i) + ".json", reading("r" + std::to_string(i), {"a"}));
  EXPECT_NE(told({"explain"})
                .find("c6.json, c7.json and 1 more\n! hint: choose one (pachbuild explain -f 'a b.json')"),
            std::string::npos);
  for (int i = 0; i < 9; ++i) base::fs::remove("c" + std::to_string(i) + ".json");
  base::fs::remove("a b.json");
  write("b.json", R"({"pipeline": )");
  EXPECT_EQ(told({"graph"}).substr(0, 46), "! pachbuild graph -f b.json\n! error: b.json:1:")
      << "its fault is told";
}

TEST_F(CommandLines, DataBesideTheSpecIsTakenAndShown) {
  write("p.json", reading("p", {"a"}));
  const auto missing = told({"list", "datum"});
  EXPECT_NE(missing.find("hint: add --input a=PATH, or put the data into data/a\n[64]"), std::string::npos)
      << missing;
  write("data/a/x", "1");
  const auto listed = told({"list", "datum"});
  EXPECT_TRUE(listed.ends_with("  a@/x\n! pachbuild list datum -f p.json --input a=data/a\n")) << listed;
  const auto given = told({"list", "datum", "p.json", "--input", "a=data"});
  EXPECT_TRUE(given.ends_with("  a@/a/\n")) << given;
}

TEST_F(CommandLines, GlobShowsMatchesAndGroups) {
  for (const char* name : {"data/a-1.txt", "data/b-2.txt", "data/sub/c-3.txt"}) write(name, "x");
  EXPECT_EQ(told({"glob", "/*", "data"}), "/a-1.txt\n/b-2.txt\n/sub/\n");
  EXPECT_EQ(told({"glob", "(*)-(*).txt", "data"}), "/a-1.txt  $1=a  $2=1\n/b-2.txt  $1=b  $2=2\n");
  EXPECT_EQ(told({"glob", "/", "data"}), "/\n");
  EXPECT_EQ(told({"glob", "/none", "data"}), "! no file in data matches \"/none\"\n");
  EXPECT_EQ(told({"glob", "/c-*", "data"}), "! no file in data matches \"/c-*\"; did you mean \"/*/c-*\"?\n");
  EXPECT_EQ(told({"glob", "/*", "data/a-1.txt"}),
            "! error: data/a-1.txt: is not a folder\n! hint: name the folder that contains it\n[64]");
  EXPECT_EQ(told({"glob", "/*", "none"}), "! error: none: cannot read: no such file or folder\n[64]");
  EXPECT_TRUE(told({"glob", "/[", "data"}).ends_with("[65]")) << told({"glob", "/[", "data"});
}

TEST_F(CommandLines, ListDatumHasIdsAndFiles) {
  write("data/a", "12");
  write("data/b/c", "345");
  write("p.json", reading("p", {"r"}));
  const auto lines = base::split(told({"list", "datum", "-f", "p.json", "-i", "r=data"}), '\n');
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0].substr(64), "  r@/a");
  EXPECT_EQ(lines[1].substr(64), "  r@/b/");
  const auto raw = base::split(told({"list", "datum", "-f", "p.json", "-i", "r=data", "-o", "json"}), '\n');
  ASSERT_EQ(raw.size(), 3U);
  const auto folder = json::parse(raw[1]);
  EXPECT_EQ(folder.at("datum").at("id"), lines[1].substr(0, 64));
  EXPECT_EQ(
      folder.at("data"),
      json::parse(
          R"([{"file": {"commit": {"repo": {"name": "r", "type": "user", "project": {"name": "default"}}},
                              "path": "/b/", "datum": "default"}, "file_type": "DIR", "size_bytes": "3"}])"));
  EXPECT_EQ(json::parse(raw[0]).at("data").at(0).at("file_type"), "FILE");
  auto spec = json::parse(reading("p", {"r"}));
  spec["pipeline"]["project"]["name"] = "own";
  write("p.json", spec.dump());
  const auto project = [&](const std::string& repo) {
    const auto all = told({"list", "datum", "-f", "p.json", "-i", repo + "=data", "-o", "json"});
    return json::parse(all.substr(0, all.find('\n')))
        .at("data")
        .at(0)
        .at("file")
        .at("commit")
        .at("repo")
        .at("project")
        .at("name");
  };
  EXPECT_EQ(project("r"), "own");
  // Of several pipelines one is named.
  write("p.json", reading("p", {"r"}) + reading("q", {"s"}));
  EXPECT_EQ(told({"list", "datum", "-f", "p.json", "-i", "s=data"}),
            "! error: --pipeline: is required: the specs contain several pipelines\n! hint: name one of p, "
            "q\n[64]");
  // What another one writes is not made for it.
  write("all.json", reading("p", {"q"}) + "\n" + reading("q", {"a"}));
  EXPECT_EQ(told({"list", "datum", "-f", "all.json", "--pipeline", "p"}),
            "! error: all.json:1:37: repo q is the output of pipeline q, which is not run here\n"
            "! hint: run it with pachbuild run, then add --input q=output/q\n[64]");
  write("output/q/x", "");
  EXPECT_EQ(told({"list", "datum", "-f", "all.json", "--pipeline", "p", "-i", "q=output/q"}).find("! "),
            std::string::npos);
  EXPECT_NE(told({"list", "datum", "-f", "p.json", "--pipeline", "q", "-i", "s=data"}).find("  s@/a\n"),
            std::string::npos);
  EXPECT_TRUE(told({"list", "datum", "-f", "p.json", "--pipeline", "none", "-i", "s=data"}).ends_with("]"));
}

TEST_F(CommandLines, InspectDescribesAnArtifact) {
  contract::BuildRecord record{
      .builder = "python", .version = "1.0", .platform = {"linux", "amd64", "glibc 2.36", ""}};
  record.key = "k";
  record.program = {"main.py", "the only one"};
  record.command = {"python", "a b"};
  record.environment = {{"A", "x y"}};
  record.packages = {"numpy==2.1.3", "six==1"};
  record.bundles = {{.file = "bundle-x.tar.zst", .bytes = 10}};
  write("artifact/build.json", contract::to_json(record));
  const auto text = told({"inspect", "artifact"});
  EXPECT_TRUE(
      text.starts_with("builder     python 1.0\nplatform    linux/amd64, glibc 2.36\nkey         k\n"
                       "bundle      bundle-x.tar.zst, 10 B, unpacked 0 B in 0 files\n"
                       "program     main.py (the only one)\ncommand     python 'a b'\n"
                       "variables   A='x y'\npackages    numpy==2.1.3\n            six==1\n"))
      << text;
  EXPECT_EQ(told({"inspect", "artifact/build.json"}), text);
  EXPECT_EQ(told({"inspect", "--requirements", "artifact"}), "numpy==2.1.3\nsix==1\n");
  record.requirements = {"numpy==2.1.3 --hash=x"};
  write("artifact/build.json", contract::to_json(record));
  EXPECT_EQ(told({"inspect", "--requirements", "artifact"}), "numpy==2.1.3 --hash=x\n");
  record.builder = "go";
  record.key.clear();
  record.program = {};
  write("artifact/build.json", contract::to_json(record));
  EXPECT_EQ(told({"inspect", "--requirements", "artifact"}),
            "! error: artifact: was built by the builder go, which has no requirements\n[65]");
  EXPECT_EQ(told({"inspect", "artifact"}).find("key "), std::string::npos);
  EXPECT_EQ(told({"inspect", "artifact"}).find("program "), std::string::npos);
  write("artifact/build.json", "{");
  EXPECT_EQ(told({"inspect", "artifact"}),
            "! error: artifact/build.json: is not valid JSON\n! hint: build the source again\n[65]");
  EXPECT_EQ(told({"inspect", "none"}),
            "! error: none/build.json: cannot read: no such file or folder\n! hint: name the output folder "
            "of a build\n[65]");
}

TEST_F(CommandLines, ValidateTellsOfEachPipeline) {
  write("source/main.py", "print()\n");
  auto built = json::parse(reading("built", {"r"}));
  built["transform"] = {{"build", {{"language", "python"}, {"path", "source"}}}};
  built["s3_out"] = true;
  write("p.json", built.dump() + "\n" + reading("plain", {"r"}));
  EXPECT_EQ(told({"validate", "-f", "p.json"}),
            "built: ok, 1 source file\nplain: ok, nothing to build\n! warning: p.json:1:" +
                std::to_string(built.dump().find("true") + 1) +
                ": s3_out works only on a cluster; `pachbuild run` refuses it\n");
  write("p.json", "{\"pipeline\": {\"name\": \"a b\"}}");
  EXPECT_TRUE(told({"validate", "-f", "p.json"}).ends_with("[65]"));
  const std::string hint = "\n! hint: remove one of the inputs\n[65]";
  write("p.json", reading("p", {"p"}));
  EXPECT_EQ(
      told({"validate"}),
      "! pachbuild validate -f p.json\n! error: p.json:1:10: the pipelines form a cycle: p reads p" + hint);
  write("p.json", reading("p", {"x", "q"}) + "\n" + reading("q", {"r"}) + "\n" + reading("r", {"p"}));
  EXPECT_EQ(
      told({"validate", "p.json"}),
      "! error: p.json:1:10: the pipelines form a cycle: p reads q, which reads r, which reads p" + hint);
  write("p.json", reading("p", {"x"}) + "\n" + reading("p", {"y"}));
  EXPECT_TRUE(
      told({"validate", "p.json"}).ends_with("\n! hint: rename one of them, or omit one of the files\n[65]"));
  write("p.json", reading("p", {"q"}) + "\n" + reading("q", {"x"}));
  EXPECT_EQ(told({"validate", "p.json"}), "p: ok, nothing to build\nq: ok, nothing to build\n")
      << "as they are written";
}

TEST_F(CommandLines, OptionsHaveValues) {
  write("p.json", reading("p", {"r"}));
  EXPECT_EQ(told({"run", "p.json", "--pipeline", ""}),
            "! error: --pipeline: requires a value (NAME)\n! hint: see pachbuild run --help\n[64]");
  EXPECT_EQ(told({"shell", "--job="}),
            "! error: --job: requires a value (PIPELINE[@JOB])\n! hint: see pachbuild shell --help\n[64]");
  EXPECT_EQ(told({"validate", "p.json", "--builder-images", ""}), "p: ok, nothing to build\n");
  EXPECT_EQ(told({"shell", "p.json", "--datum", "1", "--datum", "2"}),
            "! error: --datum 2: pachbuild shell accepts only one --datum\n"
            "! hint: omit it, or --datum 1\n[64]");
  EXPECT_EQ(told({"builder", "test", "./none", "--seed", "x"}),
            "! error: --seed x: must be a whole number from 0 to 2147483647\n! hint: see pachbuild builder "
            "test --help\n[64]");
}

TEST_F(CommandLines, OfBuiltInBuildersNothingIsExplained) {
  EXPECT_EQ(
      told({"builder", "explain", "python"}),
      "! error: python: is built in: it has no builder.toml to explain\n! hint: builder-runtime --inputs "
      "--source DIR lists what its builds depend on\n[64]");
}

TEST_F(CommandLines, NothingIsKnownOfWhatHasNotRun) {
  EXPECT_EQ(told({"rerun"}),
            "! error: rerun: no run is recorded for this folder\n! hint: start one with pachbuild run; a run "
            "with a password in its arguments is not recorded\n[64]");
  write("p.json", reading("p", {"r"}) + reading("q", {"s"}));
  const std::string hint = "! hint: run it with pachbuild run; the cache remembers the last run\n[65]";
  EXPECT_EQ(told({"explain", "-f", "p.json"}),
            "! error: p.json: no run of pipelines p and q is recorded on this machine\n" + hint);
  EXPECT_EQ(told({"explain", "-f", "p.json", "--pipeline", "q"}),
            "! error: p.json: no run of pipeline q is recorded on this machine\n" + hint);
  EXPECT_EQ(told({"logs", "-f", "p.json", "--pipeline", "q"}),
            "! error: p.json: no run of pipeline q is recorded on this machine\n" + hint);
}

TEST_F(CommandLines, ThatAreWrongAreUsageErrors) {
  const std::string hint = "! hint: see pachbuild --help\n[64]";
  const std::string hint_of_graph = "! hint: see pachbuild graph --help\n[64]";
  EXPECT_EQ(told({"graph", "--wrong", "-f", "x"}), "! error: unknown option --wrong\n" + hint_of_graph);
  EXPECT_EQ(told({"nothing"}), "! error: unknown command nothing\n" + hint);
  EXPECT_TRUE(told({}).ends_with(hint)) << told({});
  EXPECT_TRUE(told({"graph", "-o", "svg"}).ends_with(hint_of_graph));
  EXPECT_TRUE(told({"--version"}).starts_with("pachbuild " PACHBUILD_VERSION)) << told({"--version"});
  EXPECT_TRUE(told({"create", "python-pipeline", "none", "--input", "a"}).ends_with("[65]"));
  write("main.py", "print()\n");
  EXPECT_EQ(told({"create", "python-pipeline", "main.py", "--input", "a", "--env", "=x"}),
            "! error: --env =x: does not have the form NAME=VALUE\n[64]");
}

// Each way to give data that cannot be meant, before anything is read or run.
TEST_F(CommandLines, DataThatCannotBeMeantIsAUsageError) {
  write("data/a", "1");
  write("file", "1");
  write("p.json", reading("p", {"r"}));
  const std::string form =
      ": does not have the form REPO=PATH\n! hint: for example --input scraper=pages, or --input "
      "scraper=pfs:scraper@master\n[64]";
  const std::vector<std::pair<std::vector<std::string>, std::string>> rows = {
      {{"-i", "r"}, "! error: --input r" + form},
      {{"-i", "=data"}, "! error: --input =data" + form},
      {{"-i", "r="}, "! error: --input r=" + form},
      {{"-i", "r=none"},
       "! error: --input r=none: cannot read: no such file or folder\n! hint: name the folder that "
       "stands for the repo\n[64]"},
      {{"-i", "r=dato"},
       "! error: --input r=dato: cannot read: no such file or folder\n! hint: did you mean "
       "\"data\"?\n[64]"},
      {{"-i", "r=file"},
       "! error: --input r=file: is not a folder\n! hint: name the folder that contains it\n[64]"},
      {{"-i", "r=data", "-i", "r=data"}, "! error: --input r=data: names repo r a second time\n[64]"},
      {{"-i", "r=pfs:a b"},
       "! error: --input r=pfs:a b: \"a b\" does not have the form [PROJECT/]REPO[@BRANCH-OR-COMMIT]\n! "
       "hint: "
       "for example images@master\n[64]"},
      {{"-i", "r=data", "--tick", "2026-11-25"},
       "! error: --tick: invalid time \"2026-11-25\"\n! hint: write it as 2026-11-25T22:31:45Z, in "
       "UTC\n[64]"},
      {{"-i", "r=data", "--tick", "2026-11-25T22:31:45Zx"},
       "! error: --tick: invalid time \"2026-11-25T22:31:45Zx\"\n! hint: write it as 2026-11-25T22:31:45Z, "
       "in "
       "UTC\n[64]"},
      {{"-i", "r=data", "--tick", "2026-1-25T22:31:45Z"},
       "! error: --tick: invalid time \"2026-1-25T22:31:45Z\"\n! hint: write it as 2026-11-25T22:31:45Z, in "
       "UTC\n[64]"},
  };
  for (const auto& [words, said] : rows) {
    std::vector<std::string> all = {"list", "datum", "-f", "p.json"};
    all.insert(all.end(), words.begin(), words.end());
    EXPECT_EQ(told(all), said);
  }
  // The time of a tick is one of its files' names.
  write("p.json",
        R"({"pipeline": {"name": "p"}, "transform": {"image": "i:1", "cmd": ["true"]},
            "input": {"cron": {"name": "tick", "spec": "@daily"}}})");
  EXPECT_TRUE(told({"list", "datum", "-f", "p.json", "--tick", "2026-11-25T22:31:45Z"})
                  .ends_with("/2026-11-25T22:31:45Z\n"));
}

// What a run needs to know is looked at before anything is built.
TEST_F(CommandLines, ARunThatCannotBeSaysWhy) {
  write("data/a", "1");
  const std::vector<std::string> common = {"run", "-f", "p.json", "-i", "r=data"};
  const auto run = [&](std::vector<std::string> more) {
    more.insert(more.begin(), common.begin(), common.end());
    return told(more);
  };
  const auto in_images = [](const std::string& names) {
    return "! error: p.json:1:" + std::to_string(reading("p", {"r"}).find(R"({"cmd")") + 1) + ": " + names +
           " in an image\n! hint: add --runtime podman (or docker), or --host-commands to run the command "
           "with what this machine has\n[65]";
  };
  write("p.json", reading("p", {"r"}));
  EXPECT_EQ(run({}), in_images("pipeline p has no transform.build and runs")) << "the output has a default";
  EXPECT_EQ(run({"--output", "out"}), in_images("pipeline p has no transform.build and runs"));
  EXPECT_EQ(run({"-o", "out"}), in_images("pipeline p has no transform.build and runs"));
  EXPECT_EQ(run({"--output", "out", "-o", "yaml"}),
            "! error: -o yaml: must be json when --output is given\n! hint: use only one of the two for the "
            "folder\n[64]");
  write("p.json", reading("p", {"r"}) + reading("q", {"r"}));
  EXPECT_EQ(run({"--output", "out"}), in_images("the pipelines p, q have no transform.build and run"));
  EXPECT_NE(run({"--output", "out", "--pipeline", "q", "--runtime", "none"})
                .find(": pipeline q has no transform.build and runs in an image"),
            std::string::npos);
  EXPECT_EQ(run({"--output", "out", "--datum", "1"}),
            "! error: --datum: requires --pipeline: the specs contain several pipelines\n! hint: name one of "
            "p, q\n[64]");
  EXPECT_EQ(told({"run", "--job", "p", "-f", "p.json", "--output", "out"}),
            "! error: --job p: already names the pipeline and its data\n! hint: omit -f, --jsonnet, --input, "
            "--pipeline and --tick\n[64]");
  for (const std::vector<std::string>& other : std::vector<std::vector<std::string>>{
           {"-i", "r=data"}, {"--pipeline", "p"}, {"--tick", "2026-11-25T22:31:45Z"}}) {
    std::vector<std::string> words = {"run", "--job", "p", "--output", "out"};
    words.insert(words.end(), other.begin(), other.end());
    EXPECT_TRUE(told(words).starts_with("! error: --job p: already names the pipeline and its data\n"))
        << other.front();
  }
  auto without_command = json::parse(reading("p", {"r"}));
  without_command["transform"].erase("cmd");
  write("p.json", without_command.dump());
  for (const std::string runtime : {"none", "podman"}) {
    const auto said = run({"--output", "out", "--runtime", runtime});
    EXPECT_NE(said.find("transform has neither \"build\" nor \"cmd\"\n! hint: add the command of the image "
                        "to transform.cmd: Pachyderm does not read it from the image\n[65]"),
              std::string::npos)
        << said;
  }
  EXPECT_FALSE(base::fs::exists(path("out")));
}

// The verbs of a cluster, with a program in the place of pachctl.
class ClusterLines : public CommandLines {
 protected:
  ClusterLines() { ::setenv("PACHCTL", path("pachctl").c_str(), 1); }
  ~ClusterLines() override { ::unsetenv("PACHCTL"); }

  void answer(const std::vector<std::pair<std::string, std::string>>& answers) const {
    ASSERT_TRUE(make_pachctl(m_folder.path(), answers));
  }
  // The calls that do not only look.
  [[nodiscard]] std::string calls() const {
    std::string all;
    for (const auto& line : base::split(base::read_file(m_folder.path() / "log").value_or(""), '\n')) {
      if (line.empty() || line.starts_with("list ") || line.starts_with("inspect ")) continue;
      all += line.substr(0, line.find(" --file /")) + "\n";
    }
    return all;
  }
  static std::string present(const std::string& name, const json& more = json::object()) {
    json pipeline = {{"pipeline", {{"name", name}, {"project", {{"name", "default"}}}}},
                     {"state", "PIPELINE_RUNNING"}};
    pipeline.update(more);
    return pipeline.dump() + "\n";
  }
  static std::string job(const std::string& pipeline, const json& more = json::object()) {
    json one = {{"job", {{"pipeline", {{"name", pipeline}}}, {"id", "7"}}}, {"state", "JOB_SUCCESS"}};
    one.update(more);
    return one.dump() + "\n";
  }
  // The pipelines "map_build" and "map", as pachbuild makes them.
  static std::string built() {
    const json source = {{"pfs", {{"name", "source"}, {"repo", "map_source"}, {"branch", "master"}}}};
    const json artifact = {{"pfs", {{"name", "build"}, {"repo", "map_build"}, {"branch", "build"}}}};
    return present("map_build", {{"details",
                                  {{"description", "Builds the source of pipeline map."},
                                   {"output_branch", "build"},
                                   {"transform", {{"cmd", {"sh", "./build.sh"}}}},
                                   {"input", source}}}}) +
           present("map", {{"details", {{"input", {{"cross", {source, artifact}}}}}}});
  }
};

TEST_F(ClusterLines, StatusTellsOfThePipelineAndItsBuild) {
  answer({{"list pipeline", present("p", {{"reason", "why"}})},
          {"list job --pipeline p ", job("p", {{"state", "JOB_FAILURE"},
                                               {"reason", "because"},
                                               {"data_total", "9"},
                                               {"data_processed", "2"},
                                               {"data_skipped", "3"},
                                               {"data_failed", "1"}})}});
  EXPECT_EQ(
      told({"status", "p"}),
      "p: PIPELINE_RUNNING, why\n  job 7: JOB_FAILURE, 6 of 9 datums (3 skipped), 1 failed\n  because\n");
  EXPECT_EQ(json::parse(told({"status", "p", "-o", "json"})),
            json::parse(R"({"pipeline": "p", "state": "PIPELINE_RUNNING", "reason": "why",
                            "job": {"id": "7", "state": "JOB_FAILURE", "reason": "because", "datums": 9,
                                    "processed": 2, "skipped": 3, "failed": 1}})"));
  EXPECT_EQ(
      told({"status", "q"}),
      "! error: pipeline q: does not exist\n! hint: pachctl list pipeline shows which pipelines exist\n[65]");
  answer({{"list pipeline", present("p")}});
  EXPECT_EQ(told({"status", "p"}), "p: PIPELINE_RUNNING\n  no job yet\n");
  EXPECT_EQ(json::parse(told({"status", "p", "-o", "json"})),
            json::parse(R"({"pipeline": "p", "state": "PIPELINE_RUNNING", "reason": ""})"));
  // A build that failed says why.
  const auto with_build = [&](const std::string& state) {
    answer({{"list pipeline", built()},
            {"list job --pipeline map_build", job("map_build", {{"state", state}, {"data_total", "1"}})},
            {"logs --job map_build@7", "no main.py\n"}});
    return told({"status", "map"});
  };
  EXPECT_EQ(
      with_build("JOB_RUNNING"),
      "map_build: PIPELINE_RUNNING\n  job 7: JOB_RUNNING, 0 of 1 datum\nmap: PIPELINE_RUNNING\n  no job "
      "yet\n");
  const auto failed = with_build("JOB_FAILURE");
  EXPECT_NE(failed.find("! no main.py\n! error: pipeline map_build: job 7 failed\n"), std::string::npos)
      << failed;
  EXPECT_TRUE(failed.ends_with("[1]")) << failed;
}

TEST_F(ClusterLines, LogsAreThoseOfTheNewestJobs) {
  answer({{"list pipeline", built()},
          {"list job --pipeline map_build", job("map_build")},
          {"list job --pipeline map ", job("map")},
          {"logs --job map_build@7 --raw", R"({"user": true, "message": "built"})"},
          {"logs --job map@7 --raw", R"({"user": true, "message": "ran"}{"message": "of the worker"})"},
          {"logs --job map_build@7", "built\n"},
          {"logs --job map@7", "ran\n"}});
  EXPECT_EQ(told({"logs", "map"}), "built\nran\n! == map_build: JOB_SUCCESS\n! == map: JOB_SUCCESS\n");
  EXPECT_EQ(told({"logs", "map", "--follow"}),
            "built\nran\n! == map_build, job 7\n! == map_build: JOB_SUCCESS\n! == map, job 7\n! == map: "
            "JOB_SUCCESS\n");
  const std::string hint =
      "! hint: NAME is a pipeline on a cluster; -f SPEC is a pipeline that ran on this machine\n[64]";
  EXPECT_EQ(told({"logs"}),
            "! error: the current folder has no pipeline spec\n"
            "! hint: name one (pachbuild logs -f SPEC), or create a pipeline (pachbuild init)\n[64]");
  EXPECT_EQ(told({"logs", "map", "-f", "p.json"}),
            "! error: logs: takes either the name of a pipeline or a spec, not both\n" + hint);
  // A spec is not the name of a pipeline.
  write("p.json", "");
  const std::string is_file = "! error: p.json: is a file, not the name of a pipeline\n! hint: ";
  const std::string named = "NAME is a pipeline on a cluster, as in pachbuild ";
  EXPECT_EQ(told({"logs", "p.json"}),
            is_file + "for its last run on this machine: pachbuild logs -f p.json\n[64]");
  EXPECT_EQ(told({"status", "p.json"}), is_file + named + "status edges\n[64]");
  EXPECT_EQ(told({"delete", "pipeline", "p.json"}), is_file + named + "delete pipeline edges\n[64]");
  answer({{"list pipeline", present("p")}});
  EXPECT_EQ(told({"logs", "p"}), "") << "it has no job yet";
  answer({{"list pipeline", "!no route\n"}});
  EXPECT_EQ(told({"logs", "p"}),
            "! error: the cluster does not answer: no route\n! hint: check the output of `pachctl version` "
            "and `pachctl config get active-context`\n[69]");
}

TEST_F(ClusterLines, DeleteAsksOrIsTold) {
  answer({{"list repo", R"({"repo": {"name": "map"}}{"repo": {"name": "map_build"}})"
                        R"({"repo": {"name": "map_source"},)"
                        R"( "description": "Source of pipeline map, managed by pachbuild."})"},
          {"list pipeline", built()}});
  const base::UniqueFd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const base::UniqueFd before(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
  ::dup2(nothing.get(), STDIN_FILENO);
  EXPECT_EQ(told({"delete", "pipeline", "map"}),
            "! error: not confirmed: this deletes pipeline map, pipeline map_build, repo map_source\n! hint: "
            "add --yes to "
            "confirm\n[64]");
  if (before) ::dup2(before.get(), STDIN_FILENO);
  EXPECT_EQ(calls(), "");
  EXPECT_EQ(told({"delete", "pipeline", "map", "--yes"}),
            "! deleted pipeline map, pipeline map_build, repo map_source\n");
  EXPECT_EQ(calls(), "delete pipeline map\ndelete pipeline map_build\ndelete repo map_source\n");
  EXPECT_EQ(told({"delete", "pipeline", "other", "-y"}),
            "! error: pipeline other: does not exist\n! hint: pachctl list pipeline shows which pipelines "
            "exist\n[65]");
}

TEST_F(ClusterLines, DiffHasALineForEachDifference) {
  const json spec = json::parse(reading("p", {"r"}));
  const auto diff = [&](const json& there, const json& wanted, bool by_code = false) {
    write("p.json", wanted.dump());
    answer({{"list pipeline", present("p", {{"user_spec_json", there.dump()}})}});
    std::vector<std::string> words = {"diff", "-f", "p.json"};
    if (by_code) words.emplace_back("--exit-code");
    return told(words);
  };
  EXPECT_EQ(diff(spec, spec), "");
  EXPECT_EQ(diff(spec, spec, true), "");
  auto more = spec;
  more["description"] = "d";
  EXPECT_EQ(diff(spec, more), "+ pipeline p: /description \"d\"\n");
  EXPECT_EQ(diff(spec, more, true), "+ pipeline p: /description \"d\"\n[1]");
  EXPECT_EQ(diff(more, spec), "- pipeline p: /description \"d\"\n");
  auto other = more;
  other["description"] = "e";
  EXPECT_EQ(diff(more, other), "~ pipeline p: /description \"d\" → \"e\"\n");
  // The same command in the environment of the build.
  auto in_shim = spec;
  in_shim["transform"]["cmd"] = {"/usr/local/bin/worker-shim", "--exec", "--", "true"};
  EXPECT_EQ(diff(in_shim, spec), "~ pipeline p: the way its command is started has changed\n");
  answer({});
  EXPECT_EQ(told({"diff", "-f", "p.json"}), "+ pipeline p\n");
  // A build's source as well.
  write("source/main.py", "print()\n");
  write("source/new.py", "print()\n");
  auto with_build = spec;
  with_build["pipeline"]["name"] = "map";
  with_build["transform"] = {{"build", {{"language", "python"}, {"path", "source"}}}};
  write("p.json", with_build.dump());
  answer({});
  EXPECT_EQ(told({"diff", "-f", "p.json"}), "+ main.py\n+ new.py\n+ pipeline map_build\n+ pipeline map\n");
  answer({{"list repo", R"({"repo": {"name": "map_source"}})"},
          {"list branch", R"({"branch": {"name": "master"}, "head": {"id": "h"}})"},
          {"inspect commit", R"({"finishing": "t"})"},
          {"glob file", R"({"file_type": "FILE", "file": {"path": "/main.py"}, "size_bytes": "1"})"
                        R"({"file_type": "FILE", "file": {"path": "/old.py"}, "size_bytes": "1"})"}});
  EXPECT_EQ(told({"diff", "-f", "p.json"}),
            "~ main.py\n+ new.py\n- old.py\n+ pipeline map_build\n+ pipeline map\n");
}

TEST_F(ClusterLines, PipelinesAreSentBehindWhatTheyRead) {
  const auto in_project = [](const std::string& text, const std::string& project) {
    auto spec = json::parse(text);
    spec["pipeline"]["project"]["name"] = project;
    return spec.dump() + "\n";
  };
  const auto sent = [&](const std::string& specs, const std::vector<std::string>& more = {}) {
    write("p.json", specs);
    std::vector<std::string> words = {"update", "pipeline", "-f", "p.json"};
    words.insert(words.end(), more.begin(), more.end());
    return told(words);
  };
  answer({});
  EXPECT_EQ(
      sent(reading("last", {"mid", "c"}) + "\n" + reading("mid", {"first"}) + "\n" + reading("first", {"a"})),
      "! first: sent as is\n! mid: sent as is\n! last: sent as is\n");
  EXPECT_EQ(calls(), "update pipeline\nupdate pipeline\nupdate pipeline\n");
  // Of another project nothing is read, unless its inputs say so.
  EXPECT_EQ(sent(reading("z", {"y"}) + "\n" + in_project(reading("y", {"a"}), "far")),
            "! z: sent as is\n! y: sent as is\n");
  EXPECT_EQ(sent(reading("z", {"y"}) + "\n" + in_project(reading("y", {"a"}), "default")),
            "! y: sent as is\n! z: sent as is\n");
  auto far = json::parse(reading("z", {"y"}));
  far["input"]["pfs"]["project"] = "far";
  EXPECT_EQ(sent(far.dump() + "\n" + in_project(reading("y", {"a"}), "far")),
            "! y: sent as is\n! z: sent as is\n");
  answer({});
  const auto circle = sent(reading("a", {"b"}) + "\n" + reading("b", {"a"}));
  EXPECT_EQ(
      circle,
      "! error: p.json:1:10: the pipelines form a cycle: a reads b, which reads a\n! hint: remove one of the "
      "inputs\n[65]");
  const auto twice = sent(reading("a", {"x"}) + "\n" + reading("a", {"y"}));
  EXPECT_NE(twice.find("pipeline name \"a\" is already used: p.json:1:"), std::string::npos) << twice;
  EXPECT_EQ(calls(), "");
  answer({{"update pipeline", "!refused\n"}});
  EXPECT_EQ(sent(reading("a", {"x"}) + "\n" + reading("b", {"y"})),
            "! error: pachctl update pipeline: refused\n[65]");
  // All are looked at before the first is sent.
  answer({{"list pipeline", present("b")}});
  write("p.json", reading("a", {"x"}) + "\n" + reading("b", {"y"}));
  EXPECT_NE(told({"create", "pipeline", "-f", "p.json"}).find("pipeline \"b\" already exists"),
            std::string::npos);
  EXPECT_EQ(calls(), "");
  // What was sent before an error is told.
  ASSERT_TRUE(base::write_file(m_folder.path() / "pachctl",
                               "#!/bin/sh\ncase \"$1\" in update) [ ! -e '" + path("once") +
                                   "' ] || { echo refused >&2; exit 1; }; : > '" + path("once") +
                                   "' ;; esac\n",
                               0755));
  EXPECT_EQ(sent(reading("a", {"x"}) + "\n" + reading("b", {"y"}) + "\n" + reading("c", {"y"})),
            "! a: sent as is\n! warning: submitted before the error: a; not submitted: b, c\n! error: "
            "pachctl update pipeline: refused\n[65]");
}

TEST_F(ClusterLines, APlanIsPrintedAndNothingSent) {
  write("source/main.py", "print()\n");
  auto spec = json::parse(reading("map", {"r"}));
  spec["transform"] = {{"build", {{"language", "python"}, {"path", "source"}}}};
  write("p.json", spec.dump() + "\n" + reading("plain", {"map"}));
  answer({});
  const auto plan = told({"update", "pipeline", "-f", "p.json", "--dry-run"});
  const std::string info = "! map: 1 source file for repo map_source\n";
  ASSERT_TRUE(plan.ends_with(info)) << plan;
  std::vector<std::string> names;
  std::istringstream all(plan.substr(0, plan.size() - info.size()));
  for (json one; all >> std::ws && !all.eof();) {
    all >> one;
    names.push_back(one.at("pipeline").at("name"));
  }
  EXPECT_EQ(names, (std::vector<std::string>{"map_build", "map", "plain"}));
  const auto yaml = told({"update", "pipeline", "-f", "p.json", "--dry-run", "-o", "yaml"});
  EXPECT_TRUE(yaml.starts_with("---\n")) << yaml;
  EXPECT_NE(yaml.find("\n---\n"), std::string::npos);
  EXPECT_EQ(base::read_file(m_folder.path() / "log").value(), "");
  const std::string url = "https://h/x.json";
  EXPECT_EQ(told({"update", "pipeline", "-f", url}), "! " + url + ": sent as is\n");
  EXPECT_EQ(base::read_file(m_folder.path() / "log").value(), "update pipeline --file " + url + "\n");
  for (const std::string option : {"--dry-run", "--wait", "--build", "--push-images"})
    EXPECT_TRUE(
        told({"update", "pipeline", "-f", url, option})
            .starts_with("! error: " + option +
                         ": does not work with a URL, which pachctl fetches\n! hint: download the spec and "
                         "pass the file with -f\n[64]"))
        << option;
}

TEST_F(ClusterLines, APythonProgramNeedsNoSpec) {
  answer({});
  const auto running = [&](std::vector<std::string> words, const std::string& info) {
    words.insert(words.begin(), {"create", "python-pipeline"});
    words.emplace_back("--dry-run");
    const auto said = told(words);
    EXPECT_TRUE(said.ends_with("! " + info + "\n")) << said;
    std::istringstream all(said.substr(0, said.find("\n! ")));
    json one;
    all >> one >> one;  // that of the build is the first
    return one;
  };
  write("count/main.py", "print()\n");
  auto spec = running({"count", "-i", "a:/", "-i", "b", "--name", "n", "--env", "A=b=c", "--env", "B="},
                      "n: 1 source file for repo n_source");
  EXPECT_EQ(spec.at("pipeline").at("name"), "n");
  EXPECT_EQ(spec.at("transform").at("env"), json({{"A", "b=c"}, {"B", ""}}));
  EXPECT_EQ(spec.at("input").at("cross").at(2),
            json::parse(
                R"({"cross": [{"pfs": {"repo": "a", "glob": "/"}}, {"pfs": {"repo": "b", "glob": "/*"}}]})"));
  // A file by itself, with the requirements beside it.
  write("train.py", "print()\n");
  write("helper.py", "print()\n");
  spec = running({"train.py", "-i", "a"}, "train: 1 source file for repo train_source");
  EXPECT_FALSE(spec.at("transform").contains("env"));
  EXPECT_EQ(spec.at("input").at("cross").at(2), json::parse(R"({"pfs": {"repo": "a", "glob": "/*"}})"));
  write("requirements.txt", "");
  running({"train.py", "-i", "a"}, "train: 2 source files for repo train_source");
  const auto wrong = told({"create", "python-pipeline", "train.py", "-i", "a", "--env", "x", "--dry-run"});
  EXPECT_EQ(wrong, "! error: --env x: does not have the form NAME=VALUE\n[64]");
  EXPECT_TRUE(told({"create", "python-pipeline", "none.py", "-i", "a"})
                  .starts_with("! error: none.py: cannot read: "));
  // What is wrong with a value names its option.
  const auto refused = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"update", "python-pipeline"});
    words.emplace_back("--dry-run");
    return told(words);
  };
  const std::string hint =
      "! hint: a name has letters, digits, '_' and '-', and starts with a letter or digit\n[65]";
  EXPECT_EQ(refused({"train.py", "-i", "a", "--name", "a b"}),
            "! error: --name: invalid name \"a b\"\n" + hint);
  write("a b.py", "");
  EXPECT_EQ(refused({"a b.py", "-i", "a"}), "! error: a b.py: pipeline.name: invalid name \"a b\"\n" + hint);
  EXPECT_EQ(refused({"train.py", "-i", "a", "-i", "x y"}),
            "! error: --input x y: invalid repo name \"x y\"\n"
            "! hint: a name has letters, digits, '_' and '-'\n[65]");
  EXPECT_EQ(refused({"train.py", "-i", "a", "-i", "b", "-i", "a:/"}),
            "! error: --input a:/: names repo a a second time\n[64]");
  EXPECT_TRUE(refused({"train.py", "-i", "r:["}).starts_with("! error: --input r:[: "))
      << refused({"train.py", "-i", "r:["});
  write("pipeline.json", "{}");
  EXPECT_EQ(refused({"pipeline.json", "-i", "a"}),
            "! error: pipeline.json: is not a Python file\n! hint: name a .py file, or a folder with a "
            "main.py\n[65]");
  write("data/x.txt", "");
  EXPECT_EQ(
      refused({"data", "-i", "a"}),
      "! error: data: has no main.py\n! hint: name the folder of a Python program, or a .py file\n[65]");
  write("data/pyproject.toml", "");
  EXPECT_TRUE(refused({"data", "-i", "a"}).ends_with("! data: 2 source files for repo data_source\n"));
}

TEST_F(CommandLines, ABuilderIsAFolderWithADescriptionOrAScriptAndAProbe) {
  const std::string hint = "! hint: name the source of a probe (see docs/authoring-builders.md)\n[64]";
  EXPECT_EQ(told({"builder", "test", "./none"}), "! error: ./none: no such folder\n[64]");
  EXPECT_EQ(told({"builder", "test", ""}), "! error: the builder: has no name\n[64]");
  write("mine/file", "");
  EXPECT_EQ(told({"builder", "test", "./mine/file"}), "! error: ./mine/file: is not a folder\n[64]");
  EXPECT_EQ(told({"builder", "test", "mine"}), "! error: mine: has no probe folder\n" + hint);
  write("mine/probe/main.py", "");
  EXPECT_EQ(told({"builder", "test", "mine", "--source", "none"}),
            "! error: --source none: is not a folder\n" + hint);
  const std::string no_script =
      "! error: mine: has neither builder.toml nor build.sh\n! hint: a builder is a folder with one of them, "
      "or an "
      "image with a build.sh\n[65]";
  EXPECT_EQ(told({"builder", "test", "mine"}), no_script);
  EXPECT_EQ(told({"builder", "test", "mine", "--source", "mine/probe"}), no_script);
}

// An image is pushed with a program in the place of podman, and its name put into the specs.
class PublishingLines : public ClusterLines {
 protected:
  PublishingLines() {
    ::setenv("PATH", (path("bin") + ":" + m_path).c_str(), 1);
    EXPECT_TRUE(base::make_folders(m_folder.path() / "bin"));
    EXPECT_TRUE(base::write_file(m_folder.path() / "bin/podman",
                                 "#!/bin/sh\nwhile [ $# -gt 0 ]; do case \"$1\" in\n"
                                 "--iidfile) echo sha256:0123456789abcdef > \"$2\" ;;\n"
                                 "--digestfile) echo sha256:d1 > \"$2\" ;;\n"
                                 "--authfile) cp \"$2\" '" +
                                     path("login") +
                                     "' ;;\n"
                                     "inspect) [ ! -e '" +
                                     path("gone") +
                                     "' ] || { echo gone >&2; exit 1; }; echo 0123456789abcdef ;;\n"
                                     "esac; shift; done\n",
                                 0755));
    answer({});
    write("image/Dockerfile", "");
  }
  ~PublishingLines() override { ::setenv("PATH", m_path.c_str(), 1); }

  static json with_dockerfile(const std::string& name) {
    auto spec = json::parse(reading(name, {"r"}));
    spec["transform"]["dockerfile"] = "image/Dockerfile";
    return spec;
  }
  [[nodiscard]] std::string publish(const std::vector<std::string>& more) const {
    std::vector<std::string> words = {"update",     "pipeline", "-f",        "p.json",
                                      "--registry", "h",        "--builder", "podman"};
    words.insert(words.end(), more.begin(), more.end());
    return told(words);
  }
  // With a line on standard input.
  [[nodiscard]] std::string publish_typing(const std::string& line,
                                           const std::vector<std::string>& more) const {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    EXPECT_EQ(::write(ends[1], line.data(), line.size()), static_cast<ssize_t>(line.size()));
    ::close(ends[1]);
    const base::UniqueFd before(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
    ::dup2(ends[0], STDIN_FILENO);
    ::close(ends[0]);
    auto said = publish(more);
    if (before) ::dup2(before.get(), STDIN_FILENO);
    return said;
  }

  const std::string m_path = std::getenv("PATH") == nullptr ? "" : std::getenv("PATH");
};

TEST_F(PublishingLines, BuildTheImagesOfDockerfilesOnly) {
  const std::string image = "h/i:0123456789ab@sha256:d1";
  write("p.json", with_dockerfile("map").dump() + "\n" + reading("plain", {"r"}) + "\n");
  EXPECT_EQ(publish({"--build"}), "! map: image: " + image + "\n! map: sent as is\n! plain: sent as is\n");
  EXPECT_EQ(publish({"--push-images"}), "! map: image: " + image + "\n! plain: image: " + image +
                                            "\n! map: sent as is\n! plain: sent as is\n");
  EXPECT_EQ(publish({"--build", "--username", "ann", "--tag", "v1"}),
            "! map: image: h/ann/i:v1@sha256:d1\n! map: sent as is\n! plain: sent as is\n");
  // Without an image the pipeline names it.
  auto nameless = with_dockerfile("map");
  nameless["transform"].erase("image");
  write("p.json", nameless.dump());
  EXPECT_EQ(publish({"--build"}), "! map: image: h/map:0123456789ab@sha256:d1\n! map: sent as is\n");
  const std::string hint = "\n! hint: name the file there, relative to the spec's folder\n[65]";
  EXPECT_EQ(publish({"--push-images"}), "! error: p.json: has no pipeline with an image" + hint);
  write("p.json", reading("plain", {"r"}));
  EXPECT_EQ(publish({"--build"}), "! error: p.json: has no pipeline with transform.dockerfile" + hint);
  EXPECT_EQ(publish({}), "! plain: sent as is\n") << "nothing is published";
  nameless["transform"]["dockerfile"] = "none";
  write("p.json", nameless.dump());
  const auto missing = publish({"--build"});
  EXPECT_TRUE(
      missing.starts_with("! error: p.json:1:" + std::to_string(nameless.dump().find("\"none\"") + 1) +
                          ": cannot read: no such file or "))
      << missing;
  write("gone", "");
  write("p.json", reading("plain", {"r"}));
  EXPECT_EQ(publish({"--push-images"}),
            "! error: i:1: is not on this machine: gone\n! hint: build it first, or use --build\n[65]");
}

TEST_F(PublishingLines, WriteTheImagesIntoTheirFiles) {
  const std::string first = with_dockerfile("a").dump() + "\n";
  const std::string second = with_dockerfile("b").dump() + "\n";
  write("p.json", first + second);
  ASSERT_EQ(::chmod(path("p.json").c_str(), 0640), 0);
  const auto said = publish({"--build", "--write"});
  EXPECT_NE(said.find("! p.json: written\n"), std::string::npos) << said;
  auto wanted = first + second;
  base::replace_all(wanted, "\"i:1\"", "\"h/i:0123456789ab@sha256:d1\"");
  EXPECT_EQ(base::read_file(m_folder.path() / "p.json").value(), wanted);
  struct stat status{};
  ASSERT_EQ(::stat(path("p.json").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0640U);
}

TEST_F(PublishingLines, LogInWithAPasswordThatIsTyped) {
  write("p.json", with_dockerfile("map").dump());
  EXPECT_TRUE(publish_typing("secret\nmore\n", {"--build", "--username", "ann", "--password-stdin"})
                  .starts_with("! map: image: h/ann/i:0123456789ab@sha256:d1\n"));
  EXPECT_EQ(json::parse(base::read_file(m_folder.path() / "login").value()),
            json::parse(R"({"auths": {"h": {"auth": "YW5uOnNlY3JldA=="}}})"));  // ann:secret
  EXPECT_TRUE(publish_typing("secret", {"--build", "--username", "ann", "--password-stdin"})
                  .starts_with("! map: image: "));
  EXPECT_EQ(json::parse(base::read_file(m_folder.path() / "login").value()),
            json::parse(R"({"auths": {"h": {"auth": "YW5uOnNlY3JldA=="}}})"));
  EXPECT_EQ(publish_typing("secret\n", {"--build", "--password-stdin"}),
            "! error: --password-stdin: needs a name to log in with\n! hint: add --username NAME\n[64]");
}

}  // namespace
}  // namespace commands
