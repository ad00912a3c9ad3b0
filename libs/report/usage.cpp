// SPDX-License-Identifier: Apache-2.0
#include "report/usage.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

#include "base/near.h"
#include "base/text.h"
#include "report/help_lines.h"

namespace report {
namespace {

using base::ErrorKind;

constexpr char k_may_be_empty[] = "may be empty";  // the name of a check which accepts everything

std::string see_help(const CLI::App& verb) { return "see " + full_name(verb) + " --help"; }

base::Error fault(const CLI::App& verb, std::string where, std::string what) {
  return {ErrorKind::usage, std::move(where), std::move(what), see_help(verb)};
}

// The verbs below `verb` on all levels whose last word is `word`: "cache clean".
void find_below(const CLI::App& verb, const std::string& word, const std::string& above,
                std::vector<std::string>& found) {
  for (const auto* each : verb.get_subcommands([](const CLI::App*) { return true; })) {
    const auto name = above + each->get_name();
    if (each->get_name() == word) found.push_back(name);
    find_below(*each, word, name + " ", found);
  }
}

// The hint for a word that is not a verb here.
std::string hint_for(const CLI::App& verb, const std::string& word, const std::vector<std::string>& names) {
  const auto otherwise = see_help(verb);
  if (word.starts_with('-')) return base::did_you_mean(word, names, otherwise);
  std::vector<std::string> below;
  find_below(verb, word, "", below);
  if (below.empty()) return base::did_you_mean(word, names, otherwise);
  for (auto& each : below) each = base::quoted(each);
  return "did you mean " + base::join(below, " or ") + "?";
}

// What stands for a value in --help: "DIR".
std::string form_of(const CLI::Option& option) {
  const auto values = values_of(option);
  if (!values.empty()) return base::join(values, ", ", " or ");
  const auto type = option.get_type_name();
  return type.substr(0, type.find(':'));
}

// The checks of an option: CLI11 does not tell how many there are.
std::vector<const CLI::Validator*> checks_of(CLI::Option& option) {
  std::vector<const CLI::Validator*> checks;
  try {
    for (int i = 0;; ++i) checks.push_back(option.get_validator(i));
  } catch (const CLI::OptionNotFound&) {
    return checks;
  }
}

// The first value that a check of its option refuses.
std::optional<base::Error> refused_value(CLI::App& verb) {
  for (auto* option : verb.get_options()) {
    const auto name = option->get_name();
    const auto values = values_of(*option);
    for (const auto* check : checks_of(*option)) {
      for (auto value : option->results()) {
        const auto given = value;
        const auto what = (*check)(value);
        if (what.empty()) continue;
        auto error = fault(verb, name + " " + given, what);
        if (values.empty()) return error;
        error.what = "must be " + form_of(*option);
        error.hint = base::did_you_mean(given, values, error.hint);
        return error;
      }
    }
  }
  return std::nullopt;
}

// Of a value that is not one of its option's type, which the message names. A flag has none.
base::Error inconvertible(const CLI::App& verb, const CLI::ConversionError& error) {
  for (const auto* option : verb.get_options()) {
    const auto name = option->get_name();
    if (!base::contains(error.what(), ": " + name + " = ")) continue;
    if (option->get_items_expected_max() == 0) return fault(verb, name, "does not take a value");
    return fault(verb, name + " " + option->results().back(), "must be a number");
  }
  return fault(verb, "", "invalid value");
}

base::Error no_value(const CLI::App& verb, const CLI::Option& option) {
  return fault(verb, option.get_name(), "requires a value (" + form_of(option) + ")");
}

// The option whose number of values is wrong: the message begins with its name.
base::Error miscounted(const CLI::App& verb, const CLI::ArgumentMismatch& error) {
  for (const auto* option : verb.get_options()) {
    const auto name = option->get_name();
    if (!std::string_view(error.what()).starts_with(name + ":")) continue;
    const auto count = static_cast<int>(option->results().size());
    if (count > option->get_items_expected_max()) return fault(verb, name, "may be given only once");
    return no_value(verb, *option);
  }
  return fault(verb, "", "wrong number of values");
}

base::Error missing(const CLI::App& verb) {
  for (const auto* option : verb.get_options()) {
    if (option->get_required() && option->count() == 0)
      return fault(verb, "", option->get_name() + " is required");
  }
  return fault(verb, verb.get_name(), "a command is required");
}

// Options of which one needs or excludes another.
base::Error unfit(const CLI::App& verb) {
  for (const auto* option : verb.get_options()) {
    if (option->count() == 0) continue;
    for (const auto* other : option->get_needs()) {
      if (other->count() == 0) return fault(verb, option->get_name(), "requires " + other->get_name());
    }
    for (const auto* other : option->get_excludes()) {
      if (other->count() > 0)
        return fault(verb, option->get_name(), "cannot be used with " + other->get_name());
    }
  }
  return fault(verb, "", "these options cannot be used together");
}

// In a fixed order: CLI11 keeps the options of a set by their addresses.
std::vector<std::string> names_of_options(const std::set<CLI::Option*>& options) {
  std::vector<std::string> names;
  for (const auto* option : options) names.push_back(option->get_name());
  std::sort(names.begin(), names.end());
  return names;
}

// An argument is called by what stands for it: its name and its form are the same word. One that an option
// can give as well is explained there.
class HelpForm : public CLI::Formatter {
 public:
  HelpForm() {
    label("SUBCOMMAND", "COMMAND");
    label("Positionals", "Arguments");
  }

