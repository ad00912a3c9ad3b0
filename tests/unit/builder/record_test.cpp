// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/packaging/record.h"

#include <gmock/gmock.h>

namespace builder::python {
namespace {

using testing::ElementsAre;

TEST(Record, TheFirstFieldOfEachLineIsAPath) {
  EXPECT_THAT(paths_of_record("six.py,sha256=abc,34549\nsix-1.16.0.dist-info/RECORD,,\n"),
              ElementsAre("six.py", "six-1.16.0.dist-info/RECORD"));
}

TEST(Record, QuotedPathsMayHaveCommasAndQuotes) {
  EXPECT_THAT(paths_of_record("\"a,b.py\",sha256=x,1\n\"say \"\"hi\"\".py\",,\n\"open"),
              ElementsAre("a,b.py", "say \"hi\".py", "open"));
}

TEST(Record, EmptyLinesAndCarriageReturnsAreNoPaths) {
  EXPECT_THAT(paths_of_record("\r\na.py,,\r\n\n,,\nb.py\r\n"), ElementsAre("a.py", "b.py"));
  EXPECT_THAT(paths_of_record(""), ElementsAre());
}

}  // namespace
}  // namespace builder::python
