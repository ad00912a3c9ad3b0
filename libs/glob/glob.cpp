// SPDX-License-Identifier: Apache-2.0
#include "glob/glob.h"

#include <algorithm>
#include <optional>

#include "base/relative_path.h"
#include "base/text.h"
#include "glob/program.h"

namespace glob {
namespace {

using Kind = Instruction::Kind;

// Runs a program over a text, in step with it: at each character it knows all places where the program can
// be.
class Matcher {
 public:
  Matcher(const Program& program, std::u32string text)
      : m_program(program), m_text(std::move(text)), m_ahead(program.lookaheads * (m_text.size() + 1)) {}

  bool matches() { return run(0, 0, End::of_text); }

  // The offsets of each group's begin and end. Backtracks: what a fork does first is followed to its end
  // before the second way is tried. But a state that was reached once is not followed again, since that
  // failed then.
  std::optional<std::vector<std::size_t>> capture() {
    std::vector<std::size_t> slots(2 * (m_program.groups + 1));
    const std::size_t offsets = m_text.size() + 1;
    std::vector<bool> reached((m_program.nested_loops + 1) * m_program.code.size() * offsets);
    std::vector<Step> open{{}};
    while (!open.empty()) {
      const Step now = open.back();
      open.pop_back();
      if (now.undoes) {
        slots[now.place] = now.offset;
        continue;
      }
      auto known = reached[(now.empty_rounds * m_program.code.size() + now.place) * offsets + now.offset];
      if (known) continue;
      known = true;
      const Instruction& instruction = m_program.code[now.place];
      switch (instruction.kind) {
        case Kind::accept:
          if (now.offset < m_text.size()) break;
          slots[1] = m_text.size();
          return slots;
        case Kind::jump:
          open.push_back({target_of(now.place), now.offset, now.empty_rounds});
          break;
        case Kind::fork:
          open.push_back({target_of(now.place), now.offset, now.empty_rounds});
          open.push_back({now.place + 1, now.offset, now.empty_rounds});
          break;
        case Kind::enter:
          open.push_back({now.place + 1, now.offset, now.empty_rounds + 1});
          break;
        case Kind::repeat:
          if (now.empty_rounds > 0) {
            open.push_back({now.place + 1, now.offset, now.empty_rounds - 1});
          } else {
            open.push_back({now.place + 1, now.offset, 0});
            open.push_back({target_of(now.place), now.offset, 1});
          }
          break;
        case Kind::save:
          open.push_back({instruction.operand, slots[instruction.operand], 0, true});
          slots[instruction.operand] = now.offset;
          open.push_back({now.place + 1, now.offset, now.empty_rounds});
          break;
        case Kind::unless_ahead:
          if (!is_ahead(now.place, now.offset)) {
            open.push_back({target_of(now.place), now.offset, now.empty_rounds});
          }
          break;
        default:
          if (now.offset < m_text.size() && takes(instruction, m_text[now.offset])) {
            open.push_back({now.place + 1, now.offset + 1, 0});
          }
      }
    }
    return std::nullopt;
  }

 private:
  // A place to go on from, or a slot to put back to what it was.
  struct Step {
    std::size_t place = 0;  // or the slot
    std::size_t offset = 0;
    // How many of the loops around `place`, the innermost ones, took no character in this round yet: those
    // that were entered at this offset.
    std::size_t empty_rounds = 0;
    bool undoes = false;
  };

  enum class End { of_text, anywhere };

  // The places of the program before one character, each once, in `list`.
  struct Places {
    explicit Places(std::size_t size) : seen(size) {}
    void clear() {
      for (const std::size_t place : visited) seen[place] = false;
      visited.clear();
      list.clear();
    }
    std::vector<bool> seen;
    std::vector<std::size_t> visited;  // all seen
    std::vector<std::size_t> list;     // those that take a character
    bool accepted = false;
  };

