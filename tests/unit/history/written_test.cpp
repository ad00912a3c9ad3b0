// SPDX-License-Identifier: Apache-2.0
// What is written of a run, against what was recorded (tests/golden/history).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "example.h"
#include "pachbuild/history/page.h"
#include "pachbuild/history/trace.h"

namespace history {
namespace {

using nlohmann::ordered_json;
using testing::HasSubstr;
using testing::Not;

constexpr char k_data_begin[] = "<script type=\"application/json\" id=\"data\">";

void compare(const std::string& name, const std::string& text) {
  const auto file = base::fs::path(PACHBUILD_GOLDEN) / "history" / name;
  if (std::getenv("PACHBUILD_RECORD") != nullptr) {
    ASSERT_TRUE(base::write_file(file, text));
  }
  EXPECT_EQ(text, base::read_file(file).value_or("")) << "PACHBUILD_RECORD=1 records what is written now";
}

// The JSON in a page.
std::string data_in(const std::string& page) {
  const auto begin = page.find(k_data_begin) + std::string(k_data_begin).size();
  return page.substr(begin, page.find("</script>", begin) - begin);
}

TEST(WrittenPage, HasTheDataOfTheRun) {
  compare("page.json", ordered_json::parse(data_in(page_of(example_run()))).dump(1) + "\n");
}

TEST(WrittenPage, IsNotEndedByNames) {
  auto run = example_run();
  run.pipelines[0].name = "</title><script>alert(1)</script>&\"";
  const auto page = page_of(run);
  const auto data = data_in(page);
  EXPECT_THAT(data, Not(HasSubstr("<")));
  EXPECT_TRUE(ordered_json::accept(data));
  EXPECT_THAT(
      page,
      HasSubstr("<title>&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;, reduce, other"));
  EXPECT_THAT(page, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(page, Not(HasSubstr("secret")));
}

TEST(WrittenPage, ListsWhatSucceededLastWhereThereAreTooManyDatums) {
  const auto data = ordered_json::parse(data_in(page_of(example_run(), 4)));
  EXPECT_EQ(data["rows"]["labels"].size(), 4U);
  EXPECT_EQ(data["rows"]["states"], "3324");  // both failed, the recovered and the unfinished one
  EXPECT_EQ(data["unlisted"], 2);
  EXPECT_EQ(data["neverStarted"], 2);
}

TEST(WrittenTrace, HasTheDataOfTheRun) {
  compare("trace.json", ordered_json::parse(trace_of(example_run())).dump(1) + "\n");
}

TEST(WrittenTrace, IsOfARunWithoutDatumsToo) {
  const auto trace = ordered_json::parse(trace_of(history::Run{.folder = "/"}));
  EXPECT_EQ(trace["traceEvents"].size(), 2U);
}

}  // namespace
}  // namespace history
