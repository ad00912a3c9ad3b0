// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/spec/load.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>
#include <nlohmann/json.hpp>

namespace spec {
namespace {

class LoadTest : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(base::make_folders((m_folder.path() / name).parent_path()));
    ASSERT_TRUE(base::write_file(m_folder.path() / name, text));
  }
  void fs_link(const std::string& target, const std::string& name) const {
    base::fs::create_symlink(target, m_folder.path() / name);
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (m_folder.path() / name).string(); }

  // Each document and each error of a folder, in their order, documents first.
  [[nodiscard]] std::vector<std::string> told(const std::vector<std::string>& paths) const {
    base::Errors errors;
    std::vector<std::string> all;
    for (const auto& document : load_documents({paths, {}, {}}, errors))
      all.push_back(document.places.where("").substr(m_folder.path().size() + 1) + " " +
                    document.value->dump());
    if (errors.none()) return all;
    auto error = errors.take();
    const auto more = std::move(error.more);
    const auto tell = [&](const base::Error& one) {
      EXPECT_EQ(one.kind, base::ErrorKind::bad_input);
      const bool is_below = one.where.starts_with(m_folder.path().string() + "/");
      all.push_back((is_below ? one.where.substr(m_folder.path().size() + 1) : one.where) + ": " + one.what);
    };
    tell(error);
    for (const auto& one : more) tell(one);
    return all;
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "load.").value();
};

using Told = std::vector<std::string>;

TEST_F(LoadTest, AFileHasPipelinesOnly) {
  write("none", "---\n---\n");
  write("null", "null");
  write("texts", "[{}, 1]");
  write("two", "[{\"a\": 1}, null, {\"b\": 2}]\n");
  EXPECT_EQ(told({path("two")}), (Told{"two:1:2 {\"a\":1}", "two:1:18 {\"b\":2}"}));
  EXPECT_EQ(told({path("null")}), Told{"null: has no pipeline"});
  EXPECT_EQ(told({path("texts")}), Told{"texts:1:6: not a pipeline spec: expected an object"});
  // Each is told, and the others are read.
  EXPECT_EQ(told({path("null"), path("two"), path("gone")}),
            (Told{"two:1:2 {\"a\":1}", "two:1:18 {\"b\":2}", "null: has no pipeline",
                  "gone: cannot read: no such file or folder"}));
}

TEST_F(LoadTest, WarningsOfAListAreToldOnce) {
  write("f", "[{\"a\": 1, \"a\": 2}, {\"b\": 1}]");
  base::Errors errors;
  const auto documents = load_documents({{path("f")}, {}, {}}, errors);
  ASSERT_EQ(documents.size(), 2U);
  EXPECT_EQ(documents[0].warnings.size(), 1U);
  EXPECT_EQ(documents[1].warnings.size(), 0U);
}

TEST_F(LoadTest, AFolderIsReadInOrder) {
  const std::string spec = "{\"pipeline\": 1}";
  for (const std::string name : {"b.json", "a.yml", "c/z.json", "c/a.yaml", "b/x.json", "d.json/e.json"})
    write("dag/" + name, spec);
  write("dag/t.json", "{\"transform\": 1}");
  write("dag/u.json", "[{\"transform\": 1}, {\"other\": 1}, 7, \"pipeline\"]");
  write("dag/other.json", "{\"a\": \"pipeline\"}");
  write("dag/text.txt", spec);
  write("dag/.hidden/x.json", spec);
  write("dag/.x.json", spec);
  fs_link("../elsewhere", "dag/link");
  write("elsewhere/x.json", spec);
  const std::string value = " {\"pipeline\":1}";
  EXPECT_EQ(told({path("dag")}),
            (Told{"dag/.x.json:1:1" + value, "dag/a.yml:1:1" + value, "dag/b.json:1:1" + value,
                  "dag/t.json:1:1 {\"transform\":1}", "dag/u.json:1:2 {\"transform\":1}",
                  "dag/b/x.json:1:1" + value, "dag/c/a.yaml:1:1" + value, "dag/c/z.json:1:1" + value,
                  "dag/d.json/e.json:1:1" + value}));
}

