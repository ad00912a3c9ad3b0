// SPDX-License-Identifier: Apache-2.0
// JSON through nlohmann's event parser. It tells values but not where they are; that we see from how far it
// has read.
#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>
#include <optional>

#include "base/text.h"
#include "pachbuild/spec/tree_builder.h"

namespace spec {
namespace {

// Characters of a text that counts, for every copy of it, how many were read.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const std::string& text, std::size_t& offset) : m_text(&text), m_offset(&offset) {}
  reference operator*() const { return (*m_text)[*m_offset]; }
  CountingIterator& operator++() {
    ++*m_offset;
    return *this;
  }
  bool operator==(const CountingIterator& /*end*/) const { return *m_offset >= m_text->size(); }
  bool operator!=(const CountingIterator& end) const { return !(*this == end); }

 private:
  const std::string* m_text;
  std::size_t* m_offset;
};

struct Word {
  std::string_view theirs;
  std::string_view ours;
};

template <std::size_t size>
std::string_view ours(const std::array<Word, size>& words, std::string_view theirs) {
  const auto found = std::find_if(words.begin(), words.end(),
                                  [&](const Word& word) { return theirs.starts_with(word.theirs); });
  return found == words.end() ? std::string_view() : found->ours;
}

// What the parser found.
std::string_view found_token(std::string_view name) {
  static constexpr std::array<Word, 12> k_tokens = {{{"true literal", "true"},
                                                     {"false literal", "false"},
                                                     {"null literal", "null"},
                                                     {"string literal", "string"},
                                                     {"number literal", "number"},
                                                     {"end of input", "end of file"},
                                                     {"'['", "'['"},
                                                     {"'{'", "'{'"},
                                                     {"']'", "']'"},
                                                     {"'}'", "'}'"},
                                                     {"':'", "':'"},
                                                     {"','", "','"}}};
  return ours(k_tokens, name);
}

// What the parser wanted instead. It names only the closing sign where a comma is right as well.
std::string_view expected_token(std::string_view name) {
  static constexpr std::array<Word, 4> k_tokens = {
      {{"string literal", "a key in quotes"}, {"':'", "':'"}, {"'}'", "',' or '}'"}, {"']'", "',' or ']'"}}};
  const auto token = ours(k_tokens, name);
  return token.empty() ? "a value" : token;
}

// A token that is at fault itself. A literal that the parser does not know is text without quotes.
std::string_view invalid_token(std::string_view reason) {
  static constexpr std::array<Word, 5> k_tokens = {
      {{"invalid string: missing closing quote", "the quote is not closed"},
       {"invalid string: control character",
        "a string has a line break or another control character; write \\n for a line break"},
       {"invalid string: forbidden character after backslash",
        "invalid escape in a string; write \\\\ for a backslash"},
       {"invalid string", "invalid \\u escape in a string"},
       {"invalid number", "invalid number"}}};
  return ours(k_tokens, reason);
}

bool is_invalid_escape(std::string_view message) {
  return base::contains(message, "forbidden character after backslash") ||
         base::contains(message, "must be followed by");
}

// The parser's message in our words. It is "[…] parse error at …: syntax error while parsing … - REASON",
// where REASON is "unexpected TOKEN; expected TOKEN" or "invalid …; last read: …", also with what was
// expected.
std::string reason_of(std::string_view message) {
  constexpr std::string_view k_start = " - ";
  constexpr std::string_view k_unexpected = "unexpected ";
  constexpr std::string_view k_expected = "; expected ";
  const auto start = message.find(k_start);
  if (start == std::string_view::npos) return "number too large";  // the only other message
  const auto reason = message.substr(start + k_start.size());
  if (const auto invalid = invalid_token(reason); !invalid.empty()) return std::string(invalid);
  const auto expects = reason.rfind(k_expected);
  const auto expected =
      expected_token(expects == std::string_view::npos ? "" : reason.substr(expects + k_expected.size()));
  const bool is_token = reason.starts_with(k_unexpected);
  const auto found = is_token ? found_token(reason.substr(k_unexpected.size())) : std::string_view();
  return (found.empty() ? "" : std::string(k_unexpected) + std::string(found) + "; ") + "expected " +
         std::string(expected);
}

class JsonEvents {
 public:
  using Json = nlohmann::json;

