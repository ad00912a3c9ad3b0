// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/results/own_folder.h"

#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>
#include <nlohmann/json.hpp>

#include "base/errors.h"

namespace local {
namespace {

TEST(OutputPath, StaysBelowTheFolderAndOutOfOurs) {
  for (const std::string path : {"a", "a/b", "a b/.c", "...", ".pachbuildx", "a/.pachbuild", "-"})
    EXPECT_TRUE(is_output_path(path)) << path;
  for (const std::string& path :
       {std::string(), std::string("/"), std::string("/a"), std::string("a/"), std::string("a//b"),
        std::string("."), std::string(".."), std::string("a/.."), std::string("./a"), std::string("a/./b"),
        std::string("a\0b", 3), std::string(".pachbuild"), std::string(".pachbuild/x")})
    EXPECT_FALSE(is_output_path(path)) << path;
}

TEST(OutputPath, OfOurFolderIsReserved) {
  for (const std::string path : {"a", ".pachbuildx", ".pachbuildx/a", "a/.pachbuild", ".pachbuil"})
    EXPECT_TRUE(check_reserved(path)) << path;
  for (const std::string path : {".pachbuild", ".pachbuild/a"}) {
    EXPECT_EQ(
        base::format_error(check_reserved(path).error()),
        "error: /pfs/out/" + path +
            ": the name .pachbuild is reserved for pachbuild\nhint: choose another name for the file\n");
    EXPECT_EQ(check_reserved(path).error().kind, base::ErrorKind::step_failed);
  }
}

TEST(OwnFolder, IsKnownByItsNameItsMakerAndItsVersion) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "own.").value();
  const auto own = folder.path() / ".pachbuild";
  for (const auto& path : {own, folder.path() / "other"}) ASSERT_TRUE(base::make_folders(path));
  EXPECT_FALSE(is_own_folder(own)) << "it is empty";
  const nlohmann::json content = {{"a", 1}};
  const auto text = to_own_text(content);
  EXPECT_EQ(nlohmann::json::parse(text),
            (nlohmann::json{{"made_by", "pachbuild"}, {"version", 1}, {"content", content}}));
  EXPECT_TRUE(text.ends_with("}\n"));
  for (const auto& path : {own, folder.path() / "other"})
    ASSERT_TRUE(base::write_file(path / "output.json", text));
  EXPECT_TRUE(is_own_folder(own));
  EXPECT_FALSE(is_own_folder(folder.path() / "other"));
  EXPECT_EQ(read_own_file(own, "output.json"), content);
  EXPECT_EQ(read_own_file(own, "none"), nullptr);
  for (const nlohmann::json& other :
       {nlohmann::json::array(), nlohmann::json(), nlohmann::json{{"version", 1}, {"content", content}},
        nlohmann::json{{"made_by", "x"}, {"version", 1}, {"content", content}},
        nlohmann::json{{"made_by", "pachbuild"}, {"content", content}},
        nlohmann::json{{"made_by", "pachbuild"}, {"version", 2}, {"content", content}},
        nlohmann::json{{"made_by", "pachbuild"}, {"version", 1}}}) {
    ASSERT_TRUE(base::write_file(own / "output.json", other.dump()));
    EXPECT_EQ(read_own_file(own, "output.json"), nullptr) << other.dump();
    EXPECT_FALSE(is_own_folder(own));
  }
}

}  // namespace
}  // namespace local
