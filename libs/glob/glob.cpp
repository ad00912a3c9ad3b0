// SPDX-License-Identifier: Apache-2.0
#include "glob/glob.h"

#include <algorithm>
#include <optional>

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

 private:
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

  // Adds all places that are reached from `start` without taking a character.
  void follow(std::size_t start, std::size_t offset, Places& places) {
    std::vector<std::size_t> open{start};
    while (!open.empty()) {
      const std::size_t place = open.back();
      open.pop_back();
      if (places.seen[place]) continue;
      places.seen[place] = true;
      places.visited.push_back(place);
      const Instruction& instruction = m_program.code[place];
      const auto target = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(place) + instruction.jump);
      switch (instruction.kind) {
        case Kind::accept:
          places.accepted = true;
          break;
        case Kind::jump:
          open.push_back(target);
          break;
        case Kind::fork:
          open.push_back(target);
          open.push_back(place + 1);
          break;
        case Kind::unless_ahead:
          if (!is_ahead(place, offset)) open.push_back(target);
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
  return Matcher(*m_program, decode_utf8(path)).matches();
}

std::string clean_input_glob(std::string_view glob) {
  std::vector<std::string> parts;
  for (const std::string& part : base::split(glob, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  return "/" + base::join(parts, "/");
}

bool is_datum(const Glob& glob, std::string_view path) {
  if (path == "/") return glob.pattern() == "/";
  while (path.ends_with('/')) path.remove_suffix(1);
  return glob.matches(path);
}

}  // namespace glob