  void add_after_dashes(const CLI::App& verb, const std::string& form) { m_after_dashes[&verb] = form; }

  std::string make_usage(const CLI::App* app, std::string name) const override {
    auto text = CLI::Formatter::make_usage(app, std::move(name));
    if (const auto found = m_after_dashes.find(app); found != m_after_dashes.end())
      text.insert(text.size() - 1, " [-- " + found->second + "]");
    return text;
  }

  std::string make_option_usage(const CLI::Option* option) const override {
    auto text = CLI::Formatter::make_option_usage(option);
    if (!option->get_allow_extra_args()) base::replace_all(text, "...", "");
    return text;
  }

  // What stands for the value. An option has to be repeated for several values, as its text says.
  std::string make_option_opts(const CLI::Option* option) const override {
    if (option->get_type_size() == 0) return "";
    const auto values = values_of(*option);
    const auto form = values.empty() ? option->get_type_name() : base::join(values, "|");
    return form.empty() ? "" : " " + form;
  }

  std::string make_option_desc(const CLI::Option* option) const override {
    std::vector<std::string> notes;
    if (option->get_required()) notes.emplace_back("required");
    if (!option->get_envname().empty()) notes.push_back("default: $" + option->get_envname());
    if (const auto needed = names_of_options(option->get_needs()); !needed.empty())
      notes.push_back("only with " + base::join(needed, ", ", " and "));
    if (const auto excluded = names_of_options(option->get_excludes()); !excluded.empty())
      notes.push_back("not with " + base::join(excluded, ", ", " or "));
    auto text = option->get_description();
    if (notes.empty()) return text;
    const auto more = base::join(notes, "; ");
    if (!text.ends_with(')')) return text + " (" + more + ")";
    text.pop_back();
    return text + "; " + more + ")";
  }

  // The usage line says which arguments are required.
  std::string make_option(const CLI::Option* option, bool is_positional) const override {
    const auto name = make_option_name(option, is_positional);
    if (!is_positional) return entry(name + make_option_opts(option), make_option_desc(option));
    if (option->nonpositional()) {
      const auto other = "--" + option->get_lnames().front();
      const bool may_repeat = option->get_items_expected_max() > 1;
      return entry(name, "Same as " + other + (may_repeat ? "; for more than one, repeat " + other : ""));
    }
    const bool takes_several = option->get_expected_max() >= CLI::detail::expected_max_vector_size;
    return entry(name + (takes_several ? "..." : ""), option->get_description());
  }

  // CLI11 names the group, and no label changes that.
  std::string make_subcommands(const CLI::App* app, CLI::AppFormatMode mode) const override {
    auto text = CLI::Formatter::make_subcommands(app, mode);
    base::replace_all(text, "\nSubcommands:\n", "\nCommands:\n");
    return text;
  }

  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override {
    auto text = CLI::Formatter::make_help(app, std::move(name), mode);
    while (base::contains(text, "\n\n\n")) base::replace_all(text, "\n\n\n", "\n\n");
    return text;
  }

  std::string make_footer(const CLI::App* app) const override { return fold_help(app->get_footer()); }

  std::string make_description(const CLI::App* app) const override {
    return fold_help(CLI::Formatter::make_description(app));
  }

  std::string make_subcommand(const CLI::App* verb) const override {
    return entry(verb->get_display_name(true), verb->get_description());
  }

