// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/manifests/package_index.h"

#include <gtest/gtest.h>

namespace builder::python {
namespace {

using Variables = process::Environment;

Variables with(const std::vector<PackageIndex>& indexes, Variables uv = {}) {
  add_indexes(indexes, "/project", uv);
  return uv;
}

TEST(PackageIndexes, OneReplacesTheDefaultAndTheOthersAreThereBesides) {
  EXPECT_EQ(
      with({{.name = "one", .url = "https://one/s", .replaces_default = true},
            {.name = "two", .url = "https://two/s", .replaces_default = true},
            {.name = "th.r-e_e", .url = "https://three/s"},
            {.name = "not a name", .url = "https://four/s"},
            {.name = "", .url = "https://five/s"},
            {.name = "pypi", .url = "https://pypi.org/simple", .replaces_default = true}}),
      (Variables{{"UV_DEFAULT_INDEX", "https://one/s"},
                 {"UV_INDEX", "two=https://two/s th.r-e_e=https://three/s https://four/s https://five/s"}}));
}

TEST(PackageIndexes, WhatTheUserHasSetCountsMore) {
  EXPECT_EQ(
      with({{.name = "one", .url = "https://one/s", .replaces_default = true}},
           {{"UV_DEFAULT_INDEX", "https://own"}, {"UV_INDEX", "https://first"}}),
      (Variables{{"UV_DEFAULT_INDEX", "https://own"}, {"UV_INDEX", "https://first one=https://one/s"}}));
}

TEST(PackageIndexes, PagesAndUnverifiedHosts) {
  EXPECT_EQ(with({{.name = "", .url = "https://a/x", .is_flat = true},
                  {.name = "", .url = "https://b/x", .is_flat = true},
                  {.name = "", .url = "https://me:secret@host:8443/s", .is_verified = false},
                  {.name = "", .url = "nothing", .is_flat = true, .is_verified = false}}),
            (Variables{{"UV_FIND_LINKS", "https://a/x,https://b/x,nothing"},
                       {"UV_INDEX", "https://me:secret@host:8443/s"},
                       {"UV_INSECURE_HOST", "host:8443 "}}));
}

TEST(PackageIndexes, VariablesInUrls) {
  const Variables set = {{"T", "token"}, {"EMPTY", ""}};
  for (const auto& [url, expected] :
       std::map<std::string, std::string>{{"https://${T}@h/s", "https://token@h/s"},
                                          {"https://$T@h/s", "https://token@h/s"},
                                          {"https://$T_x@h/s", "https://$T_x@h/s"},
                                          {"https://h/$T", "https://h/token"},
                                          {"https://h/${T}${T}-$T", "https://h/tokentoken-token"},
                                          {"https://h/x${EMPTY}y", "https://h/xy"},
                                          {"https://h/${NO}", "https://h/${NO}"},
                                          {"https://h/${T", "https://h/${T"},
                                          {"https://h/${T x}", "https://h/${T x}"},
                                          {"https://h/$", "https://h/$"},
                                          {"https://h/${}", "https://h/${}"},
                                          {"https://h/$$T", "https://h/$token"}}) {
    EXPECT_EQ(with({{.name = "", .url = url}}, set).at("UV_INDEX"), expected);
  }
}

TEST(PackageIndexes, PoetrysCredentialsBelongToTheName) {
  const Variables set = {{"POETRY_HTTP_BASIC_MY_INDEX_USERNAME", "me"},
                         {"POETRY_HTTP_BASIC_MY_INDEX_PASSWORD", "secret"},
                         {"UV_INDEX_OTHER_PASSWORD", "own"},
                         {"POETRY_HTTP_BASIC_OTHER_PASSWORD", "theirs"}};
  const auto uv =
      with({{.name = "my-index", .url = "https://h/s"}, {.name = "other", .url = "https://i/s"}}, set);
  EXPECT_EQ(uv.at("UV_INDEX_MY_INDEX_USERNAME"), "me");
  EXPECT_EQ(uv.at("UV_INDEX_MY_INDEX_PASSWORD"), "secret");
  EXPECT_EQ(uv.at("UV_INDEX_OTHER_PASSWORD"), "own");
  EXPECT_FALSE(uv.contains("UV_INDEX_OTHER_USERNAME"));
}

TEST(PackageIndexes, AsManifestsSayThem) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "index.").value();
  const auto read = [&](const std::string& text) {
    EXPECT_TRUE(base::write_file(folder.path() / "x.toml", text));
    return index_of(data::read_toml(folder.path() / "x.toml", "x.toml").value());
  };
  EXPECT_EQ(read("name = 'n'\nurl = 'https://h/s'").name, "n");
  for (const auto& [text, url] : std::map<std::string, std::string>{
           {"url = 'https://h/s'", "https://h/s"},
           {"url = 'https://h/s'\nusername = 'me'\npassword = 'pw'", "https://me:pw@h/s"},
           {"url = 'https://h/s'\nusername = 'me'", "https://me@h/s"},
           {"url = 'https://h/s'\npassword = 'pw'", "https://h/s"},
           {"url = 'h/s'\nusername = 'me'", "h/s"},
           {"username = 'me'", ""}}) {
    EXPECT_EQ(read(text).url, url) << text;
  }
  EXPECT_TRUE(read("type = 'find_links'").is_flat);
  EXPECT_FALSE(read("type = 'index'").is_flat);
  EXPECT_TRUE(read("").is_verified);
  EXPECT_TRUE(read("verify_ssl = true").is_verified);
  EXPECT_FALSE(read("verify_ssl = false").is_verified);
}

}  // namespace
}  // namespace builder::python
