// SPDX-License-Identifier: Apache-2.0
// YAML through yaml-cpp's event parser, with the values that Pachyderm 2.12 gives plain scalars: yaml.v3's
// resolution, then yamlToJSON in src/internal/ppsutil/decoder.go.
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <exception>
#include <optional>
#include <regex>
#include <sstream>

#include "base/text.h"
#include "pachbuild/spec/tree_builder.h"

namespace spec {
namespace {

using nlohmann::json;

const std::string k_tags = "tag:yaml.org,2002:";
constexpr char k_quote_it[] = "put it in quotes if it is meant as text";

template <std::size_t size>
bool is_one_of(const std::string& value, const std::array<const char*, size>& all) {
  return std::find(all.begin(), all.end(), value) != all.end();
}

// What a plain scalar that starts like a number is: a JSON number, a text, or something that JSON does not
// have.
enum class Numeric { json_number, text, other_number, date };

Numeric classify(const std::string& value) {
  // Longer than any number, and std::regex needs stack for each character.
  if (value.size() > 100) return Numeric::text;
  // Made once: that takes longer than to read a spec.
  static const std::regex k_json_number(R"((-?(0|[1-9][0-9]*)(\.[0-9]+)?|\.[0-9]+)([eE][-+]?[0-9]+)?)");
  static const std::regex k_go_number(
      R"([-+]?(0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO]?[0-7_]+|[0-9][0-9_]*|)"
      R"((\.[0-9_]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?|\.(inf|Inf|INF))|\.(nan|NaN|NAN))");
  static const std::regex k_timestamp(
      R"([0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ][0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}.*)?)");
  if (std::regex_match(value, k_json_number)) return Numeric::json_number;
  if (std::regex_match(value, k_go_number)) return Numeric::other_number;
  return std::regex_match(value, k_timestamp) ? Numeric::date : Numeric::text;
}

// Discarded where it is too large.
json parse_number(std::string value) {
  if (value.starts_with('.')) value.insert(0, "0");
  return json::parse(value, nullptr, false);
}

// yaml-cpp 0.7 closes a quote by itself where the text ends with a line break.
bool is_quote_closed(const std::string& text, std::size_t start) {
  if (start >= text.size() || (text[start] != '"' && text[start] != '\'')) return true;
  const char quote = text[start];
  for (std::size_t i = start + 1; i < text.size(); ++i) {
    const bool escapes = quote == '"' ? text[i] == '\\' : text.compare(i, 2, "\'\'") == 0;
    if (escapes) {
      ++i;
    } else if (text[i] == quote) {
      return true;
    }
  }
  return false;
}

// An error on its way out of yaml-cpp's parser, which knows exceptions only.
struct Stop : std::exception {
  explicit Stop(base::Error stopped_by) : error(std::move(stopped_by)) {}
  base::Error error;
};

struct YamlFault {
  const char* message;  // of the parser, or its start
  const char* what;
  const char* hint;
};

constexpr char k_indentation[] =
    "the keys of an object start in the same column, deeper than the key above them";
constexpr char k_items[] = "the items of a list start with \"- \" in the same column";
constexpr char k_quotes[] = "put it in quotes";
constexpr char k_backslash[] = "write \\\\ for a backslash, or use single quotes";
constexpr char k_pipe[] = "after | or > comes a line break";
constexpr char k_directive[] = "remove the line: a pipeline spec needs no %YAML and no %TAG";
const YamlFault k_tab = {YAML::ErrorMsg::TAB_IN_INDENTATION, "a line is indented with a tab", "use spaces"};

// Where the lines of a text start in the wrong columns.
const std::array k_block_faults = {
    YamlFault{YAML::ErrorMsg::END_OF_MAP, "expected a key", k_indentation},
    YamlFault{YAML::ErrorMsg::END_OF_SEQ, "expected an item of the list", k_items},
    YamlFault{YAML::ErrorMsg::BLOCK_ENTRY, "a list cannot start here", k_items},
    YamlFault{YAML::ErrorMsg::MAP_KEY, "a key cannot start here", k_indentation},
    YamlFault{YAML::ErrorMsg::MAP_VALUE, "\":\" cannot be here",
              "quote a value that has \": \"; the keys of an object start in the same column"},
};

const std::array k_other_faults = {
    k_tab,
    YamlFault{YAML::ErrorMsg::END_OF_MAP_FLOW, "expected , or }", ""},
    YamlFault{YAML::ErrorMsg::END_OF_SEQ_FLOW, "expected , or ]", ""},
    YamlFault{YAML::ErrorMsg::FLOW_END, "nothing is open that this closes", ""},
    YamlFault{YAML::ErrorMsg::EOF_IN_SCALAR, "the quote is not closed", ""},
    YamlFault{YAML::ErrorMsg::DOC_IN_SCALAR, "the quote is not closed", ""},
    YamlFault{YAML::ErrorMsg::UNKNOWN_TOKEN, "a value cannot start like this", k_quote_it},
    YamlFault{YAML::ErrorMsg::ALIAS_NOT_FOUND, "a value cannot start with *", k_quotes},
    YamlFault{YAML::ErrorMsg::CHAR_IN_ALIAS, "a value cannot start with *", k_quotes},
    YamlFault{YAML::ErrorMsg::UNKNOWN_ANCHOR, "a value cannot start with *", k_quotes},
    YamlFault{YAML::ErrorMsg::MULTIPLE_ALIASES, "a value cannot start with *", k_quotes},
    YamlFault{YAML::ErrorMsg::ALIAS_CONTENT, "a value cannot start with *", k_quotes},
    YamlFault{YAML::ErrorMsg::ANCHOR_NOT_FOUND, "a value cannot start with &", k_quotes},
    YamlFault{YAML::ErrorMsg::CHAR_IN_ANCHOR, "a value cannot start with &", k_quotes},
    YamlFault{YAML::ErrorMsg::MULTIPLE_ANCHORS, "a value cannot start with &", k_quotes},
    YamlFault{YAML::ErrorMsg::CHAR_IN_TAG_HANDLE, "a value cannot start with !", k_quotes},
    YamlFault{YAML::ErrorMsg::TAG_WITH_NO_SUFFIX, "a value cannot start with !", k_quotes},
    YamlFault{YAML::ErrorMsg::END_OF_VERBATIM_TAG, "a value cannot start with !", k_quotes},
    YamlFault{YAML::ErrorMsg::MULTIPLE_TAGS, "a value cannot start with !", k_quotes},
    YamlFault{YAML::ErrorMsg::INVALID_ESCAPE, "invalid escape in a string", k_backslash},
    YamlFault{YAML::ErrorMsg::INVALID_HEX, "invalid escape in a string", k_backslash},
    YamlFault{YAML::ErrorMsg::INVALID_UNICODE, "invalid escape in a string", k_backslash},
    YamlFault{YAML::ErrorMsg::CHAR_IN_BLOCK, "a text cannot start in this line", k_pipe},
    YamlFault{YAML::ErrorMsg::ZERO_INDENT_IN_BLOCK, "a text cannot start in this line", k_pipe},
    YamlFault{YAML::ErrorMsg::YAML_DIRECTIVE_ARGS, "invalid directive", k_directive},
    YamlFault{YAML::ErrorMsg::YAML_VERSION, "invalid directive", k_directive},
    YamlFault{YAML::ErrorMsg::YAML_MAJOR_VERSION, "invalid directive", k_directive},
    YamlFault{YAML::ErrorMsg::REPEATED_YAML_DIRECTIVE, "invalid directive", k_directive},
    YamlFault{YAML::ErrorMsg::TAG_DIRECTIVE_ARGS, "invalid directive", k_directive},
    YamlFault{YAML::ErrorMsg::REPEATED_TAG_DIRECTIVE, "invalid directive", k_directive},
};

template <std::size_t size>
const YamlFault* find_fault(const std::array<YamlFault, size>& faults, const std::string& message) {
  const auto* const found = std::find_if(faults.begin(), faults.end(), [&](const YamlFault& fault) {
    return message.starts_with(fault.message);
  });
  return found == faults.end() ? nullptr : found;
}

// The first tab in the white space and dashes that the line of `offset` starts with.
std::optional<std::size_t> tab_in_indentation(const std::string& text, std::size_t offset) {
  const std::size_t before = offset == 0 ? std::string::npos : text.rfind('\n', offset - 1);
  const std::size_t start = before == std::string::npos ? 0 : before + 1;
  const std::size_t tab = text.find_first_not_of(" -", start);
  return tab != std::string::npos && text[tab] == '\t' ? std::optional(tab) : std::nullopt;
}

class YamlEvents final : public YAML::EventHandler {
 public:
  YamlEvents(const std::string& text, const Places& source) : m_text(text), m_builder(text, source) {}

