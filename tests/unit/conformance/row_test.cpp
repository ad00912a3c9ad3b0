// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/conformance/row.h"

#include <gtest/gtest.h>

using conformance::Outcome;
using conformance::Row;

namespace {

const std::vector<Row> k_rows = {{"run.sh", Outcome::passed, "is there"},
                                 {"exit codes", Outcome::failed, "1 < \"2\" & 3\n"},
                                 {"size", Outcome::noted, "large"},
                                 {"user", Outcome::skipped, "root"}};

}  // namespace

TEST(Row, TableHasAlignedColumnsAndALineEach) {
  EXPECT_EQ(conformance::to_table(k_rows),
            "run.sh      ok       is there\n"
            "exit codes  FAILED   1 < \"2\" & 3\\n\n"
            "size        note     large\n"
            "user        skipped  root\n");
}

TEST(Row, JunitCountsAndEscapes) {
  EXPECT_EQ(conformance::to_junit("a&b", k_rows),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<testsuite name=\"a&amp;b\" tests=\"4\" failures=\"1\" skipped=\"1\">\n"
            "  <testcase classname=\"builder\" name=\"run.sh\"><system-out>is there</system-out></testcase>\n"
            "  <testcase classname=\"builder\" name=\"exit codes\">"
            "<failure message=\"1 &lt; &quot;2&quot; &amp; 3\\n\"/></testcase>\n"
            "  <testcase classname=\"builder\" name=\"size\"><system-out>large</system-out></testcase>\n"
            "  <testcase classname=\"builder\" name=\"user\"><skipped message=\"root\"/></testcase>\n"
            "</testsuite>\n");
}

TEST(Row, JsonOfAnyBytesIsValid) {
  EXPECT_NE(conformance::to_json("b", {{"a", Outcome::failed, "\xff"}}).find("\\\\xff"), std::string::npos);
}

TEST(Row, JsonHasAWordForEachOutcome) {
  EXPECT_EQ(conformance::to_json("b", k_rows), R"({
  "builder": "b",
  "rows": [
    {
      "name": "run.sh",
      "outcome": "ok",
      "text": "is there"
    },
    {
      "name": "exit codes",
      "outcome": "failed",
      "text": "1 < \"2\" & 3\\n"
    },
    {
      "name": "size",
      "outcome": "note",
      "text": "large"
    },
    {
      "name": "user",
      "outcome": "skipped",
      "text": "root"
    }
  ]
}
)");
}
