// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/starter/go_step.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>

#include "base/files.h"
#include "base/text.h"

namespace starter {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> made_by(const std::string& line, const ImageFiles& files = {}) {
  return read_go_step(base::words(line), "/src", files).value_or(std::vector<std::string>{"none"});
}

TEST(GoStep, OtherCommandsAreNone) {
  for (const std::string other : {"go", "go generate", "gofmt build", "cargo build", "go test ./..."})
    EXPECT_THAT(made_by(other), ElementsAre("none")) << other;
  for (const std::string step : {"go mod download", "go vet", "/usr/local/go/bin/go get x"})
    EXPECT_THAT(made_by(step), IsEmpty()) << step;
}

TEST(GoStep, TheOutputIsTheProgramOrItsFolder) {
  EXPECT_THAT(made_by("go build -o tool ."), ElementsAre("/src/tool"));
  EXPECT_THAT(made_by("go build -o=/bin/tool -v ./cmd/x"), ElementsAre("/bin/tool"));
  EXPECT_THAT(made_by("go build -tags a,b -o /out/ ./cmd/x ./cmd/y"), ElementsAre("/out/x", "/out/y"));
  EXPECT_THAT(made_by("go build -o /out/ ./..."), ElementsAre("/out"));
  ImageFiles files;
  files.add_folder("/out");
  EXPECT_THAT(made_by("go build -o /out ./cmd/x", files), ElementsAre("/out/x"));
}

TEST(GoStep, WithoutAnOutputGoNamesIt) {
  EXPECT_THAT(made_by("go build"), ElementsAre("/src/src"));
  EXPECT_THAT(made_by("go build ./cmd/x"), ElementsAre("/src/x"));
  EXPECT_THAT(made_by("go build main.go"), ElementsAre("/src/main"));
  EXPECT_THAT(made_by("go build ./..."), IsEmpty());
  EXPECT_THAT(made_by("go install -ldflags -s ./cmd/x"), ElementsAre("/go/bin/x"));
  EXPECT_THAT(made_by("go install ./..."), ElementsAre("/go/bin"));
  EXPECT_THAT(made_by("go install example.com/x/v2@latest"), ElementsAre("/go/bin/x"));
}

TEST(GoStep, TheProgramOfAModulesRootHasItsName) {
  const auto folder = base::TemporaryFolder::make(base::fs::temp_directory_path(), "go-step-test-").value();
  ASSERT_TRUE(base::write_file(folder.path() / "go.mod", "// why\nmodule example.com/team/words\n"));
  ImageFiles files;
  ASSERT_TRUE(files.add({.files = {{"", folder.path() / "go.mod"}}}, "go.mod", "/src/go.mod", false, "D:1"));
  EXPECT_THAT(made_by("go build", files), ElementsAre("/src/words"));
  EXPECT_THAT(made_by("go install .", files), ElementsAre("/go/bin/words"));
}

}  // namespace
}  // namespace starter