  base::Result<std::vector<Document>> take() {
    if (m_key_error) return tl::unexpected<base::Error>(*m_key_error);
    return std::move(m_documents);
  }
  TreeBuilder& builder() { return m_builder; }

  // Where a ',' follows "{…}" or "[…]" yaml-cpp 0.7 finds empty documents in one place for ever.
  void OnDocumentStart(const YAML::Mark& mark) override {
    if (mark.pos <= m_last_start) stop(mark, "invalid YAML: nothing can start here");
    m_last_start = mark.pos;
  }
  void OnDocumentEnd() override { m_documents.push_back(m_builder.take()); }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override { add(nullptr, mark); }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    stop(mark, "aliases are not allowed in a pipeline spec", "write the value out");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t /*anchor*/,
                const std::string& value) override {
    // "!" stands for a quoted or block scalar, "?" for a plain one.
    if (tag == "!" || tag == k_tags + "str") {
      if (!is_quote_closed(m_text, offset_of(mark))) stop(mark, "invalid YAML: the quote is not closed");
      add(value, mark);
    } else if (tag == "?" || is_type_of(tag, value)) {
      add(resolve(value, mark), mark);
    } else {
      stop(mark, "the tag " + base::quoted(tag) + " is not allowed in a pipeline spec");
    }
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                       YAML::EmitterStyle::value /*style*/) override {
    open(json::array(), mark);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                  YAML::EmitterStyle::value /*style*/) override {
    open(json::object(), mark);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  enum class Expected { key, value, item };

  static std::size_t offset_of(const YAML::Mark& mark) {
    return static_cast<std::size_t>(std::max(mark.pos, 0));
  }

  [[noreturn]] void stop(const YAML::Mark& mark, const std::string& what, const std::string& hint = {}) {
    throw Stop(m_builder.fail(offset_of(mark), what, hint).value());
  }

  static void check(base::Status status) {
    if (!status) throw Stop(std::move(status).error());
  }

  [[nodiscard]] bool expects_key() const { return !m_levels.empty() && m_levels.back() == Expected::key; }

  // After a key comes its value, after a value the next key.
  void advance() {
    if (m_levels.empty() || m_levels.back() == Expected::item) return;
    m_levels.back() = m_levels.back() == Expected::key ? Expected::value : Expected::key;
  }

  // Whether a tag like "!!int" only says what a plain scalar would be.
  static bool is_type_of(const std::string& tag, const std::string& value) {
    if (tag == k_tags + "bool")
      return is_one_of(value, std::array{"true", "True", "TRUE", "false", "False", "FALSE"});
    if (tag == k_tags + "null") return is_null(value);
    return (tag == k_tags + "int" || tag == k_tags + "float") && value.find_first_of("0123456789+-.") == 0 &&
           classify(value) == Numeric::json_number;
  }

  static bool is_null(const std::string& value) {
    return is_one_of(value, std::array{"", "~", "null", "Null", "NULL"});
  }

  json resolve(const std::string& value, const YAML::Mark& mark) {
    if (is_null(value)) return nullptr;
    if (is_one_of(value, std::array{"true", "True", "TRUE"})) return true;
    if (is_one_of(value, std::array{"false", "False", "FALSE"})) return false;
    if (value == "<<") stop(mark, "merging with \"<<\" is not allowed in a pipeline spec");
    if (value.find_first_of("0123456789+-.") != 0) return value;
    switch (classify(value)) {
      case Numeric::json_number:
        if (auto number = parse_number(value); !number.is_discarded()) return number;
        stop(mark, "number too large: " + base::quoted(value), k_quote_it);
      case Numeric::other_number:
        stop(mark, base::quoted(value) + " is a number that JSON cannot represent", k_quote_it);
      case Numeric::date:
        stop(mark, base::quoted(value) + " is a date, which JSON cannot represent", k_quote_it);
      case Numeric::text:
        break;
    }
    return value;
  }

  void add(json value, const YAML::Mark& mark) {
    if (!expects_key()) {
      check(m_builder.scalar(std::move(value), offset_of(mark)));
    } else if (value.is_string()) {
      m_builder.key(value.get<std::string>(), offset_of(mark));
    } else {
      // yaml-cpp sees such keys in a list that is not closed; its own words about that are better.
      if (!m_key_error) {
        m_key_error =
            m_builder.fail(offset_of(mark), "a key must be a string, not " + value.dump(), k_quote_it)
                .value();
      }
      m_builder.key(value.dump(), offset_of(mark));
    }
    advance();
  }

  // Pachyderm does not look at the tag of a list or an object.
  void open(json container, const YAML::Mark& mark) {
    if (expects_key()) stop(mark, "a key must be a string, not a list or an object");
    m_levels.push_back(container.is_array() ? Expected::item : Expected::key);
    check(m_builder.open(std::move(container), offset_of(mark)));
  }

  void close() {
    m_builder.close();
    m_levels.pop_back();
    advance();
  }

  const std::string& m_text;
  TreeBuilder m_builder;
  std::vector<Expected> m_levels;
  std::vector<Document> m_documents;
  int m_last_start = -1;                   // of the last document
  std::optional<base::Error> m_key_error;  // the first
};

// The parser's fault in words about the text.
tl::unexpected<base::Error> refuse(const YAML::Exception& exception, const std::string& text,
                                   TreeBuilder& builder) {
  auto offset = static_cast<std::size_t>(std::max(exception.mark.pos, 0));
  const YamlFault* fault = find_fault(k_block_faults, exception.msg);
  if (fault != nullptr) {
    if (const auto tab = tab_in_indentation(text, offset)) {
      offset = *tab;
      fault = &k_tab;
    }
  } else {
    fault = find_fault(k_other_faults, exception.msg);
  }
  if (fault == nullptr) return builder.fail(offset, "invalid YAML");
  return builder.fail(offset, std::string("invalid YAML: ") + fault->what, fault->hint);
}

}  // namespace

base::Result<std::vector<Document>> read_yaml(const std::string& text, const Places& source,
                                              base::Position& fault) {
  YamlEvents events(text, source);
  const auto parse = [&]() -> base::Result<std::vector<Document>> {
    try {
      std::istringstream stream(text);
      YAML::Parser parser(stream);
      while (parser.HandleNextDocument(events)) {
      }
    } catch (Stop& stop) {
      return base::fail(std::move(stop.error));
    } catch (const YAML::Exception& exception) {
      return refuse(exception, text, events.builder());
    }
    return events.take();
  };
  auto documents = parse();
  if (!documents) fault = events.builder().fault();
  return documents;
}

}  // namespace spec
