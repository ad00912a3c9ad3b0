// SPDX-License-Identifier: Apache-2.0
// What is offered while a command line is typed.
#include "pachbuild/commands/complete.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <boost/filesystem/operations.hpp>

#include "base/files.h"
#include "pachbuild/commands/data_options.h"

namespace commands {
namespace {

class Completion : public testing::Test {
 protected:
  Completion() {
    auto* run = m_app.add_subcommand("run", "Run it\nand more");
    m_data.add_to(*run);
    run->add_option("-o,--output", m_text, "A folder")->type_name("DIR");
    run->add_option("--runtime", m_text, "Where")
        ->type_name("NAME")
        ->check(CLI::IsMember({"podman", "docker"}));
    run->add_option("--secret", m_texts, "A secret")->type_name("NAME=PATH");
    run->add_flag("-q", m_flag, "Short alone");
    run->add_flag("-v,--verbose", m_flag, "Both");
    add_datum_option(*run, m_texts);
    auto* update = m_app.add_subcommand("update", "Change it");
    update->add_subcommand("pipeline", "A pipeline");
    update->add_subcommand("place", "");
    m_app.add_subcommand("help", "Show the help of a verb")->add_option("VERB", m_texts);
    m_app.add_subcommand("status", "A state")->add_option("--log", m_text, "A log")->type_name("FILE");
    auto* clean = m_app.add_subcommand("clean", "Remove");
    clean->add_option("kind", m_texts)->type_name("KIND");
    clean->add_option("--from", m_text)->type_name("SPEC|DOCKERFILE");
  }

  void write_spec() {
    constexpr char k_spec[] =
        R"({"pipeline": {"name": "map"}, "transform": {"build": {"language": "python", "path": "."}, "secrets": [{"name": "key", "mountPath": "/key"}]},
            "input": {"cross": [{"pfs": {"repo": "scans", "glob": "/*"}}, {"cron": {"name": "tick", "spec": "@daily"}}]}}
           {"pipeline": {"name": "reduce"}, "transform": {"build": {"language": "python", "path": "."}},
            "input": {"cross": [{"pfs": {"repo": "map", "glob": "/"}}, {"pfs": {"repo": "notes", "glob": "/"}}]}})";
    ASSERT_TRUE(base::write_file(m_spec, k_spec));
  }

  // As to_text() has it, after the program's name.
  std::string offered(const std::vector<std::string>& words) { return to_text(complete(m_app, words)); }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "complete.").value();
  std::string m_spec = (m_folder.path() / "map.json").string();
  CLI::App m_app{"", "program"};
  DataOptions m_data;
  std::string m_text;
  std::vector<std::string> m_texts;
  bool m_flag = false;
};

TEST_F(Completion, OffersVerbs) {
  EXPECT_EQ(offered({}), "none\t\n");
  EXPECT_EQ(offered({""}),
            "none\t\nrun\tRun it\nupdate\tChange it\nhelp\tShow the help of a verb\nstatus\tA "
            "state\nclean\tRemove\n");
  EXPECT_EQ(offered({"r"}), "none\t\nrun\tRun it\n");
  EXPECT_EQ(offered({"x"}), "none\t\n");
  EXPECT_EQ(offered({"update", ""}), "none\t\npipeline\tA pipeline\nplace\t\n");
  EXPECT_EQ(offered({"update", "pi"}), "none\t\npipeline\tA pipeline\n");
  EXPECT_EQ(offered({"unknown", "r"}), "none\t\nrun\tRun it\n");
}

TEST_F(Completion, OffersVerbsAfterHelp) {
  EXPECT_EQ(offered({"help", "u"}), "none\t\nupdate\tChange it\n");
  EXPECT_EQ(offered({"help", "update", "pi"}), "none\t\npipeline\tA pipeline\n");
  EXPECT_EQ(offered({"help", "run", ""}), "none\t\n");
  // Of another verb it is a word like others.
  EXPECT_EQ(offered({"update", "help", "pi"}), "none\t\npipeline\tA pipeline\n");
}

TEST_F(Completion, OffersOptionsByTheirLongNames) {
  EXPECT_EQ(offered({"status", "-"}), "none\t\n--help\tPrint this help message and exit\n--log\tA log\n");
  EXPECT_EQ(offered({"status", ""}), offered({"status", "-"}));
  EXPECT_EQ(offered({"run", "--ru"}), "none\t\n--runtime\tWhere\n");
  EXPECT_EQ(offered({"run", "-v"}), "none\t\n-v\tBoth\n");
  EXPECT_EQ(offered({"run", "-q"}), "none\t\n-q\tShort alone\n");
  EXPECT_NE(offered({"run", "-"}).find("\n-q\t"), std::string::npos);
  EXPECT_EQ(offered({"run", "-"}).find("\n-v\t"), std::string::npos);
  EXPECT_EQ(offered({"run", "--none"}), "none\t\n");
}

