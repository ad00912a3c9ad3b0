// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/go/constraints.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace builder::go {
namespace {

constexpr int k_deepest = 64;

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

// a && (b || !c)
class Expression {
 public:
  Expression(std::string_view text, const Tags& tags) : m_text(text), m_tags(tags) {}
  bool holds() { return alternatives(0); }

 private:
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
    return m_tags.contains(tag) || tag.rfind("go1", 0) == 0;
  }

  std::string_view m_text;
  const Tags& m_tags;
};

}  // namespace

Tags standard_tags(const std::string& architecture) { return {"linux", "unix", "gc", architecture}; }

bool is_included(std::string_view name, std::string_view text, const Tags& tags) {
  if (!name_fits(name, tags)) return false;
  constexpr std::string_view k_line = "//go:build ";
  for (const auto& raw : base::split(text.substr(0, text.find("\npackage ")), '\n')) {
    const auto line = base::trim(raw);
    if (line.substr(0, k_line.size()) == k_line) return Expression(line.substr(k_line.size()), tags).holds();
    if (line.substr(0, 8) == "package ") break;
  }
  return true;
}

}  // namespace builder::go
