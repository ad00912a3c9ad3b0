// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>
#include <cstdlib>
#include <random>

#include "base/digest.h"
#include "base/text.h"
#include "tests/unit/recorded/reader.h"

namespace recorded {
namespace {

using json = nlohmann::ordered_json;

std::map<std::string, Reader>& all_readers() {
  static std::map<std::string, Reader> all;
  return all;
}

std::string escaped(std::string_view text) {
  std::string result;
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    constexpr char k_digits[] = "0123456789abcdef";
    if (byte < 0x80) {
      result += character;
    } else {
      result += {'\\', 'x', k_digits[byte >> 4U], k_digits[byte & 15U]};
    }
  }
  return result;
}

struct Written {
  std::string title;
  Files files;
};

std::vector<Written> inputs_of(const base::fs::path& folder, const std::string& name) {
  std::vector<Written> inputs;
  if (const auto lines = base::read_file(folder / (name + ".lines"))) {
    for (const auto& line : base::split(*lines, '\n')) {
      if (!line.empty()) inputs.push_back({line, {{"", line}}});
    }
    return inputs;
  }
  const auto text = base::read_file(folder / (name + ".files"));
  EXPECT_TRUE(text) << name;
  std::string* file = nullptr;
  for (const auto& line : base::split(text.value_or(""), '\n')) {
    if (line.starts_with("==== ")) {
      inputs.push_back({line.substr(5), {}});
      file = nullptr;
    } else if (line.starts_with("---- ") && !inputs.empty()) {
      file = &inputs.back().files[line.substr(5)];
    } else if (file != nullptr) {
      *file += line + "\n";
    }
  }
  return inputs;
}

// Small changes of a text, the same in every run: those of a slip of the hand, an edit, or a cut.
class Changes {
 public:
  Changes(std::uint64_t seed, const std::vector<std::string>& words) : m_random(seed), m_words(words) {}

  void change(std::string& text) {
    for (auto left = 1 + below(5) / 4; left > 0; --left) change_once(text);
  }

 private:
  // std::uniform_int_distribution has no fixed algorithm.
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : m_random() % limit; }

  void change_once(std::string& text) {
    constexpr std::string_view k_signs = " \t\n=:,;[](){}'\"<>!~^|&*?#@/\\.-_$%+x10";
    const auto at = below(text.size());
    const char sign = k_signs[below(k_signs.size())];
    switch (below(11)) {
      case 0:
        return with_lines(text, [&](auto& lines) { lines.erase(lines.begin() + place(lines)); });
      case 1:
        return with_lines(text, [&](auto& lines) {
          const auto line = lines[below(lines.size())];
          lines.insert(lines.begin() + place(lines), line);
        });
      case 2:
        return with_lines(
            text, [&](auto& lines) { std::swap(lines[below(lines.size())], lines[below(lines.size())]); });
      case 3:
        return replace_word(text, "");
      case 4:
      case 5:
        return replace_word(text, m_words.empty() ? "x" : m_words[below(m_words.size())]);
      case 6:
        if (!text.empty()) text[at] = sign;
        return;
      case 7:
        text.insert(at, 1, sign);
        return;
      case 8:
        if (!text.empty()) text.erase(at, 1);
        return;
      case 9:
        text.resize(at);
        return;
      default:
        return change_number(text, at);
    }
  }

  static std::ptrdiff_t place_in(std::size_t place) { return static_cast<std::ptrdiff_t>(place); }
  std::ptrdiff_t place(const std::vector<std::string>& lines) { return place_in(below(lines.size())); }

  template <class Change>
  void with_lines(std::string& text, const Change& change) {
    auto lines = base::split(text, '\n');
    change(lines);
    text = base::join(lines, "\n");
  }

  static bool is_of_word(char character) {
    return std::isalnum(static_cast<unsigned char>(character)) != 0 || character == '_';
  }

  void replace_word(std::string& text, const std::string& word) {
    auto begin = below(text.size());
    while (begin < text.size() && !is_of_word(text[begin])) ++begin;
    while (begin > 0 && begin < text.size() && is_of_word(text[begin - 1])) --begin;
    auto end = begin;
    while (end < text.size() && is_of_word(text[end])) ++end;
    text.replace(begin, end - begin, word);
  }

  // Of a digit or a letter behind `at`: one more, or the other case.
  void change_number(std::string& text, std::size_t at) {
    while (at < text.size() && !is_of_word(text[at])) ++at;
    if (at == text.size()) return;
    char& character = text[at];
    if (character >= '0' && character <= '9') {
      character = character == '9' ? '0' : static_cast<char>(character + 1);
    } else {
      character = static_cast<char>(character ^ 0x20);
    }
  }

  std::mt19937_64 m_random;
  const std::vector<std::string>& m_words;
};

std::vector<std::string> words_of(const std::vector<Written>& inputs) {
  std::vector<std::string> words;
  for (const auto& input : inputs) {
    for (const auto& [name, content] : input.files) {
      std::string word;
      for (const char character : content + " ") {
        if (std::string_view(" \t\n,;=:\"'()[]{}").find(character) == std::string_view::npos) {
          word += character;
        } else if (!word.empty()) {
          words.push_back(std::move(word));
          word.clear();
        }
      }
    }
  }
  return words;
}

// A folder that has the files of one input.
class Folder {
 public:
  Folder() : m_folder(base::TemporaryFolder::make(testing::TempDir(), "recorded.").value()) {}

