// SPDX-License-Identifier: Apache-2.0
// Tables of what is chosen where a variable is absent, empty, set, or set to nonsense.
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <cstdlib>
#include <optional>
#include <set>

#include "base/near.h"
#include "base/text.h"
#include "builder-runtime/languages/python/install/keys.h"
#include "builder-runtime/languages/python/manifests/pip_configuration.h"
#include "builder-runtime/languages/python/manifests/uv_settings.h"
#include "builder-runtime/memory.h"
#include "builder-runtime/settings.h"
#include "builder-runtime/store/cache_limit.h"
#include "contract/environment.h"
#include "pachbuild/cluster/pachctl.h"
#include "pachbuild/local/session/environment.h"
#include "process/runner.h"
#include "steps.h"
#include "worker-shim/cache.h"

namespace defaults {
namespace {

namespace fs = base::fs;
using Value = std::optional<std::string>;  // none: the variable is absent

// Variables of this process, until they are put back.
class Variables {
 public:
  explicit Variables(const std::map<std::string, Value>& values) {
    for (const auto& [name, value] : values) {
      const char* before = std::getenv(name.c_str());
      m_before[name] = before == nullptr ? Value() : Value(before);
      set(name, value);
    }
  }
  ~Variables() {
    for (const auto& [name, value] : m_before) set(name, value);
  }
  Variables(const Variables&) = delete;
  Variables& operator=(const Variables&) = delete;