  // Whether the program from `start` matches the text from `offset`, up to its end or to anywhere.
  bool run(std::size_t start, std::size_t offset, End end) {
    Places now(m_program.code.size());
    Places next(m_program.code.size());
    follow(start, offset, now);
    for (; offset < m_text.size(); ++offset) {
      if (now.accepted && end == End::anywhere) return true;
      if (now.list.empty()) return false;
      for (const std::size_t place : now.list) {
        if (takes(m_program.code[place], m_text[offset])) follow(place + 1, offset + 1, next);
      }
      std::swap(now, next);
      next.clear();
      next.accepted = false;
    }
    return now.accepted;
  }

  [[nodiscard]] std::size_t target_of(std::size_t place) const {
    return static_cast<std::size_t>(static_cast<std::ptrdiff_t>(place) + m_program.code[place].jump);
  }

  // Adds all places that are reached from `start` without taking a character.
  void follow(std::size_t start, std::size_t offset, Places& places) {
    std::vector<std::size_t> open{start};
    while (!open.empty()) {
      const std::size_t place = open.back();
      open.pop_back();
      if (places.seen[place]) continue;
      places.seen[place] = true;
      places.visited.push_back(place);
      switch (m_program.code[place].kind) {
        case Kind::accept:
          places.accepted = true;
          break;
        case Kind::jump:
          open.push_back(target_of(place));
          break;
        case Kind::fork:
        case Kind::repeat:
          open.push_back(target_of(place));
          open.push_back(place + 1);
          break;
        case Kind::enter:
        case Kind::save:
          open.push_back(place + 1);
          break;
        case Kind::unless_ahead:
          if (!is_ahead(place, offset)) open.push_back(target_of(place));
          break;
        default:
          places.list.push_back(place);
      }
    }
  }

  // Remembered, since the same group may be asked about the same offset from many places.
  bool is_ahead(std::size_t place, std::size_t offset) {
    auto& answer = m_ahead[m_program.code[place].operand * (m_text.size() + 1) + offset];
    if (!answer) answer = run(place + 1, offset, m_program.looks_to_the_end ? End::of_text : End::anywhere);
    return *answer;
  }

  [[nodiscard]] bool takes(const Instruction& instruction, char32_t character) const {
    switch (instruction.kind) {
      case Kind::character:
        return instruction.operand == character;
      case Kind::any:
        return true;
      case Kind::not_separator:
        return character != U'/';
      default:
        return m_program.sets[instruction.operand].contains(character);
    }
  }

  const Program& m_program;
  std::u32string m_text;
  std::vector<std::optional<bool>> m_ahead;  // by lookahead and offset
};

std::u32string characters_of(std::string_view text, const Program& program) {
  if (!program.is_of_bytes) return decode_utf8(text);
  std::u32string characters;
  characters.reserve(text.size());
  for (const char byte : text) characters += static_cast<unsigned char>(byte);
  return characters;
}

// The length of the character in the text that decode_utf8 was given.
std::size_t width(char32_t character) {
  if (character < 0x80 || character >= k_first_broken_byte) return 1;
  return character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
}

// The "$1" or "${1}" that a text starts with; its length is 0 if there is none.
struct Reference {
  std::size_t length = 0;
  std::string_view digits;

