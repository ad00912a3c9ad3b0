// SPDX-License-Identifier: Apache-2.0
#include "contract/pipeline_names.h"

#include <gtest/gtest.h>

namespace contract {
namespace {

TEST(PipelineNames, AreTheNameAndWhatItIs) {
  EXPECT_EQ(source_repo_of("map"), "map_source");
  EXPECT_EQ(build_pipeline_of("map"), "map_build");
  EXPECT_EQ(build_source_repo_of("map"), "map_build_source");
  EXPECT_EQ(build_pipeline_of(std::string(45, 'n')), std::string(45, 'n') + "_build");
}

// They are those of pipelines that exist: never change them.
TEST(PipelineNames, LongOnesHaveADigest) {
  const std::string name = "daily-aggregation-of-sensor-readings-by-station";
  ASSERT_EQ(name.size(), 47U);
  EXPECT_EQ(build_pipeline_of(name),
            "daily-aggregation-of-sensor-readings-" + base::sha256(name).substr(0, 8) + "_build");
  EXPECT_EQ(build_pipeline_of(name).size(), 51U);
  EXPECT_EQ(build_pipeline_of(std::string(46, 'n')), std::string(36, 'n') + "-c043d3b9_build");
  EXPECT_NE(build_pipeline_of(std::string(46, 'n')), build_pipeline_of(std::string(47, 'n')));
  EXPECT_EQ(build_pipeline_of(std::string(51, 'n')).size(), 51U);
}

TEST(PipelineNames, TheProjectCounts) {
  EXPECT_EQ(longest_pipeline_name(""), 51U);
  EXPECT_EQ(longest_pipeline_name("default"), 51U);
  EXPECT_EQ(longest_pipeline_name("a"), 51U);
  EXPECT_EQ(longest_pipeline_name("eightchr"), 50U);
  EXPECT_EQ(longest_pipeline_name(std::string(200, 'p')), 0U);
}

}  // namespace
}  // namespace contract