 private:
  // A name, and beside it a text in lines.
  [[nodiscard]] std::string entry(const std::string& name, const std::string& text) const {
    std::stringstream lines;
    CLI::detail::format_help(lines, name, in_lines(text, k_help_columns - column_width_), column_width_);
    return lines.str();
  }

  std::map<const CLI::App*, std::string> m_after_dashes;
};

}  // namespace

void set_help_form(CLI::App& app) { app.formatter(std::make_shared<HelpForm>()); }

void add_usage_after_dashes(const CLI::App& verb, const std::string& form) {
  dynamic_cast<HelpForm&>(*verb.get_formatter()).add_after_dashes(verb, form);
}

std::string full_name(const CLI::App& verb) {
  return (verb.get_parent() != nullptr ? full_name(*verb.get_parent()) + " " : "") + verb.get_name();
}

CLI::App& reached_verb(CLI::App& app) {
  const auto verbs = app.get_subcommands();
  return verbs.empty() ? app : reached_verb(*verbs.back());
}

base::Error unknown_word(const CLI::App& verb, const std::string& word) {
  const auto verbs = verb.get_subcommands([](const CLI::App*) { return true; });
  std::vector<std::string> names;
  std::string what;
  const bool is_option = word.starts_with('-');
  const auto name = is_option ? word.substr(0, word.find('=')) : word;
  if (is_option) {
    for (const auto* option : verb.get_options()) {
      for (const auto& each : option->get_lnames()) names.push_back("--" + each);
    }
    what = "unknown option " + name;
  } else {
    for (const auto* each : verbs) names.push_back(each->get_name());
    what = (verbs.empty() ? "unexpected argument " : "unknown command ") + name;
  }
  return {ErrorKind::usage, "", what, hint_for(verb, name, names)};
}

// What was given and is not known says more than what is therefore missing.
base::Error usage_error(CLI::App& app, const CLI::ParseError& error) {
  auto& verb = reached_verb(app);
  const auto unknown = app.remaining(/*recurse=*/true);
  if (!unknown.empty()) return unknown_word(verb, unknown.front());
  if (const auto refused = refused_value(verb)) return *refused;
  if (const auto* count = dynamic_cast<const CLI::ArgumentMismatch*>(&error)) return miscounted(verb, *count);
  if (const auto* value = dynamic_cast<const CLI::ConversionError*>(&error))
    return inconvertible(verb, *value);
  return dynamic_cast<const CLI::RequiredError*>(&error) != nullptr ? missing(verb) : unfit(verb);
}

base::Status check_values(CLI::App& app) {
  auto& verb = reached_verb(app);
  for (auto* option : verb.get_options()) {
    const auto& values = option->results();
    // A positional argument has a use, and an error of its own, when it is empty.
    const bool is_left_alone = option->get_items_expected_max() == 0 || option->get_positional();
    if (is_left_alone || std::find(values.begin(), values.end(), "") == values.end()) continue;
    const auto checks = checks_of(*option);
    const auto allows = [](const CLI::Validator* check) { return check->get_name() == k_may_be_empty; };
    if (std::any_of(checks.begin(), checks.end(), allows)) continue;
    return base::fail(no_value(verb, *option));
  }
  return {};
}

void allow_empty(CLI::Option& option) {
  option.check(CLI::Validator([](const std::string&) { return std::string(); }, "", k_may_be_empty));
}

std::vector<std::string> values_of(const CLI::Option& option) {
  const auto type = option.get_type_name();
  const auto open = type.find('{');
  const auto close = type.find('}', open);
  if (close == std::string::npos) return {};
  return base::split(type.substr(open + 1, close - open - 1), ',');
}

void check_whole_number(CLI::Option& option, int least, int most) {
  const auto what = "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most);
  option.check(CLI::Validator(
      [=](const std::string& value) {
        const auto number = base::parse_number(value);
        const bool fits = number && *number >= static_cast<std::uint64_t>(least) &&
                          *number <= static_cast<std::uint64_t>(most);
        return fits ? std::string() : what;
      },
      ""));
}

void read_size(CLI::Option& option) {
  const CLI::AsSizeValue read(/*kb_is_1000=*/false);
  option.transform(CLI::Validator(
      [=](std::string& value) {
        auto bytes = value;
        constexpr char k_what[] = "must be a size such as 20GiB or 500MiB";
        if (base::contains(value, '-')) return std::string(k_what);
        try {
          static_cast<void>(read(bytes));
        } catch (const CLI::ValidationError&) {
          return std::string(k_what);
        }
        value = std::move(bytes);
        return std::string();
      },
      ""));
}

}  // namespace report
