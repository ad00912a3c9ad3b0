// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/conformance/vectors.h"

#include <array>
#include <random>
#include <utility>

namespace conformance {
namespace {

// The last ones are not UTF-8.
constexpr std::array k_pieces = {" ", "\n", "\t", "'", "\"", "$",    "$HOME",    "`id`", "*",   "\\",
                                 "-", "--", "=",  "#", "~",  "!",    ";",        "&",    "|",   "<",
                                 ">", "(",  "%s", "a", "\r", "\x01", "\xc3\xa9", "\xff", "\xc3"};
constexpr std::size_t k_text_pieces = k_pieces.size() - 2;

constexpr int k_random_vectors = 3;
constexpr std::size_t k_most_words = 12;
constexpr std::size_t k_most_pieces = 6;
constexpr std::size_t k_long_word = 100'000;

// std::uniform_int_distribution gives other numbers with another library.
class Choice {
 public:
  explicit Choice(std::uint32_t seed) : m_random(seed) {}
  std::size_t below(std::size_t limit) { return m_random() % limit; }
  Words words(std::size_t pieces) {
    Words words(1 + below(k_most_words));
    for (auto& word : words) {
      for (auto left = below(k_most_pieces + 1); left > 0; --left) word += k_pieces.at(below(pieces));
    }
    return words;
  }

 private:
  std::mt19937 m_random;
};

}  // namespace

std::vector<Words> text_vectors(std::uint32_t seed) {
  std::vector<Words> vectors = {{},
                                {""},
                                {"", "", " "},
                                {"--", "--help", "--exec", "-c"},
                                {"a b", "new\nline", "end\n\n", "$HOME", "*"},
                                {std::string(k_long_word, 'x')}};
  Choice choice(seed);
  for (int number = 0; number < k_random_vectors; ++number) vectors.push_back(choice.words(k_text_pieces));
  return vectors;
}

std::vector<Words> byte_vectors(std::uint32_t seed) {
  auto random = Choice(seed).words(k_pieces.size());
  random.emplace_back("\xff");
  return {{"\xff", "a\xfe z", "\xc3"}, std::move(random)};
}

}  // namespace conformance
