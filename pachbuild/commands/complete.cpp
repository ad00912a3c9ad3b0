// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/complete.h"

#include <CLI/CLI.hpp>
#include <array>
#include <set>
#include <utility>

#include "base/text.h"
#include "contract/builders.h"
#include "pachbuild/cache/kinds.h"
#include "pachbuild/commands/data_options.h"
#include "pachbuild/spec/pipeline_spec.h"
#include "report/usage.h"

namespace commands {
namespace {

using Paths = Completions::Paths;

// The words so far, and what they lead to.
class Line {
 public:
  Line(const CLI::App& app, const std::vector<std::string>& words) : m_verb(&app), m_word(words.back()) {
    for (std::size_t i = 0; i + 1 < words.size(); ++i) read(app, words[i]);
  }

  Completions complete() {
    if (m_is_after_dashes) {
      m_found.paths = Paths::files;  // of the program
    } else if (m_option != nullptr) {
      offer_values(*m_option, "");
    } else if (const auto equals = m_word.find('=');
               m_word.starts_with("--") && equals != std::string::npos) {
      if (const auto* option = find_option(m_word.substr(0, equals)))
        offer_values(*option, m_word.substr(0, equals + 1));
    } else if (m_word.starts_with('-')) {
      offer_options();
    } else {
      offer_words();
    }
    return m_found;
  }

 private:
  void read(const CLI::App& app, const std::string& word) {
    if (m_is_after_dashes) return;
    if (m_option != nullptr) {
      take(*std::exchange(m_option, nullptr), word);
    } else if (word == "--") {
      m_is_after_dashes = true;
    } else if (word.starts_with('-')) {
      const auto equals = word.find('=');
      const auto* option = find_option(word.substr(0, equals));
      if (option == nullptr || !takes_value(*option)) return;
      if (equals == std::string::npos) {
        m_option = option;
      } else {
        take(*option, word.substr(equals + 1));
      }
    } else if (word == "help" && m_verb == &app) {
      m_is_help = true;
    } else if (const auto verbs = verbs_named(word); !verbs.empty()) {
      m_verb = verbs.front();
    } else if (const auto* positional = first_positional()) {
      take(*positional, word);
    }
  }

  static bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

  void take(const CLI::Option& option, const std::string& value) {
    if (option.check_lname("file")) m_specs.files.push_back(value);
    if (option.check_lname("jsonnet")) m_specs.jsonnet = value;
    if (option.check_lname("arg")) m_specs.arguments.push_back(value);
  }

  // "-f", "--file"
  [[nodiscard]] const CLI::Option* find_option(const std::string& name) const {
    for (const auto* option : m_verb->get_options()) {
      if (option->check_name(name)) return option;
    }
    return nullptr;
  }

  [[nodiscard]] std::vector<const CLI::App*> verbs_named(const std::string& name) const {
    return m_verb->get_subcommands([&](const CLI::App* each) { return each->get_name() == name; });
  }

  [[nodiscard]] const CLI::Option* first_positional() const {
    const auto options =
        m_verb->get_options([](const CLI::Option* option) { return option->get_positional(); });
    return options.empty() ? nullptr : options.front();
  }

  void offer(const std::string& text, const std::string& description) {
    if (!text.starts_with(m_word)) return;
    const auto line = description.substr(0, description.find('\n'));
    m_found.candidates.push_back({text, line});
  }

  // Verbs; where there are none, what may come next: paths for an argument of the verb, else options.
  void offer_words() {
    const auto verbs = m_verb->get_subcommands([](const CLI::App*) { return true; });
    for (const auto* verb : verbs) offer(verb->get_name(), verb->get_description());
    if (!verbs.empty() || m_is_help) return;
    if (const auto* positional = first_positional()) {
      offer_values(*positional, "");
    } else if (m_word.empty()) {
      offer_options();
    }
  }

