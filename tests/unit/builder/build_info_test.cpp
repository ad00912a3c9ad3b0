// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/go/build_info.h"

#include <gtest/gtest.h>

namespace builder::go {
namespace {

std::string text(const std::string& value) {
  std::string length;
  std::size_t rest = value.size();
  for (; rest >= 0x80; rest >>= 7U) length += static_cast<char>((rest & 0x7FU) | 0x80U);
  return length + static_cast<char>(rest) + value;
}

std::string program(const std::string& description, char flags = 2) {
  std::string file(64, 'x');
  file += "\xff Go buildinf:";
  file += '\x08';
  file += flags;
  file += std::string(16, '\0') + text("go1.26.6");
  return file + text(description.empty() ? "" : std::string(16, 'a') + description + std::string(16, 'z'));
}

using Modules = std::vector<std::string>;

TEST(BuildInfo, NamesTheModulesSorted) {
  EXPECT_EQ(modules_in(program("path\texample.com/app\nmod\texample.com/app\t(devel)\t\n"
                               "dep\tgolang.org/x/text\tv0.14.0\th1:xyz=\n"
                               "dep\tgithub.com/a/b\tv1.0.0\n=>\t./b\t(devel)\t\nbuild\t-compiler=gc\n")),
            (Modules{"github.com/a/b v1.0.0", "golang.org/x/text v0.14.0"}));
  EXPECT_EQ(modules_in(program("")), Modules());
}

TEST(BuildInfo, OfOtherFilesIsNone) {
  EXPECT_EQ(modules_in(""), std::nullopt);
  EXPECT_EQ(modules_in("no program"), std::nullopt);
  EXPECT_EQ(modules_in(program("dep\ta\tb\n", 0)), std::nullopt) << "of Go 1.17 and before";
  EXPECT_EQ(modules_in("x" + program("dep\ta\tb\n")), std::nullopt) << "not on a boundary";
}

TEST(BuildInfo, DamageIsNoCrash) {
  const std::string whole = program("dep\ta\tv1\n" + std::string(200, 'x'));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(modules_in(whole.substr(0, size)), std::nullopt);
  }
  for (std::size_t i = 64; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = '\xff';
    static_cast<void>(modules_in(damaged));
  }
}

}  // namespace
}  // namespace builder::go
