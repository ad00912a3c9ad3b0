// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/manifests/text_list.h"

#include <gtest/gtest.h>

namespace builder::python {
namespace {

using Texts = std::vector<std::string>;

TEST(TextList, HasPlainTextsOnly) {
  struct Case {
    std::string text;
    std::optional<Texts> expected;
  };
  const Case cases[] = {
      {"['a[x]>1', \"b; python_version < '4'\"] + more", Texts{"a[x]>1", "b; python_version < '4'"}},
      {"('a', # it's a comment ]\n 'b',\n)", Texts{"a", "b"}},
      {"['a'\n '>1', 'b']", Texts{"a>1", "b"}},
      {"['a', ,]", Texts{"a"}},
      {"[]", Texts{}},
      {"['a)']", Texts{"a)"}},
      {"['a', NAME]", std::nullopt},
      {"['a', f'b']", std::nullopt},
      {"['a\\x41']", std::nullopt},
      {"['a'", std::nullopt},
      {"['a", std::nullopt},
      {"['a' # ]", std::nullopt},
      {"['a')", std::nullopt},
      {"{'a'}", std::nullopt},
      {"", std::nullopt},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(texts_of_list(text), expected) << text;
}

}  // namespace
}  // namespace builder::python