TEST_F(LoadTest, AFolderWithAFaultIsNotWithoutPipelines) {
  write("dag/a.json", "{\"pipeline\": ");
  EXPECT_EQ(told({path("dag")}),
            Told{"dag/a.json:1:14: invalid JSON: unexpected end of file; expected a value"});
  write("dag/a.json", "{\"nothing\": 1}");
  EXPECT_EQ(told({path("dag")}), Told{"dag: has no pipeline in its *.json, *.yaml and *.yml files"});
  ASSERT_EQ(::mkfifo(path("dag/b.json").c_str(), 0600), 0);
  EXPECT_EQ(told({path("dag")}), Told{"dag/b.json: is not a regular file"});
  base::fs::remove(path("dag/b.json"));
  fs_link("nowhere", "dag/c.json");
  EXPECT_EQ(told({path("dag")}), Told{"dag/c.json: cannot read: no such file or folder"});
}

TEST_F(LoadTest, AFoldersFilesAreReadUpToAMebibyte) {
  const std::string spec = "{\"pipeline\": 1}";
  constexpr std::size_t k_most = 1U << 20U;
  write("dag/a.json", spec + std::string(k_most - spec.size(), ' '));
  write("dag/b.json", spec + std::string(k_most - spec.size() + 1, ' '));
  EXPECT_EQ(told({path("dag")}), Told{"dag/a.json:1:1 {\"pipeline\":1}"});
}

TEST_F(LoadTest, AFolderHasAHundredLevels) {
  std::string deep = "dag";
  for (int level = 0; level < 100; ++level) deep += "/d";
  write(deep + "/p.json", "{\"pipeline\": 1}");
  EXPECT_EQ(told({path("dag")}), Told{deep + "/p.json:1:1 {\"pipeline\":1}"});
  write(deep + "/d/p.json", "{\"pipeline\": 1}");
  EXPECT_EQ(told({path("dag")}), Told{deep + "/d: is nested too deep"});
}

TEST(SpecFiles, AreKnownByTheirNames) {
  for (const char* name : {"a.json", "a.yaml", "a.yml", "d/x.y.json", ".x.yml"})
    EXPECT_TRUE(is_spec_file(name));
  for (const char* name : {"a", "json", "a.JSON", "a.txt", "a.json~", ".json/x", "a.yaml.bak"})
    EXPECT_FALSE(is_spec_file(name)) << name;
}

TEST(Urls, BeginWithTheirScheme) {
  for (const char* text : {"https://x/p.json", "s3://b", "x://", "http://a/b://c"}) EXPECT_TRUE(is_url(text));
  for (const char* text : {"p.json", "/a://b", "a/b://c", "a:/b", ""}) EXPECT_FALSE(is_url(text)) << text;
}

TEST_F(LoadTest, TheSpecsOfAFolderAreThoseDirectlyInIt) {
  const std::string pipeline = R"({"pipeline": {"name": "p"}})";
  const auto found = [&] { return find_specs(m_folder.path()).value(); };
  EXPECT_EQ(found(), Told{});
  write("b.json", pipeline);
  write("a.yml", "x: 1\n---\ntransform: {}\n");
  write("c.yaml", "[]\n---\n[" + pipeline + "]\n");
  write("other.txt", pipeline);
  write("sub/d.json", pipeline);
  // What other programs have.
  write("turbo.json", R"({"pipeline": {"build": {}}})");
  write("text.json", R"({"pipeline": "name"})");
  write("package.json", R"({"description": "a pipeline"})");
  write("list.json", R"([1, "pipeline"])");
  write("broken.json", R"({"pipeline": )");
  ASSERT_TRUE(base::make_folders(path("folder.json")));
  fs_link("b.json", "link.json");
  fs_link("nowhere", "gone.json");
  EXPECT_EQ(found(), (Told{"a.yml", "b.json", "c.yaml", "link.json"}));
  for (const auto* name : {"a.yml", "b.json", "c.yaml", "link.json"}) base::fs::remove(path(name));
  EXPECT_EQ(found(), Told{"broken.json"}) << "somebody should hear of it";
  const auto none = find_specs(path("none"));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, base::ErrorKind::bad_input);
}

}  // namespace
}  // namespace spec
