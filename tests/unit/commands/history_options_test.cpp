// SPDX-License-Identifier: Apache-2.0
// Where a report and a trace of a run may be written: not into what the run reads or makes.
#include "pachbuild/commands/history_options.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>

#include "../nobody.h"
#include "base/errors.h"
#include "base/text.h"
#include "report/report.h"

namespace commands {
namespace {

class HistoryOptionsTest : public testing::Test {
 protected:
  HistoryOptionsTest() {
    for (const char* name : {"data", "source", "out", "free"})
      EXPECT_TRUE(base::make_folders(m_folder.path() / name));
    EXPECT_TRUE(base::write_file(m_folder.path() / "source/.pachignore", "*.html\n"));
    m_plan.folders = {{"pages", path("data")}};
    m_plan.pipelines.resize(2);
    m_plan.pipelines[0].spec.transform.build.folder = m_folder.path() / "free";  // nothing to build
    m_plan.pipelines[1].spec.transform.build.language = "go";
    m_plan.pipelines[1].spec.transform.build.folder = m_folder.path() / "source";
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (m_folder.path() / name).string(); }

  // What is told of a report and of a trace in this file, which must be the same.
  [[nodiscard]] std::string told(const std::string& file) const {
    const auto report = one({file, ""});
    const auto trace = one({"", file});
    EXPECT_EQ(base::fs::exists(path("free/r.html")), false) << "nothing is left";
    auto expected = trace;
    base::replace_all(expected, "--trace", "--report");
    EXPECT_EQ(report, expected);
    return report;
  }
  [[nodiscard]] std::string one(const HistoryOptions& options) const {
    const auto checked = options.check(m_plan, path("out"));
    if (checked) return "";
    auto text =
        std::to_string(static_cast<int>(checked.error().kind)) + " " + base::format_error(checked.error());
    base::replace_all(text, m_folder.path().string(), "DIR");
    return text;
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "history.").value();
  local::Plan m_plan;
};

TEST_F(HistoryOptionsTest, ThatAreRight) {
  EXPECT_EQ(one({}), "");
  EXPECT_FALSE(HistoryOptions{}.any());
  EXPECT_TRUE((HistoryOptions{.report = "a"}.any()));
  EXPECT_TRUE((HistoryOptions{.trace = "a"}.any()));
  EXPECT_EQ(told(path("free/r.html")), "");
  EXPECT_EQ(told(path("r.html")), "");
  EXPECT_EQ(told(path("source/r.html")), "") << "it is ignored";
  EXPECT_EQ(one({path("free/a"), path("free/b")}), "");
  ASSERT_TRUE(base::write_file(m_folder.path() / "old", "kept"));
  EXPECT_EQ(told(path("old")), "");
  EXPECT_EQ(base::read_file(m_folder.path() / "old").value(), "kept");
  EXPECT_EQ(std::distance(base::fs::directory_iterator(m_folder.path() / "free"), {}), 0);
}

TEST_F(HistoryOptionsTest, ThatAreWrong) {
  const std::string where = "64 error: --report DIR/";
  EXPECT_EQ(told(path("out/r.html")), where +
                                          "out/r.html: is in the --output folder, which contains only the "
                                          "outputs of datums\nhint: choose another folder\n");
  EXPECT_EQ(told(path("data/x")), where + "data/x: is inside repo pages\nhint: choose another folder\n");
  EXPECT_EQ(told(path("source/r.txt")), where +
                                            "source/r.txt: is inside the source DIR/source\nhint: choose "
                                            "another folder, or list the file in .pachignore\n");
  EXPECT_EQ(told(path("free")), where + "free: is a folder\nhint: name a file in it\n");
  EXPECT_EQ(told(path("free/x/")), where + "free/x/: is a folder\nhint: name a file in it\n");
  EXPECT_EQ(told(path("none/x")),
            where + "none/x: the folder DIR/none does not exist\nhint: create it first\n");
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  EXPECT_EQ(told(path("fifo")), where + "fifo: is not a regular file\nhint: choose another name\n");
  EXPECT_EQ(one({path("free/a"), path("free/../free/a")}),
            "64 error: --trace DIR/free/../free/a: --report already writes to this file\nhint: choose "
            "another name\n");
}

TEST_F(HistoryOptionsTest, ThatCannotBeWritten) {
  ASSERT_EQ(::chmod(m_folder.path().c_str(), 0755), 0);
  ASSERT_EQ(::chmod(path("free").c_str(), 0555), 0);
  const Nobody nobody;
  EXPECT_EQ(one({path("free/r"), ""}), std::to_string(static_cast<int>(base::ErrorKind::cannot_write)) +
                                           " error: --report DIR/free/r: cannot create: permission denied\n");
}

TEST_F(HistoryOptionsTest, WriteTheirFiles) {
  history::Run run;
  const HistoryOptions both{path("free/r.html"), path("free/t.json")};
  std::string said;
  {
    report::Redirection redirection([&](std::string_view text) { said += text; });
    ASSERT_TRUE(both.write(run, true));
    EXPECT_EQ(said, "");
    ASSERT_TRUE(HistoryOptions{}.write(run, false));
    EXPECT_EQ(said, "");
  }
  EXPECT_TRUE(base::read_file(path("free/r.html"))->starts_with("<!DOCTYPE html>"));
  EXPECT_TRUE(base::read_file(path("free/t.json"))->starts_with("{"));
  EXPECT_FALSE((HistoryOptions{path("none/r"), ""}.write(run, true)));
  EXPECT_FALSE((HistoryOptions{"", path("none/t")}.write(run, true)));
}

}  // namespace
}  // namespace commands
