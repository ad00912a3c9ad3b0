// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/source_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>

#include "base/digest.h"
#include "base/text.h"

namespace builder::declared {
namespace {

class DeclaredSourceFiles : public testing::Test {
 protected:
  void file(const std::string& path, const std::string& content) {
    fs::create_directories((m_folder.path() / path).parent_path());
    ASSERT_TRUE(base::write_file(m_folder.path() / path, content));
  }
  SourceFiles list(const std::vector<std::string>& ignored = {}) {
    FilePatterns patterns;
    for (const auto& text : ignored) patterns.push_back(FilePattern::compile(text).value());
    return SourceFiles::list(m_folder.path(), patterns).value();
  }
  static std::string names(const std::vector<SourceFile>& files) {
    std::vector<std::string> all;
    for (const auto& one : files) all.push_back(one.name + (one.is_executable ? "*" : ""));
    return base::join(all, " ");
  }
  static Reference reference(const std::string& text) { return Reference::parse(text).value(); }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "files.").value();
};

TEST_F(DeclaredSourceFiles, AreListedByName) {
  for (const std::string path : {"b", "a/c", "a/b/d", ".git/x", "a/.hg/x", ".svn/x", ".gitignore"})
    file(path, path);
  fs::permissions(m_folder.path() / "b", fs::add_perms | fs::owner_exe);
  const auto files = list();
  EXPECT_EQ(names(files.all()), ".gitignore a/b/d a/c b*");
  EXPECT_TRUE(files.has("a/c"));
  EXPECT_FALSE(files.has("a"));
  EXPECT_EQ(names(files.with({{"b"}}).all()), "b");
}

TEST_F(DeclaredSourceFiles, IgnoredOnesAreNamedOrWhole) {
  for (const std::string path : {"node_modules/x", "a/node_modules/y", "a/z.log", "dist/x", "a/dist/x"})
    file(path, "");
  EXPECT_EQ(names(list({"node_modules", "*.log", "dist/x"}).all()), "a/dist/x");
  EXPECT_EQ(names(list({"a"}).all()), "dist/x node_modules/x");
}

TEST_F(DeclaredSourceFiles, LinksAreFollowedInsideOnly) {
  file("a/x", "x");
  fs::create_symlink("a", m_folder.path() / "l");
  fs::create_symlink("..", m_folder.path() / "a/up");
  fs::create_symlink("a/x", m_folder.path() / "lx");
  fs::create_symlink("none", m_folder.path() / "broken");
  fs::create_symlink("/etc", m_folder.path() / "out");
  EXPECT_EQ(names(list().all()), "a/x l/x lx");
  ASSERT_EQ(::mkfifo((m_folder.path() / "pipe").c_str(), 0600), 0);
  const auto refused = SourceFiles::list(m_folder.path(), {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().where, (m_folder.path() / "pipe").string());
  EXPECT_EQ(refused.error().what, "is neither a file nor a folder");
  EXPECT_FALSE(SourceFiles::list(m_folder.path() / "none", {}));
}

TEST_F(DeclaredSourceFiles, MatchingOnesKeepTheirOrder) {
  file("b.sh", "#!/bin/sh\n");
  file("a.sh", "echo");
  file("c", "#!/usr/bin/env bash\r\necho");
  const auto files = list();
  const auto pattern = [](const std::string& text) { return FilePattern::compile(text).value(); };
  EXPECT_EQ(names(files.matching(FilePatterns{pattern("*.sh"), pattern("#!bash")})), "a.sh b.sh c");
  EXPECT_EQ(names(files.matching(pattern("#!"))), "b.sh c");
  EXPECT_EQ(names(files.matching(pattern("./b.sh"))), "b.sh");
  EXPECT_EQ(names(files.matching(pattern("b"))), "");
  EXPECT_EQ(files.first_line_of("c"), "#!/usr/bin/env bash");
  EXPECT_EQ(files.first_line_of("none"), "");
}

TEST_F(DeclaredSourceFiles, OnlyTheBeginningOfALargeFileIsLookedAt) {
  file("small", "abc");
  file("large", std::string(k_looked_at + 1, 'x'));
  EXPECT_EQ(list().beginning_of("small").value(), "abc");
  EXPECT_EQ(list().beginning_of("large")->size(), k_looked_at);
  EXPECT_FALSE(list().beginning_of("none"));
}

TEST_F(DeclaredSourceFiles, ReferencesLeadToValues) {
  file(
      "p.json",
      R"({"a": {"b/c": "x", "n": 1, "no": false, "empty": "", "list": [], "two": ["p", {"q": "r"}], "t": {}}})");
  file("p.toml", "[a]\nb = true\n");
  file("p.lock", "  {\"a\": \"json\"}");
  file("q.lock", "a = \"toml\"\n");
  const auto files = list();
  const auto has = [&](const std::string& text) { return files.has(reference(text)).value(); };
  EXPECT_TRUE(has("p.json"));
  EXPECT_TRUE(has("*.lock"));
  EXPECT_FALSE(has("*.txt"));
  EXPECT_TRUE(has("p.json#/a/b~1c"));
  EXPECT_TRUE(has("p.json#/a/n"));
  EXPECT_TRUE(has("p.toml#/a/b"));
  for (const std::string absent : {"no", "empty", "list", "t", "none", "n/x", "two/2", "two/x"})
    EXPECT_FALSE(has("p.json#/a/" + absent)) << absent;
  EXPECT_FALSE(has("none.json#/a"));
  EXPECT_EQ(files.value_of(reference("p.json#/a/two/1/q"))->scalar, "r");
  EXPECT_EQ(files.value_of(reference("p.lock#/a"))->scalar, "json");
  EXPECT_EQ(files.value_of(reference("q.lock#/a"))->scalar, "toml");
  EXPECT_TRUE(files.has_any({reference("none"), reference("p.json")}).value());
  EXPECT_FALSE(files.has_any({reference("none")}).value());
  EXPECT_FALSE(files.has_any({}).value());
  file("bad.json", "{");
  EXPECT_EQ(list().has(reference("bad.json#/a")).error().where, "bad.json:1:2");
}

TEST_F(DeclaredSourceFiles, ReferencesSayToPeopleWhatTheyAre) {
  EXPECT_EQ(reference("p.json#/a/b~1c").described(), "a.b/c in p.json");
  EXPECT_EQ(reference("p.json#/a/b~1c").place(), "p.json: a.b/c");
  EXPECT_EQ(reference("*.sh").described(), "*.sh");
  EXPECT_EQ(reference("#!sh").described(), "file that starts with #!/bin/sh");
  EXPECT_EQ(reference(".nvmrc").place(), ".nvmrc");
}

TEST_F(DeclaredSourceFiles, DigestsAreOfNamesModesAndContents) {
  file("a", "1");
  file("b", "2");
  const auto files = list();
  const auto digests = files.digests_of(files.all()).value();
  EXPECT_EQ(digests.at("a"), base::sha256("1"));
  EXPECT_EQ(digests.size(), 2U);
  const auto whole = digest_of_files(files.all(), digests);
  EXPECT_EQ(whole, digest_of_files(files.all(), files.digests_of(files.all()).value()));
  EXPECT_NE(whole, digest_of_files({{"a"}}, digests));
  EXPECT_NE(whole, digest_of_files({{"a", true}, {"b"}}, digests));
  EXPECT_NE(whole, digest_of_files({{"a"}, {"b"}}, {{"a", base::sha256("2")}, {"b", base::sha256("2")}}));
}

TEST_F(DeclaredSourceFiles, CanonicalTextsAreOfTheValueAlone) {
  file("x.json", R"({"b": [1, "1"], "a": {"k": true}})");
  file("y.json", "{\"a\": {\"k\":\ttrue}, \"b\": [1, \"1\"]}");
  const auto text = [&](const std::string& name) {
    return canonical_text(data::read_json(m_folder.path() / name, name).value());
  };
  EXPECT_EQ(text("x.json"), text("y.json"));
  EXPECT_EQ(text("x.json"), "{61:{6b:true},62:[1,t31]}");
  EXPECT_EQ(canonical_text({}), "");
}

}  // namespace
}  // namespace builder::declared