 private:
  static void set(const std::string& name, const Value& value) {
    value ? ::setenv(name.c_str(), value->c_str(), 1) : ::unsetenv(name.c_str());
  }
  std::map<std::string, Value> m_before;
};

class Defaults : public testing::Test {
 protected:
  const base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "defaults.").value();
  [[nodiscard]] std::string path(const std::string& name) const { return (m_folder.path() / name).string(); }
};

// The files that are looked for while `work` runs.
template <class Work>
std::set<std::string> looked_for(const Work& work) {
  std::set<std::string> paths;
  const steps::Watch watch(
      [&](std::string_view call, std::string_view path) {
        if (call == "open" || call == "stat") paths.insert(std::string(path));
        return 0;
      },
      steps::Calls::all);
  work();
  return paths;
}

TEST_F(Defaults, TheCacheOfAPerson) {
  struct Row {
    Value cache, xdg, home;
    std::string expected;  // an error that begins so, where it is no path
  };
  const std::string refused = "the cache folder must be an absolute path, not ";
  const std::vector<Row> rows = {
      {path("c"), path("x"), path("h"), path("c")},
      {"", path("x"), path("h"), path("x/pachbuild")},
      {{}, path("x"), {}, path("x/pachbuild")},
      {{}, {}, path("h"), path("h/.cache/pachbuild")},
      {{}, "", path("h"), path("h/.cache/pachbuild")},
      {"", "", path("h"), path("h/.cache/pachbuild")},
      {"relative", path("x"), path("h"), refused + "\"relative\""},
      {{}, "relative", path("h"), refused + "\"relative/pachbuild\""},
      {{}, {}, "relative", refused + "\"relative/.cache/pachbuild\""},
      {{}, {}, {}, refused + "\"\""},
      {"", "", "", refused + "\"\""},
  };
  for (const auto& row : rows) {
    const Variables variables(
        {{"PACHBUILD_CACHE_DIR", row.cache}, {"XDG_CACHE_HOME", row.xdg}, {"HOME", row.home}});
    const auto folder = local::cache_folder();
    EXPECT_EQ(folder ? folder->string() : folder.error().what, row.expected);
    EXPECT_EQ(folder ? "PACHBUILD_CACHE_DIR" : folder.error().where, "PACHBUILD_CACHE_DIR");
  }
}

TEST_F(Defaults, TheCacheOfABuildThatWasChosen) {
  const builder::Options options{.shim = "/bin/true"};
  const auto chosen = builder::settle(options, {{"PACHBUILD_CACHE_DIR", path("c")}, {"HOME", path("h")}});
  ASSERT_TRUE(chosen);
  EXPECT_EQ(chosen->cache, path("c"));
  const auto relative = builder::settle(options, {{"PACHBUILD_CACHE_DIR", "c"}});
  ASSERT_FALSE(relative);
  EXPECT_EQ(relative.error().what, "the cache folder must be an absolute path, not \"c\"");
  EXPECT_EQ(relative.error().kind, base::ErrorKind::usage);
}

TEST_F(Defaults, TheFoldersOfABuild) {
  const auto here = fs::current_path();
  const std::map<std::string, fs::path> sources = {{"", "/pfs/source"},
                                                   {"x", here / "x"},
                                                   {"x/", here / "x"},
                                                   {"./a/../b/", here / "b"},
                                                   {"/x//y/.", "/x/y"}};
  for (const auto& [given, expected] : sources) {
    const auto settings =
        builder::settle({.source = given, .out = given, .language = "go", .shim = "/bin/true"},
                        {{"PACHBUILD_CACHE_DIR", path("c")}});
    ASSERT_TRUE(settings);
    EXPECT_EQ(settings->source, expected) << given;
    EXPECT_EQ(settings->out, given.empty() ? "/pfs/out" : expected) << given;
    EXPECT_EQ(settings->shim, "/bin/true");
    EXPECT_EQ(settings->language, "go");
  }
}

TEST_F(Defaults, OnlyOneStandsForTheDefaultSteps) {
  const std::map<std::string, bool> rows = {
      {"", false}, {"0", false}, {"1", true}, {"yes", false}, {"11", false}};
  for (const auto& [value, expected] : rows) {
    const auto settings =
        builder::settle({.shim = "/bin/true"},
                        {{"PACHBUILD_CACHE_DIR", path("c")}, {contract::k_default_steps_variable, value}});
    ASSERT_TRUE(settings);
    EXPECT_EQ(settings->default_steps_only, expected) << value;
  }
}

TEST_F(Defaults, TheCacheOfTheShim) {
  for (const auto& [value, expected] :
       std::vector<std::pair<Value, std::string>>{{{}, ""}, {"", ""}, {"/x", "/x"}, {"x", "x"}}) {
    const Variables variables({{"PACHBUILD_CACHE_DIR", value}});
    const auto settings = shim::current_cache_settings();
    EXPECT_EQ(settings.chosen, expected);
    EXPECT_EQ(settings.image, "/var/cache/pachbuild");
    EXPECT_EQ(settings.private_folder, "/tmp/pachbuild-" + std::to_string(::geteuid()));
    EXPECT_EQ(settings.user, ::geteuid());
  }
}

TEST_F(Defaults, TheLimitOfACache) {
  constexpr std::uint64_t k_gibibyte = std::uint64_t{1} << 30;
  const std::vector<std::pair<Value, std::optional<std::uint64_t>>> rows = {
      {{}, 20 * k_gibibyte},
      {"", 20 * k_gibibyte},
      {"0", 0},
      {"1", 1},
      {"7B", 7},
      {"20GiB", 20 * k_gibibyte},
      {" 1 KiB ", 1024},
      {"500 MiB", 500 * k_gibibyte / 1024},
      {"2TiB", 2048 * k_gibibyte},
      {"x", std::nullopt},
      {"-1", std::nullopt},
      {"+1", std::nullopt},
      {"1.5GiB", std::nullopt},
      {"GiB", std::nullopt},
      {"1 XiB", std::nullopt},
      {"1GiB2", std::nullopt},
  };
  for (const auto& [value, expected] : rows) {
    const auto limit = builder::cache_limit(value ? process::Environment{{"PACHBUILD_CACHE_LIMIT", *value}}
                                                  : process::Environment{});
    EXPECT_EQ(limit ? std::optional(*limit) : std::nullopt, expected) << value.value_or("absent");
    if (limit) continue;
    EXPECT_EQ(limit.error().where, "PACHBUILD_CACHE_LIMIT");
    EXPECT_EQ(limit.error().what, "invalid size \"" + *value + "\"");
    EXPECT_EQ(limit.error().kind, base::ErrorKind::usage);
  }
}

class NoProgram final : public process::Runner {
 public:
  base::Result<process::Finished> run(const process::Command& /*command*/,
                                      const process::ErrorSink& /*sink*/) override {
    return base::fail(base::ErrorKind::unavailable, "a tool", "is not there");
  }
};

TEST_F(Defaults, TheConfigurationOfPachctl) {
  NoProgram runner;
  const bool is_pod = ::access("/pachctl/config.json", F_OK) == 0;
  for (const auto& [chosen, home, expected] :
       std::vector<std::tuple<Value, Value, std::string>>{{"/x/config", "/home/me", "/x/config"},
                                                          {{}, "/home/me", "/home/me/.pachyderm/config.json"},
                                                          {"", "/home/me", "/home/me/.pachyderm/config.json"},
                                                          {{}, {}, ".pachyderm/config.json"}}) {
    const Variables variables({{"PACH_CONFIG", chosen}, {"HOME", home}, {"PACHCTL", "/bin/true"}});
    const auto file = cluster::Pachctl::find({}, m_folder.path(), runner).value().configuration();
    if (chosen.value_or("").empty() && is_pod) continue;
    EXPECT_EQ(file, expected);
  }
}

TEST_F(Defaults, ThePachctlThatIsUsed) {
  NoProgram runner;
  ASSERT_TRUE(base::write_file(path("pachctl"), "", 0755));
  ASSERT_TRUE(base::write_file(path("other"), "", 0755));
  for (const auto& [named, folders, expected] : std::vector<std::tuple<Value, std::string, std::string>>{
           {{}, m_folder.path().string(), ""},
           {"", m_folder.path().string(), ""},
           {"other", m_folder.path().string(), ""},
           {path("other"), "", ""},
           {{}, "/nowhere", "pachctl"},
           {"", "/nowhere", "pachctl"},
           {"other", "/nowhere", "PACHCTL=other"},
           {path("none"), m_folder.path().string(), "PACHCTL=" + path("none")}}) {
    const Variables variables({{"PACHCTL", named}, {"PATH", folders}});
    const auto found = cluster::Pachctl::find({}, m_folder.path(), runner);
    EXPECT_EQ(found ? "" : found.error().where, expected);
  }
}

// All the places in which uv and pip look for their configuration are looked at.
TEST_F(Defaults, TheConfigurationOfUv) {
  NoProgram runner;
  const builder::Settings settings{.cache = path("cache")};
  const builder::Tools tools{settings, runner};
  struct Row {
    Value home, config, folders, chosen;
    std::set<std::string> places;
  };
  const std::vector<Row> rows = {
      {path("h"), {}, {}, {}, {path("h/.config/uv/uv.toml"), "/etc/xdg/uv/uv.toml", "/etc/uv/uv.toml"}},
      {path("h"), "", "", "", {path("h/.config/uv/uv.toml"), "/etc/xdg/uv/uv.toml", "/etc/uv/uv.toml"}},
      {path("h"),
       path("x"),
       path("a") + ":" + path("b"),
       path("chosen.toml"),
       {path("x/uv/uv.toml"), path("a/uv/uv.toml"), path("b/uv/uv.toml"), path("chosen.toml"),
        "/etc/uv/uv.toml"}},
  };
  for (const auto& row : rows) {
    builder::python::Installation installation{.source = path("source")};
    auto& environment = installation.configuration.environment;
    for (const auto& [name, value] : std::map<std::string, Value>{{"HOME", row.home},
                                                                  {"XDG_CONFIG_HOME", row.config},
                                                                  {"XDG_CONFIG_DIRS", row.folders},
                                                                  {"UV_CONFIG_FILE", row.chosen}}) {
      if (value) environment[name] = *value;
    }
    const auto places = looked_for(
        [&] { EXPECT_TRUE(builder::python::inputs_of_machine(installation, environment, tools)); });
    for (const auto& place : row.places) EXPECT_TRUE(places.contains(place)) << place;
    for (const std::string& place : {path("h/.config/uv/uv.toml"), std::string("/etc/xdg/uv/uv.toml")})
      EXPECT_EQ(places.contains(place), row.places.contains(place)) << place;
  }
}

TEST_F(Defaults, TheConfigurationOfPip) {
  const auto places_of = [&](const process::Environment& environment) {
    return looked_for([&] { builder::python::configure_uv(environment, path("environment/bin/python3")); });
  };
  const auto usual = places_of({{"HOME", path("h")}});
  for (const std::string& place : {std::string("/etc/xdg/pip/pip.conf"), std::string("/etc/pip.conf"),
                                   path("h/.config/pip/pip.conf"), path("h/.pip/pip.conf")})
    EXPECT_TRUE(usual.contains(place)) << place;
  EXPECT_EQ(places_of({{"HOME", path("h")}, {"XDG_CONFIG_HOME", ""}}), usual);
  const auto other = places_of({{"HOME", path("h")}, {"XDG_CONFIG_HOME", path("x")}});
  EXPECT_TRUE(other.contains(path("x/pip/pip.conf")));
  EXPECT_FALSE(other.contains(path("h/.config/pip/pip.conf")));
  EXPECT_TRUE(
      places_of({{"HOME", path("h")}, {"PIP_CONFIG_FILE", path("pip.conf")}}).contains(path("pip.conf")));
}

TEST_F(Defaults, TheMemoryOfAGroup) {
  const auto limit = [&](const std::string& text) {
    EXPECT_TRUE(base::make_folders(m_folder.path() / "mount"));
    EXPECT_TRUE(base::write_file(m_folder.path() / "mount" / "memory.max", text));
    return builder::MemoryGroup::find(path("none"), path("mount")).limit();
  };
  EXPECT_EQ(limit("max\n"), std::nullopt);
  EXPECT_EQ(limit("nonsense\n"), std::nullopt);
  EXPECT_EQ(limit(""), std::nullopt);
  EXPECT_EQ(limit("1\n"), 1U);
  EXPECT_EQ(limit("4611686018427387903\n"), 4'611'686'018'427'387'903U);
  EXPECT_EQ(limit("4611686018427387904\n"), std::nullopt);
}

TEST(NearNames, CapitalsAreNoMistakes) {
  const std::vector<std::string> names = {"python", "go", "Transform"};
  for (const auto& [written, meant] : std::map<std::string, std::string>{{"PYTHON", "python"},
                                                                         {"GO", "go"},
                                                                         {"transform", "Transform"},
                                                                         {"TRANSFORM", "Transform"},
                                                                         {"PYTHN", "python"},
                                                                         {"AZ", "az"},
                                                                         {"az", "AZ"}}) {
    const bool is_letter_only = written.size() == 2 && written != "GO";
    EXPECT_EQ(base::near_name(written, is_letter_only ? std::vector{meant} : names), meant) << written;
  }
  // Neighbours of the letters are not letters.
  for (const auto& [written, name] : std::map<std::string, std::string>{{"@@", "``"}, {"[[", "{{"}})
    EXPECT_EQ(base::near_name(written, {name}), std::nullopt) << written;
}

}  // namespace
}  // namespace defaults