TEST_F(Completion, OffersTheValuesOfAnOption) {
  EXPECT_EQ(offered({"run", "--runtime", ""}), "none\t\npodman\t\ndocker\t\n");
  EXPECT_EQ(offered({"run", "--runtime", "d"}), "none\t\ndocker\t\n");
  EXPECT_EQ(offered({"run", "--runtime=d"}), "none\t--runtime=\n--runtime=docker\t\n");
  EXPECT_EQ(offered({"run", "--unknown=d"}), "none\t\n");
  EXPECT_EQ(offered({"run", "--runtime", "docker", "--ver"}), "none\t\n--verbose\tBoth\n");
  EXPECT_EQ(offered({"run", "--runtime=docker", "--ver"}), "none\t\n--verbose\tBoth\n");
  // A flag has none.
  EXPECT_EQ(offered({"run", "-v", "--ver"}), "none\t\n--verbose\tBoth\n");
}

TEST_F(Completion, OffersKindsOfTheCache) {
  EXPECT_EQ(offered({"clean", "res"}),
            "none\t\nresults\toutputs of datums, and files fetched from clusters\n");
  EXPECT_EQ(offered({"clean", "results", "pyt"}).find("none\t\npython\t"), 0U);
}

TEST_F(Completion, LeavesPathsToTheShell) {
  EXPECT_EQ(offered({"run", "-f", "a"}), "files\t\n");
  EXPECT_EQ(offered({"run", "--file=a"}), "files\t--file=\n");
  EXPECT_EQ(offered({"run", "a"}), "files\t\n");
  EXPECT_EQ(offered({"run", "-o", ""}), "folders\t\n");
  EXPECT_EQ(offered({"run", "--datum", ""}), "files\t\n");
  EXPECT_EQ(offered({"status", "--log", ""}), "files\t\n");
  EXPECT_EQ(offered({"clean", "--from", ""}), "files\t\n");
  EXPECT_EQ(offered({"run", "--tick", ""}), "none\t\n");
  EXPECT_EQ(offered({"run", "-f", "x", "--", "a"}), "files\t\n");
  EXPECT_EQ(offered({"run", "--", "-o", "-"}), "files\t\n");
}

TEST_F(Completion, OffersWhatSpecsName) {
  write_spec();
  for (const std::vector<std::string>& given :
       {std::vector<std::string>{"run", "-f", m_spec}, {"run", "--file=" + m_spec}, {"run", m_spec}}) {
    const auto with = [&](const std::vector<std::string>& more) {
      auto words = given;
      words.insert(words.end(), more.begin(), more.end());
      return offered(words);
    };
    EXPECT_EQ(with({"--pipeline", ""}), "none\t\nmap\t\nreduce\t\n");
    EXPECT_EQ(with({"--pipeline=r"}), "none\t--pipeline=\n--pipeline=reduce\t\n");
    EXPECT_EQ(with({"--input", ""}), "none\t\nnotes=\t\nscans=\t\n");
    EXPECT_EQ(with({"-i", "s"}), "none\t\nscans=\t\n");
    EXPECT_EQ(with({"--input=s"}), "none\t--input=\n--input=scans=\t\n");
    EXPECT_EQ(with({"--input", "scans=a"}), "folders\tscans=\n");
    EXPECT_EQ(with({"--input=scans=a=b"}), "folders\t--input=scans=\n");
    EXPECT_EQ(with({"--secret", ""}), "none\t\nkey=\t\n");
    EXPECT_EQ(with({"--secret", "key=a"}), "files\tkey=\n");
  }
}

TEST_F(Completion, OffersWhatTheOnlySpecOfTheFolderNames) {
  write_spec();
  const auto before = base::fs::current_path();
  base::fs::current_path(m_folder.path());
  const auto alone = offered({"run", "--input", ""});
  EXPECT_TRUE(base::write_file("second.json", base::read_file(m_spec).value()));
  const auto of_two = offered({"run", "--input", ""});
  base::fs::current_path(before);
  EXPECT_EQ(alone, "none\t\nnotes=\t\nscans=\t\n");
  EXPECT_EQ(of_two, "none\t\n");
}

TEST_F(Completion, OffersWhatATemplateNames) {
  ASSERT_TRUE(base::write_file(
      m_folder.path() / "map.jsonnet",
      R"(function(name) {pipeline: {name: name}, transform: {build: {language: "python", path: "."}}, input: {pfs: {repo: "scans", glob: "/"}}})"));
  EXPECT_EQ(offered({"run", "--jsonnet", (m_folder.path() / "map.jsonnet").string(), "--arg", "name=one",
                     "--pipeline", ""}),
            "none\t\none\t\n");
}

TEST_F(Completion, OffersNothingOfWhatCannotBeRead) {
  EXPECT_EQ(offered({"run", "--pipeline", ""}), "none\t\n");
  EXPECT_EQ(offered({"run", "-f", m_spec, "--pipeline", ""}), "none\t\n");
  ASSERT_TRUE(base::write_file(m_spec, "{"));
  EXPECT_EQ(offered({"run", "-f", m_spec, "--input", ""}), "none\t\n");
}

}  // namespace
}  // namespace commands