  JsonEvents(const std::string& text, const Places& source) : m_text(text), m_builder(text, source) {}

  // Where reading ended when it failed.
  [[nodiscard]] base::Position reached() const {
    return m_end_of_string ? base::PositionFinder(m_text).at(*m_end_of_string) : m_builder.fault();
  }

  base::Result<Document> read_one(std::size_t& offset) {
    m_offset = &offset;
    m_start = offset;
    m_token_end = offset;
    const CountingIterator text(m_text, offset);
    if (!Json::sax_parse(text, text, this, Json::input_format_t::json, /*strict=*/false)) {
      return tl::unexpected<base::Error>(std::move(m_error));
    }
    return m_builder.take();
  }

  bool null() { return scalar(nullptr); }
  bool boolean(bool value) { return scalar(value); }
  bool number_integer(Json::number_integer_t value) { return scalar(value); }
  bool number_unsigned(Json::number_unsigned_t value) { return scalar(value); }
  bool number_float(Json::number_float_t value, const std::string& /*text*/) { return scalar(value); }
  bool string(std::string& value) { return scalar(value); }
  bool binary(Json::binary_t& /*value*/) { return false; }
  bool start_object(std::size_t /*size*/) { return keep(m_builder.open(Json::object(), token_start())); }
  bool start_array(std::size_t /*size*/) { return keep(m_builder.open(Json::array(), token_start())); }
  bool key(std::string& name) {
    m_builder.key(name, token_start());
    return true;
  }
  bool end_object() { return end(); }
  bool end_array() { return end(); }

  bool parse_error(std::size_t read, const std::string& token, const Json::exception& error) {
    // `read` counts one character more at the end of the text.
    const bool at_end = m_start + read > m_text.size();
    const std::size_t offset = at_end ? m_text.size() : start_of(token, m_start + read);
    if (is_invalid_escape(error.what())) m_end_of_string = end_of_string(m_start + read - 1);
    return keep(m_builder.fail(offset, "invalid JSON: " + reason_of(error.what())));
  }

 private:
  // The closing quote of the string that `offset` is in. YAML reads the same string.
  [[nodiscard]] std::size_t end_of_string(std::size_t offset) const {
    while (offset < m_text.size() && m_text[offset] != '"') offset += m_text[offset] == '\\' ? 2 : 1;
    return std::min(offset, m_text.size());
  }

  // Where the token at fault, which ends at `end`, starts. Only of a text does the parser tell just the
  // token.
  [[nodiscard]] std::size_t start_of(const std::string& token, std::size_t end) const {
    const auto read = std::string_view(m_text).substr(0, end);
    if (read.ends_with('"') && read.ends_with(token)) return end - token.size();
    const auto is_part = [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-';
    };
    std::size_t start = end - 1;
    while (start > 0 && is_part(read[start]) && is_part(read[start - 1])) --start;
    return start;
  }

  bool scalar(Json value) { return keep(m_builder.scalar(std::move(value), token_start())); }

  bool end() {
    m_builder.close();
    m_token_end = *m_offset;
    return true;
  }

  bool keep(base::Status status) {
    if (status) return true;
    m_error = std::move(status).error();
    return false;
  }

  // The first byte of the token that was just read. Behind a number the parser has read one character more,
  // which is white space or one of the signs that are skipped here.
  std::size_t token_start() {
    const std::size_t start = m_text.find_first_not_of(" \t\r\n,:]}", m_token_end);
    m_token_end = *m_offset;
    return start;
  }

  const std::string& m_text;
  TreeBuilder m_builder;
  base::Error m_error;
  std::size_t* m_offset = nullptr;             // how far the parser has read
  std::size_t m_start = 0;                     // of this document
  std::optional<std::size_t> m_end_of_string;  // with an invalid escape
  std::size_t m_token_end = 0;
};

}  // namespace

base::Result<std::vector<Document>> read_json(const std::string& text, const Places& source,
                                              base::Position& fault) {
  std::vector<Document> documents;
  JsonEvents events(text, source);
  std::size_t offset = 0;
  while (text.find_first_not_of(" \t\r\n", offset) != std::string::npos) {
    auto document = events.read_one(offset);
    if (!document) {
      fault = events.reached();
      return base::fail(std::move(document).error());
    }
    documents.push_back(std::move(*document));
  }
  return documents;
}

}  // namespace spec
