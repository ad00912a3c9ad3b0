// SPDX-License-Identifier: Apache-2.0
// What is at a limit is allowed, and one more is not: the limits of all folders but spec/ (limits_test.cpp
// has those). The numbers are written out here, so that none of them changes by mistake.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <nlohmann/json.hpp>

#include "archive/bundle.h"
#include "base/digest.h"
#include "base/errors.h"
#include "base/near.h"
#include "base/text.h"
#include "builder-runtime/languages/go/constraints.h"
#include "builder-runtime/languages/python/manifests/requirements.h"
#include "builder-runtime/languages/python/packaging/marker.h"
#include "builder-runtime/source/data.h"
#include "builder-runtime/store/cache_limit.h"
#include "contract/own_json.h"
#include "contract/pfs_names.h"
#include "contract/pipeline_names.h"
#include "glob/glob.h"
#include "pachbuild/local/pool/cbor.h"
#include "pachbuild/local/results/output_tree.h"
#include "pachbuild/source/source.h"
#include "revision/revision.h"
#include "worker-shim/args.h"

namespace boundaries {
namespace {

namespace fs = base::fs;

std::string many(const std::string& text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

// That `works` with `most` and not with one more.
template <class Works>
void expect_limit(std::size_t most, const Works& works) {
  EXPECT_TRUE(works(most)) << most;
  EXPECT_FALSE(works(most + 1)) << most + 1;
}

class Boundaries : public testing::Test {
 protected:
  const base::TemporaryFolder m_folder =
      base::TemporaryFolder::make(testing::TempDir(), "boundaries.").value();
};

TEST(BoundaryOf, AQuotedText) {
  expect_limit(120, [](std::size_t size) { return base::quoted(std::string(size, 'x')).size() == size + 2; });
}

TEST(BoundaryOf, AnErrorsTexts) {
  expect_limit(8192, [](std::size_t size) {
    return base::readable({base::ErrorKind::io, "", std::string(size, 'x'), ""}).what.size() == size;
  });
}

TEST(BoundaryOf, SeveralErrors) {
  const auto told = [](std::size_t count) {
    base::Errors errors;
    for (std::size_t i = 0; i < count; ++i) errors.add({base::ErrorKind::io, "", std::to_string(i), ""});
    return errors.take();
  };
  EXPECT_EQ(told(100).more.size(), 99U);
  EXPECT_EQ(told(100).untold, 0U);
  EXPECT_EQ(told(101).more.size(), 99U);
  EXPECT_EQ(told(101).untold, 1U);
  EXPECT_EQ(told(1).more.size(), 0U);
}

TEST(BoundaryOf, ASize) {
  EXPECT_EQ(base::parse_size("18446744073709551615"), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(base::parse_size("18446744073709551616"), std::nullopt);
  EXPECT_EQ(base::parse_size("16777215TiB"), std::uint64_t{16'777'215} << 40);
  EXPECT_EQ(base::parse_size("16777216TiB"), std::nullopt);
  EXPECT_EQ(base::parse_size("18014398509481983KiB"), std::uint64_t{18'014'398'509'481'983} << 10);
  EXPECT_EQ(base::parse_size("18014398509481984KiB"), std::nullopt);
}

TEST(BoundaryOf, ANameThatIsMeant) {
  expect_limit(100, [](std::size_t size) {
    return base::near_name(std::string(size, 'x'), {std::string(size, 'x')}).has_value();
  });
  // A third of a name's letters may be wrong.
  const auto is_meant = [](std::size_t size, std::size_t wrong) {
    const std::string name(size, 'x');
    return base::near_name(std::string(wrong, 'y') + name.substr(wrong), {name}).has_value();
  };
  for (std::size_t size : {3U, 4U, 5U, 6U, 9U}) {
    EXPECT_TRUE(is_meant(size, size / 3)) << size;
    EXPECT_FALSE(is_meant(size, size / 3 + 1)) << size;
  }
}

TEST(BoundaryOf, AGlob) {
  const auto compiles = [](const std::string& text) {
    return glob::Glob::compile(text, glob::Separator::slash).has_value();
  };
  expect_limit(4096, [&](std::size_t size) { return compiles(std::string(size, 'x')); });
  expect_limit(100, [&](std::size_t depth) { return compiles(many("{", depth) + "a" + many("}", depth)); });
}

TEST(BoundaryOf, APipelinesName) {
  EXPECT_EQ(contract::longest_pipeline_name(""), 51U);
  EXPECT_EQ(contract::longest_pipeline_name("default"), 51U);
  EXPECT_EQ(contract::longest_pipeline_name("seven77"), 51U);
  EXPECT_EQ(contract::longest_pipeline_name("eight888"), 50U);
  EXPECT_EQ(contract::longest_pipeline_name(std::string(57, 'x')), 1U);
  EXPECT_EQ(contract::longest_pipeline_name(std::string(58, 'x')), 0U);
  EXPECT_EQ(contract::longest_pipeline_name(std::string(100, 'x')), 0U);
  const std::string longest(45, 'x');
  EXPECT_EQ(contract::build_pipeline_of(longest), longest + "_build");
  const std::string longer(46, 'x');
  EXPECT_EQ(contract::build_pipeline_of(longer),
            std::string(36, 'x') + "-" + base::sha256(longer).substr(0, 8) + "_build");
  EXPECT_EQ(contract::build_pipeline_of(longer).size(), 51U);
}

TEST(BoundaryOf, NamesThatPfsCannotStore) {
  const auto told = [](std::size_t count) {
    return contract::names_fault("f", std::vector<std::string>(count, "a\nb"), "remedy").what;
  };
  EXPECT_EQ(told(50).find(" more"), std::string::npos);
  EXPECT_NE(told(51).find(" and 1 more"), std::string::npos) << told(51);
  EXPECT_EQ(told(1).find("invalid file name for PFS"), 0U) << told(1);
}

TEST(BoundaryOf, OurOwnJson) {
  expect_limit(16, [](std::size_t depth) {
    return !contract::parse_own_json(many("[", depth) + "1" + many("]", depth)).is_discarded();
  });
}

TEST(BoundaryOf, OurOwnCbor) {
  expect_limit(16, [](std::size_t depth) {
    nlohmann::json value = 1;
    for (std::size_t i = 0; i < depth; ++i) value = nlohmann::json::array({value});
    return local::from_cbor(local::to_cbor(value)).has_value();
  });
}

TEST(BoundaryOf, AConditionOfGo) {
  const auto counts = [](const std::string& condition) {
    return !builder::go::exclusion_of("a.go", "//go:build " + condition + "\n\npackage x\n", {"linux"});
  };
  expect_limit(63, [&](std::size_t depth) { return counts(many("(", depth) + "linux" + many(")", depth)); });
  expect_limit(31, [&](std::size_t depth) { return counts(many("!!", depth) + "linux"); });
  // Of more tags nobody tries which would help.
  const auto helping = [](std::size_t count) {
    std::string condition = "t0";
    for (std::size_t i = 1; i < count; ++i) condition += " && t" + std::to_string(i);
    return builder::go::exclusion_of("a.go", "//go:build " + condition + "\n\npackage x\n", {"linux"})
        ->tags.size();
  };
  EXPECT_EQ(helping(6), 6U);
  EXPECT_EQ(helping(7), 0U);
}

TEST(BoundaryOf, AMarkerOfPython) {
  const builder::python::MarkerEnvironment environment{{{"os_name", "posix"}}, {}};
  expect_limit(63, [&](std::size_t depth) {
    return builder::python::holds(many("(", depth) + "os_name == 'posix'" + many(")", depth), environment) ==
           true;
  });
}

TEST_F(Boundaries, FilesOfRequirementsThatIncludeOthers) {
  const auto reads = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::string text = i + 1 < count ? "-r " + std::to_string(i + 1) + ".txt\n" : "six\n";
      EXPECT_TRUE(base::write_file(m_folder.path() / (std::to_string(i) + ".txt"), text));
    }
    return builder::python::read_requirements(m_folder.path(), {"0.txt"}, {}).has_value();
  };
  expect_limit(64, reads);
}

TEST_F(Boundaries, ATomlOrJsonFile) {
  const auto toml = [](std::size_t parts) {
    return builder::data::parse_toml("a" + many(".a", parts - 1) + " = 1\n", "f").has_value();
  };
  expect_limit(32, toml);
  const auto json = [&](std::size_t depth) {
    EXPECT_TRUE(base::write_file(m_folder.path() / "f.json", many("[", depth) + many("]", depth)));
    const auto read = builder::data::read_json(m_folder.path() / "f.json", "f.json");
    return read ? "" : read.error().what;
  };
  EXPECT_NE(json(101), "is nested too deeply");
  EXPECT_EQ(json(102), "is nested too deeply");
}

TEST_F(Boundaries, AnInputFile) {
  ASSERT_TRUE(base::write_file(m_folder.path() / "f", ""));
  const auto reads = [&](std::size_t size) {
    EXPECT_EQ(::truncate((m_folder.path() / "f").c_str(), static_cast<off_t>(size)), 0);
    return base::read_input_file(m_folder.path() / "f").has_value();
  };
  expect_limit(std::size_t{64} << 20, reads);
}

TEST_F(Boundaries, AFileOfASource) {
  ASSERT_TRUE(base::write_file(m_folder.path() / "f", ""));
  const auto reads = [&](std::size_t size) {
    EXPECT_EQ(::truncate((m_folder.path() / "f").c_str(), static_cast<off_t>(size)), 0);
    return source::read_source(m_folder.path()).has_value();
  };
  expect_limit(std::size_t{1} << 30, reads);
}

TEST_F(Boundaries, AnOutputsFolders) {
  const auto lists = [&](std::size_t depth) {
    const fs::path out = m_folder.path() / "out";
    EXPECT_TRUE(base::remove_tree(out));
    const fs::path deepest = out / many("a/", depth);
    EXPECT_TRUE(base::make_folders(deepest));
    EXPECT_TRUE(base::write_file(deepest / "f", "x"));
    const auto tree = local::OutputTree::open(out);
    return tree && tree->list().has_value();
  };
  expect_limit(250, lists);
}

TEST(BoundaryOf, ARevision) {
  const std::string commit = "commit " + std::string(40, 'a') + "\n";
  const auto reads = [&](const std::string& text) { return revision::parse(commit + text, "f").has_value(); };
  expect_limit(250, [&](std::size_t size) { return reads("branch " + std::string(size, 'x') + "\n"); });
  expect_limit(250, [&](std::size_t size) { return reads("folder " + std::string(size, 'x') + "\n"); });
  expect_limit(1'000'000,
               [&](std::size_t count) { return reads("commits " + std::to_string(count) + "\n"); });
  expect_limit(1000, [&](std::size_t count) { return reads(many("tag 0 v1\n", count)); });
  expect_limit(18, [&](std::size_t digits) { return reads("time " + std::string(digits, '1') + "\n"); });
  EXPECT_FALSE(reads("commits 0\n"));
  EXPECT_TRUE(reads("commits 1\n"));
}

TEST(BoundaryOf, AnOptionOfTheShim) {
  const auto reads = [](std::vector<std::string> words) {
    words.insert(words.begin(), "worker-shim");
    std::vector<char*> pointers;
    for (auto& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    return shim::parse_arguments(static_cast<int>(words.size()), pointers.data()).has_value();
  };
  expect_limit(1'000'000, [&](std::size_t count) { return reads({"--grace", std::to_string(count) + "h"}); });
  expect_limit(255, [&](std::size_t code) { return reads({"--remap-exit", std::to_string(code) + ":0"}); });
  expect_limit(255, [&](std::size_t code) { return reads({"--remap-exit", "0:" + std::to_string(code)}); });
  expect_limit(64,
               [&](std::size_t signal) { return reads({"--parent-death-signal", std::to_string(signal)}); });
  EXPECT_FALSE(reads({"--parent-death-signal", "0"}));
  EXPECT_TRUE(reads({"--parent-death-signal", "1"}));
}

// An entry of a cache costs what its files have, and a little for each file and folder.
TEST_F(Boundaries, TheLimitOfACache) {
  constexpr std::uint64_t k_overhead = 2048;
  const auto fits = [&](std::uint64_t limit) {
    const fs::path environment = m_folder.path() / "env" / std::string(64, 'a');
    EXPECT_TRUE(base::make_folders(environment / "lib"));
    EXPECT_TRUE(base::write_file(environment / "lib" / "f", std::string(1000, 'x')));
    const timespec then[] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
    EXPECT_EQ(::utimensat(AT_FDCWD, environment.c_str(), then, 0), 0);
    auto use = builder::CacheUse::begin(m_folder.path());
    EXPECT_TRUE(std::move(*use).shrink(limit, {{.bytes = std::uint64_t{1} << 60}}));
    boost::system::error_code error;
    return fs::exists(environment, error);
  };
  EXPECT_TRUE(fits(1000 + 2 * k_overhead));
  EXPECT_FALSE(fits(1000 + 2 * k_overhead - 1));
  EXPECT_TRUE(fits(0)) << "no limit";
}

}  // namespace
}  // namespace boundaries