  std::string ask(Reader reader, const Files& files) {
    const auto folder = m_folder.path() / "source";
    if (!files.contains("")) {
      EXPECT_TRUE(base::remove_tree(folder));
      base::fs::create_directories(folder);
    }
    for (const auto& [name, content] : files) {
      if (name.empty()) continue;
      base::fs::create_directories((folder / name).parent_path());
      EXPECT_TRUE(base::write_file(folder / name, content));
    }
    Answers answers(folder.string());
    reader({files, folder}, answers);
    return answers.line();
  }

 private:
  base::TemporaryFolder m_folder;
};

// So many changes of each input are recorded. Files take longer: so many are looked at for every change of
// ours, and all with scripts/test --long and by scripts/mutate.
constexpr int k_changes_of_lines = 32;
constexpr int k_changes_of_files = 64;
constexpr int k_changes_at_once = 16;
constexpr std::size_t k_digits = 4;

struct Answer {
  std::string itself;
  std::string changed;  // the first digits of each digest
  std::vector<std::pair<Files, std::string>> changes;
};

int changes_of(const Written& input) {
  if (input.files.contains("")) return k_changes_of_lines;
  const bool takes_all =
      std::getenv("PACHBUILD_LONG_TESTS") != nullptr || std::getenv("PACHBUILD_RECORD") != nullptr;
  return takes_all ? k_changes_of_files : k_changes_at_once;
}

Answer answer_of(Folder& folder, Reader reader, const Written& input, const std::vector<std::string>& words) {
  Answer answer;
  answer.itself = folder.ask(reader, input.files);
  const bool is_line = input.files.contains("");
  const int count = changes_of(input);
  for (int i = 0; i < count; ++i) {
    Changes changes(std::stoull(base::sha256(input.title + std::to_string(i)).substr(0, 15), nullptr, 16),
                    words);
    Files files = input.files;
    auto file = files.begin();
    std::advance(file, i % static_cast<int>(files.size()));
    changes.change(file->second);
    if (is_line) std::erase(file->second, '\n');
    const auto told = folder.ask(reader, files);
    answer.changed += base::sha256(told).substr(0, k_digits);
    answer.changes.emplace_back(std::move(files), told);
  }
  return answer;
}

class Recorded : public testing::TestWithParam<std::string> {};

TEST_P(Recorded, Answers) {
  const std::string name = GetParam();
  const auto reader = readers().at(name);
  const base::fs::path golden = base::fs::path(PACHBUILD_GOLDEN) / "answers";
  const auto inputs = inputs_of(golden, name);
  ASSERT_FALSE(inputs.empty());
  const auto words = words_of(inputs);
  const auto file = golden / (name + ".recorded");
  const bool records = std::getenv("PACHBUILD_RECORD") != nullptr;
  const auto known = base::split(records ? "" : base::read_file(file).value_or(""), '\n');
  Folder folder;
  std::string text;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto answer = answer_of(folder, reader, inputs[i], words);
    text += answer.itself + "\n" + answer.changed + "\n";
    if (records) continue;
    ASSERT_GT(known.size(), 2 * i + 1) << "not recorded: " << inputs[i].title;
    EXPECT_EQ(answer.itself, known[2 * i]) << inputs[i].title;
    const auto& digests = known[2 * i + 1];
    ASSERT_GE(digests.size(), answer.changed.size()) << inputs[i].title;
    for (std::size_t change = 0; change < answer.changes.size(); ++change) {
      const auto& [files, told] = answer.changes[change];
      if (answer.changed.substr(change * k_digits, k_digits) == digests.substr(change * k_digits, k_digits))
        continue;
      ADD_FAILURE() << inputs[i].title
                    << ", changed: " << json(files).dump(1, ' ', false, json::error_handler_t::replace)
                    << "\nhas another answer than the one recorded:\n"
                    << told;
      break;
    }
  }
  if (records) {
    ASSERT_TRUE(base::write_file(file, text));
  }
}

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const auto& [name, reader] : readers()) all.push_back(name);
  return all;
}

INSTANTIATE_TEST_SUITE_P(All, Recorded, testing::ValuesIn(names()),
                         [](const auto& parameter) { return parameter.param; });

}  // namespace

void Answers::tell(const std::string& name, json value) { m_all[name] = std::move(value); }

void Answers::tell_error(const std::string& name, const base::Error& error) {
  m_all[name] = {{"kind", static_cast<int>(error.kind)}, {"error", base::format_error(error)}};
  for (const auto& other : error.more) m_all[name]["more"].push_back(base::format_error(other));
}

std::string Answers::line() const {
  std::string text = escaped(m_all.dump(-1, ' ', false, json::error_handler_t::replace));
  base::replace_all(text, m_folder, "SOURCE");
  base::replace_all(text, ":" PACHBUILD_VERSION, ":VERSION");
  // Which builders there are is not asked here.
  constexpr std::string_view k_builders = "official builders: ";
  for (auto at = text.find(k_builders); at != std::string::npos; at = text.find(k_builders, at + 1))
    text.erase(at + k_builders.size(), text.find(';', at) - at - k_builders.size());
  return text;
}

bool add_reader(const std::string& name, Reader reader) { return all_readers().emplace(name, reader).second; }
const std::map<std::string, Reader>& readers() { return all_readers(); }

}  // namespace recorded