  void offer_options() {
    for (const auto* option : m_verb->get_options()) {
      // Prefer the long name; offer a short one when it is typed already, or is the only name.
      for (const auto& name : option->get_lnames()) offer("--" + name, option->get_description());
      for (const auto& name : option->get_snames()) {
        if (option->get_lnames().empty() || m_word == "-" + name)
          offer("-" + name, option->get_description());
      }
    }
  }

  // `before`: what the word has before the value, as "--runtime=".
  void offer_values(const CLI::Option& option, const std::string& before) {
    const auto type = option.get_type_name();
    m_found.before_path = before;
    for (const auto& value : report::values_of(option)) offer(before + value, "");
    if (type == "KIND") {
      for (const auto& kind : cached::kinds()) offer(std::string(kind.name), std::string(kind.about));
    } else if (type == "BUILDER") {
      for (const auto& name : installed_builders()) offer(before + name, "");
    } else if (option.check_lname("pipeline")) {
      for (const auto& spec : specs()) offer(before + spec.name, "");
    } else if (option.check_lname("input")) {
      offer_named(repos(), before, Paths::folders);
    } else if (option.check_lname("secret")) {
      offer_named(secrets(), before, Paths::files);
    } else if (type.starts_with("DIR")) {
      m_found.paths = Paths::folders;
    } else if (type.starts_with("SPEC") || type == "FILE" || type == "PATH" || option.check_lname("datum")) {
      m_found.paths = Paths::files;
    }
  }

  // "NAME=PATH": the name, then the path.
  void offer_named(const std::set<std::string>& names, const std::string& before, Paths paths) {
    const auto equals = m_word.find('=', before.size());
    if (equals == std::string::npos) {
      for (const auto& name : names) offer(before + name + "=", "");
      return;
    }
    m_found.paths = paths;
    m_found.before_path = m_word.substr(0, equals + 1);
  }

  static std::vector<std::string> installed_builders() {
    const auto own = base::own_folder();
    return own ? contract::installed_builders(contract::builders_folder(*own)) : std::vector<std::string>();
  }

  [[nodiscard]] std::vector<spec::PipelineSpec> specs() const {
    auto files = m_specs;
    if (files.files.empty() && files.jsonnet.empty()) {
      auto found = spec::find_specs(".");
      if (!found || found->size() != 1) return {};
      files.files = std::move(*found);
    }
    auto loaded = files.load();
    return loaded ? std::move(*loaded) : std::vector<spec::PipelineSpec>();
  }

  [[nodiscard]] std::set<std::string> repos() const {
    std::set<std::string> names;
    std::set<std::string> made;
    for (const auto& spec : specs()) {
      made.insert(spec.name);
      for (const auto* input : spec::repo_inputs(spec.input)) {
        if (!input->cron) names.insert(input->repo);
      }
    }
    // What one of these pipelines makes needs no folder.
    for (const auto& name : made) names.erase(name);
    return names;
  }

  [[nodiscard]] std::set<std::string> secrets() const {
    std::set<std::string> names;
    for (const auto& spec : specs()) {
      for (const auto& secret : spec.transform.secrets) names.insert(secret.name);
    }
    return names;
  }

  const CLI::App* m_verb;
  std::string m_word;                     // that is typed
  const CLI::Option* m_option = nullptr;  // whose value comes next
  bool m_is_after_dashes = false;
  bool m_is_help = false;
  SpecFiles m_specs;
  Completions m_found;
};

}  // namespace

Completions complete(const CLI::App& app, const std::vector<std::string>& words) {
  if (words.empty()) return {};
  return Line(app, words).complete();
}

std::string to_text(const Completions& completions) {
  constexpr std::array k_names{"none", "files", "folders"};
  std::string text = k_names.at(static_cast<std::size_t>(completions.paths));
  text += "\t" + completions.before_path + "\n";
  for (const auto& [name, description] : completions.candidates) text += name + "\t" + description + "\n";
  return text;
}

}  // namespace commands
