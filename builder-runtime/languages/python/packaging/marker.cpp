// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/packaging/marker.h"

#include <array>
#include <utility>
#include <vector>

#include "base/text.h"
#include "builder-runtime/languages/python/packaging/requirement.h"
#include "builder-runtime/languages/python/packaging/version.h"

namespace builder::python {
namespace {

// Deep enough for every marker that people write, not for one that is made to overflow the stack.
constexpr int k_deepest = 64;

struct Token {
  enum class Kind { word, text, comparison, parenthesis, end };
  Kind kind = Kind::end;
  std::string text;
};

// Nothing where a character belongs to no token.
std::optional<std::vector<Token>> tokens_of(std::string_view marker) {
  constexpr std::string_view k_comparison = "<>=!~";
  const auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
  };
  std::vector<Token> tokens;
  for (std::size_t at = 0; at < marker.size();) {
    const char first = marker[at];
    std::size_t end = at + 1;
    if (first == ' ' || first == '\t') {
      at = end;
      continue;
    }
    if (first == '\'' || first == '"') {
      end = marker.find(first, end);
      if (end == std::string_view::npos) return std::nullopt;
      tokens.push_back({Token::Kind::text, std::string(marker.substr(at + 1, end - at - 1))});
      at = end + 1;
      continue;
    }
    Token::Kind kind = Token::Kind::parenthesis;
    if (base::contains(k_comparison, first)) {
      kind = Token::Kind::comparison;
      while (end < marker.size() && base::contains(k_comparison, marker[end])) ++end;
    } else if (is_word(first)) {
      kind = Token::Kind::word;
      while (end < marker.size() && is_word(marker[end])) ++end;
    } else if (first != '(' && first != ')') {
      return std::nullopt;
    }
    tokens.push_back({kind, std::string(marker.substr(at, end - at))});
    at = end;
  }
  tokens.emplace_back();
  return tokens;
}

class Evaluation {
 public:
  Evaluation(std::vector<Token> tokens, const MarkerEnvironment& environment)
      : m_tokens(std::move(tokens)), m_environment(environment) {}

  std::optional<bool> run() {
    const auto result = alternatives(0);
    return current().kind == Token::Kind::end ? result : std::nullopt;
  }

 private:
  struct Operand {
    std::string value;
    bool is_extra = false;
  };

  [[nodiscard]] const Token& current() const { return m_tokens[m_at]; }

  bool take(Token::Kind kind, std::string_view text) {
    if (current().kind != kind || current().text != text) return false;
    ++m_at;
    return true;
  }

  std::optional<bool> alternatives(int depth) {
    auto result = conjunction(depth);
    while (result && take(Token::Kind::word, "or")) {
      const auto next = conjunction(depth);
      result = next ? std::optional(*result || *next) : std::nullopt;
    }
    return result;
  }

  std::optional<bool> conjunction(int depth) {
    auto result = term(depth);
    while (result && take(Token::Kind::word, "and")) {
      const auto next = term(depth);
      result = next ? std::optional(*result && *next) : std::nullopt;
    }
    return result;
  }

  std::optional<bool> term(int depth) {
    if (depth == k_deepest) return std::nullopt;
    if (!take(Token::Kind::parenthesis, "(")) return comparison();
    const auto result = alternatives(depth + 1);
    return take(Token::Kind::parenthesis, ")") ? result : std::nullopt;
  }

  std::optional<Operand> operand() {
    const Token token = current();
    if (token.kind == Token::Kind::text) {
      ++m_at;
      return Operand{token.text};
    }
    if (token.kind != Token::Kind::word) return std::nullopt;
    ++m_at;
    if (token.text == "extra" || token.text == "extras") return Operand{"", true};
    const auto entry = m_environment.values.find(token.text);
    if (entry == m_environment.values.end()) return std::nullopt;
    return Operand{entry->second};
  }

  std::string comparison_operator() {
    if (current().kind == Token::Kind::comparison) return m_tokens[m_at++].text;
    if (take(Token::Kind::word, "in")) return "in";
    if (take(Token::Kind::word, "not") && take(Token::Kind::word, "in")) return "not in";
    return "";
  }

  std::optional<bool> comparison() {
    const auto left = operand();
    if (!left) return std::nullopt;
    const std::string comparison = comparison_operator();
    const auto right = operand();
    if (comparison.empty() || !right) return std::nullopt;
    if (left->is_extra || right->is_extra) {
      const bool asked =
          m_environment.extras.contains(normalised_name(left->is_extra ? right->value : left->value));
      return comparison == "!=" || comparison == "not in" ? !asked : asked;
    }
    if (comparison == "in") return base::contains(right->value, left->value);
    if (comparison == "not in") return !base::contains(right->value, left->value);
    return compare(left->value, comparison, right->value);
  }

  // As versions where both are, else as texts.
  static std::optional<bool> compare(const std::string& left, const std::string& comparison,
                                     const std::string& right) {
    const auto version = Version::parse(left);
    const auto specifier = Specifiers::parse(comparison + right);
    if (version && specifier) return specifier->allows(*version);
    if (comparison == "==" || comparison == "===") return left == right;
    if (comparison == "!=") return left != right;
    if (comparison == "<") return left < right;
    if (comparison == "<=") return left <= right;
    if (comparison == ">") return left > right;
    if (comparison == ">=") return left >= right;
    return std::nullopt;
  }

  std::vector<Token> m_tokens;
  const MarkerEnvironment& m_environment;
  std::size_t m_at = 0;
};

}  // namespace

std::optional<bool> holds(std::string_view marker, const MarkerEnvironment& environment) {
  if (base::trim(marker).empty()) return true;
  auto tokens = tokens_of(marker);
  if (!tokens) return std::nullopt;
  return Evaluation(std::move(*tokens), environment).run();
}

}  // namespace builder::python
