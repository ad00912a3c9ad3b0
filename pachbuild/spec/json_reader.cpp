// SPDX-License-Identifier: Apache-2.0
// JSON through nlohmann's event parser. It tells values but not where they are; that we see from how far it
// has read.
#include <cctype>
#include <iterator>

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

// The parser's own words begin with "[json.exception.parse_error.101] parse error at line 1, column 2: syntax
// error while parsing value - ".
std::string reason_of(const std::string& message) {
  for (const std::string_view start : {" - ", ": "}) {
    const std::size_t found = message.find(start);
    if (found != std::string::npos) return message.substr(found + start.size());
  }
  return message;
}

class JsonEvents {
 public:
  using Json = nlohmann::json;

  JsonEvents(const std::string& text, const Places& source) : m_text(text), m_builder(text, source) {}

  [[nodiscard]] base::Position fault() const { return m_builder.fault(); }

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
    // The parser repeats what it has read of a text, however long that is.
    constexpr std::size_t k_longest_reason = 200;
    return keep(m_builder.fail(
        offset, "is not valid JSON: " + base::shortened(reason_of(error.what()), k_longest_reason)));
  }

 private:
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
  std::size_t* m_offset = nullptr;  // how far the parser has read
  std::size_t m_start = 0;          // of this document
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
      fault = events.fault();
      return base::fail(std::move(document).error());
    }
    documents.push_back(std::move(*document));
  }
  return documents;
}

}  // namespace spec
