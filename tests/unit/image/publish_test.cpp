// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/image/publish.h"

#include <gtest/gtest.h>

namespace image {
namespace {

TEST(RepositoryOf, KeepsTheNameOfTheImageAlone) {
  const Registry registry{"r.example.com:5000", "ann", ""};
  for (const char* const image :
       {"map", "map:1", "old.example.com/x/map:1", "old:5000/map@sha256:00", "map:1@sha256:00"}) {
    EXPECT_EQ(repository_of(registry, image), "r.example.com:5000/ann/map") << image;
  }
  EXPECT_EQ(repository_of({"r.example.com", "", ""}, "map"), "r.example.com/map");
}

}  // namespace
}  // namespace image
