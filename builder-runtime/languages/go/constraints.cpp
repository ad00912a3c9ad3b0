// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/go/constraints.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace builder::go {
namespace {

constexpr int k_deepest = 64;
// More tags in one constraint are not tried for what would make it hold.
constexpr std::size_t k_most_tags = 6;
// True or false by what Go and the machine are, never by a user's tags; and what stands for "never".
constexpr std::array<std::string_view, 9> k_not_tags = {"unix", "gc",   "gccgo",  "cgo",  "race",
                                                        "msan", "asan", "ignore", "tools"};

// What may stand at the end of a file's name. New ones that are not here only make us take a file that Go
// leaves out.
constexpr std::array<std::string_view, 17> k_systems = {
    "aix",   "android", "darwin", "dragonfly", "freebsd", "hurd",    "illumos", "ios",   "js",
    "linux", "nacl",    "netbsd", "openbsd",   "plan9",   "solaris", "windows", "wasip1"};
constexpr std::array<std::string_view, 16> k_architectures = {
    "386",    "amd64", "arm",     "arm64", "loong64", "mips",  "mips64",  "mips64le",
    "mipsle", "ppc64", "ppc64le", "riscv", "riscv64", "s390x", "sparc64", "wasm"};

template <std::size_t Size>
bool is_one_of(const std::array<std::string_view, Size>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// name_linux.go, name_amd64.go, name_linux_amd64.go; "linux.go" is a name like any other.
bool name_fits(std::string_view name, const Tags& tags) {
  auto parts = base::split(name.substr(0, name.find('.')), '_');
  if (parts.size() > 1 && parts.back() == "test") parts.pop_back();
  const auto holds = [&](const std::string& part) { return tags.contains(part); };
  if (parts.size() < 2) return true;
  const std::string last = parts.back();
  if (is_one_of(k_architectures, last)) {
    const std::string& before = parts[parts.size() - 2];
    return holds(last) && (parts.size() < 3 || !is_one_of(k_systems, before) || holds(before));
  }
  return !is_one_of(k_systems, last) || holds(last);
}

using Named = std::set<std::string, std::less<>>;

// What an expression is about, and what it is.
class Expression {
 public:
  // a && (b || !c); the tags that it names are added to `named`.
  static bool holds(std::string_view text, const Tags& tags, Named& named) {
    return Expression(text, tags, named).alternatives(0);
  }

  // The options of a "// +build" line: one of those between spaces, of these all between commas.
  static bool old_line_holds(std::string_view text, const Tags& tags, Named& named) {
    bool result = false;
    for (const auto& option : base::split(text, ' ')) {
      if (option.empty()) continue;
      bool all = true;
      for (const auto& term : base::split(option, ',')) {
        const bool negated = term.starts_with('!');
        const bool one = has(negated ? term.substr(1) : term, tags, named) != negated;
        all = all && one;
      }
      result = result || all;
    }
    return result;
  }

 private:
  Expression(std::string_view text, const Tags& tags, Named& named)
      : m_text(text), m_tags(tags), m_named(named) {}

  static bool has(const std::string& tag, const Tags& tags, Named& named) {
    if (tag.starts_with("go1")) return true;
    named.insert(tag);
    return tags.contains(tag);
  }

  void skip_space() { m_text.remove_prefix(std::min(m_text.find_first_not_of(" \t\r"), m_text.size())); }

  bool take(std::string_view word) {
    skip_space();
    if (m_text.substr(0, word.size()) != word) return false;
    m_text.remove_prefix(word.size());
    return true;
  }

  bool alternatives(int depth) {
    bool result = conjunction(depth);
    while (take("||")) {
      const bool next = conjunction(depth);
      result = result || next;
    }
    return result;
  }

  bool conjunction(int depth) {
    bool result = term(depth);
    while (take("&&")) {
      const bool next = term(depth);
      result = result && next;
    }
    return result;
  }

  bool term(int depth) {
    if (depth == k_deepest) return false;
    if (take("!")) return !term(depth + 1);
    if (take("(")) {
      const bool result = alternatives(depth + 1);
      take(")");
      return result;
    }
    skip_space();
    const auto end = std::min(m_text.find_first_of(" \t\r()!&|"), m_text.size());
    const std::string tag(m_text.substr(0, end));
    m_text.remove_prefix(end);
    return has(tag, m_tags, m_named);
  }

  std::string_view m_text;
  const Tags& m_tags;
  Named& m_named;
};

// The constraint lines of a file: its "//go:build" line, else its "// +build" lines.
struct Lines {
  std::string_view expression;
  std::vector<std::string_view> old;

  [[nodiscard]] bool hold(const Tags& tags, Named& named) const {
    if (!expression.empty()) return Expression::holds(expression, tags, named);
    bool all = true;
    for (const auto& line : old) {
      const bool one = Expression::old_line_holds(line, tags, named);
      all = all && one;
    }
    return all;
  }
};

// Before the package clause are comments only. Old lines count when an empty line follows them, so that they
// cannot be the package's documentation.
Lines lines_of(std::string_view text) {
  constexpr std::string_view k_line = "//go:build ";
  constexpr std::string_view k_old = "+build";
  Lines lines;
  std::vector<std::string_view> pending;
  bool is_inside = false;  // of /* */
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = base::trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (is_inside || line.starts_with("/*")) {
      is_inside = !base::contains(line, "*/");
    } else if (line.empty()) {
      lines.old.insert(lines.old.end(), pending.begin(), pending.end());
      pending.clear();
    } else if (line.starts_with(k_line)) {
      lines.expression = line.substr(k_line.size());
      return lines;
    } else if (line.starts_with("//")) {
      const auto words = base::trim(line.substr(2));
      const bool is_old =
          words.starts_with(k_old) &&
          (words.size() == k_old.size() || words[k_old.size()] == ' ' || words[k_old.size()] == '\t');
      if (is_old) pending.push_back(words.substr(k_old.size()));
    } else {
      break;
    }
  }
  return lines;
}

// The fewest tags of a user's that make the lines hold.
std::vector<std::string> helping_tags(const Lines& lines, const Tags& tags, const Named& named) {
  std::vector<std::string> possible;
  for (const auto& tag : named) {
    if (!tag.empty() && !tags.contains(tag) && !is_one_of(k_systems, tag) &&
        !is_one_of(k_architectures, tag) && !is_one_of(k_not_tags, tag))
      possible.push_back(tag);
  }
  std::vector<std::string> best;
  if (possible.size() > k_most_tags) return best;
  for (unsigned choice = 1; choice < 1U << possible.size(); ++choice) {
    std::vector<std::string> chosen;
    for (std::size_t i = 0; i < possible.size(); ++i) {
      if ((choice >> i & 1U) != 0) chosen.push_back(possible[i]);
    }
    Tags more = tags;
    more.insert(chosen.begin(), chosen.end());
    Named ignored;
    if ((best.empty() || chosen.size() < best.size()) && lines.hold(more, ignored)) best = chosen;
  }
  return best;
}

}  // namespace

Tags standard_tags(const std::string& architecture) { return {"linux", "unix", "gc", architecture}; }

std::optional<Exclusion> exclusion_of(std::string_view name, std::string_view text, const Tags& tags) {
  if (!name_fits(name, tags)) return Exclusion{};
  const auto lines = lines_of(text);
  Named named;
  if (lines.hold(tags, named)) return std::nullopt;
  Exclusion exclusion{.tags = helping_tags(lines, tags, named)};
  if (!lines.expression.empty()) {
    exclusion.constraint = "//go:build " + std::string(lines.expression);
  } else {
    for (const auto& line : lines.old) {
      exclusion.constraint +=
          (exclusion.constraint.empty() ? "// +build " : ", // +build ") + std::string(base::trim(line));
    }
  }
  return exclusion;
}

}  // namespace builder::go
