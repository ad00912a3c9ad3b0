// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/spec/input.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "contract/layout.h"
#include "glob/glob.h"
#include "pachbuild/spec/schema.h"

namespace spec {
namespace {

using base::ErrorKind;
using nlohmann::json;
using Kind = Input::Kind;

struct Combination {
  const char* field;
  Kind kind;
};
constexpr std::array<Combination, 4> k_combinations = {
    {{"cross", Kind::cross}, {"join", Kind::join}, {"group", Kind::group}, {"union", Kind::union_of}}};
constexpr std::array k_leaves = {"pfs", "cron"};

bool is_word(char character) {
  return (character >= '0' && character <= '9') || (character >= 'A' && character <= 'Z') ||
         (character >= 'a' && character <= 'z') || character == '_' || character == '-';
}

// What an input's name must be to name a folder in /pfs and a variable.
bool is_folder_name(const std::string& name) {
  return !name.empty() && name[0] != '.' &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_word(c) || c == '.'; });
}

// Says what is wrong with inputs.
class Judge {
 public:
  Judge(const InputReading& reading, Faults& faults) : m_reading(reading), m_faults(faults) {}

  void add(const std::string& pointer, const std::string& what, const std::string& hint = {}) {
    const auto& places = m_reading.places;
    m_faults.add(pointer, places.at(pointer),
                 {ErrorKind::bad_input, places.where(pointer), field_fault(places, pointer, what), hint});
  }

  // Adds that the object at `pointer` lacks a field, unless that field's value is at fault already.
  void add_missing(const std::string& pointer, const std::string& field, const std::string& hint = {}) {
    const std::string at = child_pointer(pointer, field);
    if (is_at_fault(at)) return;
    const auto& places = m_reading.places;
    m_faults.add(at, places.at(pointer),
                 {ErrorKind::bad_input, places.where(pointer),
                  field_fault(places, pointer, "has no " + base::quoted(field)), hint});
  }

  [[nodiscard]] bool is_at_fault(const std::string& pointer) const { return m_faults.touch(pointer); }

  // A text that cannot be a `kind`.
  void refuse(const std::string& pointer, std::string_view kind, const std::string& value,
              const std::string& hint) {
    const auto& places = m_reading.places;
    m_faults.add(
        pointer, places.at(pointer),
        {ErrorKind::bad_input, places.where(pointer), invalid_value(places, pointer, kind, value), hint});
  }

  void check_taken(const std::string& name, const std::string& pointer) {
    const bool is_ours = name == contract::k_source_input || name == contract::k_build_input;
    if (name != "out" && !(m_reading.is_built && is_ours)) return;
    const std::string reason = is_ours ? "pachbuild puts the " + name + " in /pfs/" + name
                                       : "/pfs/" + name + " is the output of the pipeline";
    add(pointer, base::quoted(name) + " is reserved: " + reason,
        m_reading.places.is_word(pointer) ? "" : "give the input another \"name\"");
  }

 private:
  const InputReading& m_reading;
  Faults& m_faults;
};