  [[nodiscard]] bool is_valid() const {
    return digits == "0" || (!digits.starts_with('0') && digits.size() <= 9);
  }
};

Reference reference_at_start(std::string_view text) {
  const bool braced = text.starts_with("${");
  text.remove_prefix(braced ? 2 : 1);
  const std::string_view digits = text.substr(0, text.find_first_not_of("0123456789"));
  if (digits.empty() || (braced && !text.substr(digits.size()).starts_with('}'))) return {};
  return {digits.size() + (braced ? 3 : 1), digits};
}

// Goes over the references of a template and the text between them, "$" for "$$".
template <class OnText, class OnReference>
void read_template(std::string_view text, OnText on_text, OnReference on_reference) {
  while (!text.empty()) {
    const std::size_t plain = std::min(text.find('$'), text.size());
    on_text(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    const Reference reference = reference_at_start(text);
    if (reference.length > 0) {
      on_reference(reference);
      text.remove_prefix(reference.length);
    } else {
      on_text(text.substr(0, 1));
      text.remove_prefix(text.starts_with("$$") ? 2 : 1);
    }
  }
}

}  // namespace

bool CharacterSet::contains(char32_t character) const {
  const bool found = std::any_of(ranges.begin(), ranges.end(), [&](const auto& range) {
    return range.first <= character && character <= range.second;
  });
  return found != negated;
}

base::Result<Glob> Glob::compile(std::string_view pattern, Separator separator) {
  BASE_TRY_ASSIGN(Program program, parse(pattern, separator));
  return Glob(pattern, std::make_shared<const Program>(std::move(program)));
}

bool Glob::matches(std::string_view path) const {
  if (!path.starts_with(m_program->literal_prefix)) return false;
  if (!path.ends_with(m_program->literal_suffix)) return false;
  return Matcher(*m_program, characters_of(path, *m_program)).matches();
}

std::optional<Glob> Glob::compile_git(std::string_view pattern) {
  auto program = parse_git(pattern);
  if (!program) return std::nullopt;
  return Glob(pattern, std::make_shared<const Program>(std::move(*program)));
}

const std::string& Glob::literal_prefix() const { return m_program->literal_prefix; }

std::optional<std::vector<std::string>> Glob::capture(std::string_view path) const {
  if (!path.starts_with(m_program->literal_prefix)) return std::nullopt;
  const std::u32string text = characters_of(path, *m_program);
  const auto slots = Matcher(*m_program, text).capture();
  if (!slots) return std::nullopt;
  std::vector<std::size_t> bytes{0};  // the offset of each character in `path`
  for (const char32_t character : text)
    bytes.push_back(bytes.back() + (m_program->is_of_bytes ? 1 : width(character)));
  std::vector<std::string> captures;
  for (std::size_t slot = 0; slot < slots->size(); slot += 2) {
    const std::size_t begin = bytes[(*slots)[slot]];
    captures.emplace_back(path.substr(begin, bytes[(*slots)[slot + 1]] - begin));
  }
  return captures;
}

std::string Glob::replace(std::string_view path, std::string_view text) const {
  const auto captures = capture(path).value_or(std::vector<std::string>{});
  std::string result;
  read_template(
      text, [&](std::string_view plain) { result += plain; },
      [&](const Reference& reference) {
        if (!reference.is_valid()) return;
        const auto number = std::stoul(std::string(reference.digits));
        if (number < captures.size()) result += captures[number];
      });
  return result;
}

std::size_t Glob::groups() const { return m_program->groups; }

std::string Glob::lacking_group(std::string_view text) const {
  std::string lacking;
  read_template(
      text, [](std::string_view) {},
      [&](const Reference& reference) {
        if (!lacking.empty() || !reference.is_valid()) return;
        if (std::stoul(std::string(reference.digits)) > groups())
          lacking = "$" + std::string(reference.digits);
      });
  return lacking;
}

base::Status check_template(std::string_view text) {
  std::string_view wrong;
  read_template(
      text, [](std::string_view) {},
      [&](const Reference& reference) {
        if (wrong.empty() && !reference.is_valid()) wrong = reference.digits;
      });
  if (wrong.empty()) return {};
  return base::fail(base::ErrorKind::bad_input, std::string(text),
                    "invalid group number " + std::string(wrong),
                    "write it without leading zeros, with nine digits at most");
}

std::string clean_input_glob(std::string_view glob) { return "/" + base::clean_path(glob); }

bool is_datum(const Glob& glob, std::string_view path) {
  if (path == "/") return glob.pattern() == "/";
  while (path.ends_with('/')) path.remove_suffix(1);
  return glob.matches(path);
}

std::string datum_key(const Glob& glob, std::string_view path, std::string_view text) {
  while (path.ends_with('/')) path.remove_suffix(1);
  return glob.replace(path, text);
}

}  // namespace glob