constexpr char k_empty_hint[] = R"(for example {"pfs": {"repo": "…", "glob": "/*"}})";

// The kinds that are set: one, in a right input. An empty list is none, as for protobuf.
std::vector<std::string> kinds_of(const json& value) {
  std::vector<std::string> kinds;
  for (const char* const leaf : k_leaves) {
    if (value.contains(leaf)) kinds.emplace_back(leaf);
  }
  for (const auto& combination : k_combinations) {
    if (value.contains(combination.field) && !value[combination.field].empty())
      kinds.emplace_back(combination.field);
  }
  return kinds;
}

// What has no input in it: `value`, or a list in it.
std::string empty_place(const json& value, const std::string& pointer) {
  const auto list = std::find_if(k_combinations.begin(), k_combinations.end(),
                                 [&](const auto& combination) { return value.contains(combination.field); });
  return list == k_combinations.end() ? pointer : child_pointer(pointer, list->field);
}

class InputReader {
 public:
  InputReader(const InputReading& reading, Faults& faults) : m_reading(reading), m_judge(reading, faults) {}

  using Names = std::set<std::string>;

  // `names` are those that the input must not have, and gets those that it has.
  Input read(const json& value, const std::string& pointer, Names& names) {
    Input input;
    const auto kinds = kinds_of(value);
    if (kinds.empty()) {
      if (!m_judge.is_at_fault(pointer)) add(empty_place(value, pointer), "is empty", k_empty_hint);
      return input;
    }
    if (kinds.size() > 1) {
      add(pointer, "has both \"" + kinds[0] + "\" and \"" + kinds[1] + "\"",
          "keep one, or put both into a \"cross\"");
      return input;
    }
    const std::string at = child_pointer(pointer, kinds[0]);
    if (kinds[0] == "pfs") {
      input.repo = read_pfs(value["pfs"], at, names);
    } else if (kinds[0] == "cron") {
      input.repo = read_cron(value["cron"], at, names);
    } else {
      read_parts(input, value[kinds[0]], at, names);
      input.kind = std::find_if(k_combinations.begin(), k_combinations.end(), [&](const auto& combination) {
                     return combination.field == kinds[0];
                   })->kind;
    }
    return input;
  }

 private:
  void add(const std::string& pointer, const std::string& what, const std::string& hint = {}) {
    m_judge.add(pointer, what, hint);
  }

  void read_parts(Input& input, const json& parts, const std::string& pointer, Names& names) {
    const bool alternatives = pointer.ends_with("/union");
    const Names outside = names;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      // A datum has files of only one input of a union.
      Names own = outside;
      input.parts.push_back(
          read(parts[i], child_pointer(pointer, std::to_string(i)), alternatives ? own : names));
      if (alternatives) names.merge(own);
    }
  }

  RepoInput read_pfs(const json& fields, const std::string& pointer, Names& names) {
    RepoInput input;
    input.pointer = pointer;
    input.project = fields.value("project", "");
    input.repo = fields.value("repo", "");
    input.name = fields.value("name", "");
    input.is_named = !input.name.empty();
    if (!input.is_named) input.name = input.repo;
    input.branch = fields.value("branch", "");
    if (input.branch.empty()) input.branch = k_default_branch;
    input.join_on = fields.value("join_on", "");
    input.group_by = fields.value("group_by", "");
    input.outer_join = fields.value("outer_join", false);
    input.lazy = fields.value("lazy", false);
    input.empty_files = fields.value("empty_files", false);
    if (input.repo.empty()) {
      m_judge.add_missing(pointer, "repo");
    } else if (!is_name(input.repo)) {
      m_judge.refuse(pointer + "/repo", "repo name", input.repo, "a name has letters, digits, '_' and '-'");
    } else if (input.is_named || !m_judge.is_at_fault(pointer + "/name")) {
      check_name(input.name, pointer + (input.is_named ? "/name" : "/repo"), names);
    }
    for (const char* const field : {"join_on", "group_by"}) {
      if (auto valid = glob::check_template(fields.value(field, "")); !valid)
        add(pointer + "/" + field, valid.error().what, valid.error().hint);
    }
    input.glob = read_glob(fields.value("glob", ""), pointer);
    return input;
  }

  RepoInput read_cron(const json& fields, const std::string& pointer, Names& names) {
    RepoInput input;
    input.pointer = pointer;
    input.project = fields.value("project", "");
    input.name = fields.value("name", "");
    input.is_named = true;
    input.repo = fields.value("repo", "");
    if (input.repo.empty()) {
      input.repo = m_reading.pipeline + "_" + input.name;
    } else if (!is_name(input.repo)) {
      m_judge.refuse(pointer + "/repo", "repo name", input.repo, "a name has letters, digits, '_' and '-'");
    }
    input.branch = k_default_branch;
    input.glob = "/*";
    input.cron = Cron{fields.value("spec", ""), fields.value("overwrite", false)};
    if (input.name.empty()) {
      m_judge.add_missing(pointer, "name");
    } else {
      check_name(input.name, pointer + "/name", names);
    }
    if (input.cron->spec.empty())
      m_judge.add_missing(pointer, "spec", R"(for example "spec": "@every 60s", or "0 3 * * *")");
    return input;
  }

  void check_name(const std::string& name, const std::string& pointer, Names& names) {
    if (!is_folder_name(name)) {
      m_judge.refuse(pointer, "input name", name,
                     "a name has letters, digits, '_', '-' and '.', and does not start with '.'");
    } else if (!names.insert(name).second) {
      add(pointer, base::quoted(name) + " is already the name of another input",
          "give one of them another \"name\"");
    } else {
      m_judge.check_taken(name, pointer);
    }
  }

  std::string read_glob(const std::string& written, const std::string& pointer) {
    if (written.empty()) {
      m_judge.add_missing(pointer, "glob", "\"/*\" makes a datum of each file and folder");
      return {};
    }
    std::string clean = glob::clean_input_glob(written);
    const auto compiled = glob::Glob::compile(clean, glob::Separator::slash);
    if (!compiled) add(pointer + "/glob", base::quoted(clean) + ": " + compiled.error().what);
    return clean;
  }

  const InputReading& m_reading;
  Judge m_judge;
};

void collect(const Input& input, std::vector<const RepoInput*>& all) {
  if (input.kind == Kind::repo) all.push_back(&input.repo);
  for (const Input& part : input.parts) collect(part, all);
}

}  // namespace

std::vector<const RepoInput*> repo_inputs(const Input& input) {
  std::vector<const RepoInput*> all;
  collect(input, all);
  return all;
}

bool is_name(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), is_word);
}

Input read_input(const json& value, const std::string& pointer, const InputReading& reading, Faults& faults) {
  InputReader::Names names;
  return InputReader(reading, faults).read(value, pointer, names);
}

void check_input_names(const json& value, const std::string& pointer, const InputReading& reading,
                       Faults& faults) {
  Judge judge(reading, faults);
  if (value.empty()) judge.add(pointer, "is empty", k_empty_hint);
  for (const char* const kind : k_leaves) {
    if (!value.contains(kind)) continue;
    const json& input = value[kind];
    const char* const field = input.value("name", "").empty() ? "repo" : "name";
    judge.check_taken(input.value(field, ""), pointer + "/" + kind + "/" + field);
  }
  for (const auto& combination : k_combinations) {
    if (!value.contains(combination.field)) continue;
    const json& parts = value[combination.field];
    for (std::size_t i = 0; i < parts.size(); ++i) {
      check_input_names(parts[i], pointer + "/" + combination.field + "/" + std::to_string(i), reading,
                        faults);
    }
  }
}

}  // namespace spec
