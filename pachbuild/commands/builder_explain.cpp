// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/errors.h"
#include "base/files.h"
#include "base/json_text.h"
#include "base/text.h"
#include "contract/builders.h"
#include "contract/layout.h"
#include "pachbuild/commands/builder.h"
#include "pachbuild/commands/interruptible.h"
#include "pachbuild/local/session/environment.h"
#include "pachbuild/local/session/explanation.h"
#include "pachbuild/spec/pipeline_spec.h"

namespace commands {
namespace {

namespace fs = base::fs;
using base::ErrorKind;
using Json = nlohmann::ordered_json;

constexpr char k_about_builder_explain[] = R"(
Shows what a builder would do with a source, without doing it: which program it finds, which tools it uses, which files
it checks, and for each layer its inputs, its key, and whether it is in the cache that pachbuild run uses. The builder is
a folder with a builder.toml, the name of a builder that is installed with pachbuild, or an image of a builder that has a
builder.toml.

  pachbuild builder explain ./lua --source ./source
  pachbuild builder explain ./lua --source ./source --all     also the paths, and variables that are not part of a key
  pachbuild builder explain ./lua --source ./source -o json
  pachbuild builder explain lua-builder:1 --source ./source
)";

struct BuilderExplainOptions {
  std::string builder;
  std::string source = ".";
  std::string format = "text";
  bool all = false;
  ImageOptions image;
};

// Those that have a builder.toml.
std::vector<std::string> installed_builders() {
  const auto own = base::own_folder();
  return own ? contract::installed_builders(contract::builders_folder(*own)) : std::vector<std::string>();
}

bool is_one_of(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

base::Result<local::ExplainedBuilder> find_explained(const BuilderExplainOptions& options,
                                                     process::Interruption& interruption) {
  const auto declared = installed_builders();
  if (is_one_of(declared, options.builder)) return local::ExplainedBuilder{.language = options.builder};
  if (is_one_of(spec::official_languages(), options.builder)) {
    return base::fail(ErrorKind::usage, options.builder, "is built in: it has no builder.toml to explain",
                      "builder-runtime --inputs --source DIR lists what its builds depend on");
  }
  BASE_TRY_ASSIGN(const bool is_here, is_builder_folder(options.builder));
  if (!is_here) {
    auto container = options.image.find(options.builder, interruption, "folder, installed builder");
    if (container) return local::ExplainedBuilder{.container = std::move(*container)};
    if (container.error().kind == ErrorKind::unavailable)
      container.error().hint += "; installed builders: " + base::join(declared, ", ");
    return base::fail(std::move(container).error());
  }
  const fs::path folder = fs::canonical(options.builder);
  boost::system::error_code error;
  if (fs::is_regular_file(folder / contract::k_builder_file, error))
    return local::ExplainedBuilder{.folder = folder};
  return base::fail(ErrorKind::bad_input, options.builder, "has no builder.toml",
                    "a build.sh shows what it does only when it runs: use pachbuild builder test --log");
}

// A builder-runtime of an image is free to say anything.
std::string text_of(const Json& table, const char* key) {
  const auto found = table.find(key);
  return found != table.end() && found->is_string() ? found->get<std::string>() : "";
}

// A source is built in /pfs/source: the person knows its files by another name.
void name_source(Json& document, const std::string& source) {
  constexpr std::string_view k_built = contract::k_source;
  for (auto& layer : document["layers"]) {
    if (!layer.contains("inputs")) continue;
    for (auto& input : layer["inputs"]) {
      const auto path = text_of(input, "path");
      if (path == k_built || path.starts_with(std::string(k_built) + "/"))
        input["path"] = source + path.substr(k_built.size());
    }
  }
}

const Json& part_of(const Json& table, const char* key) {
  static const Json absent;
  const auto found = table.find(key);
  return found == table.end() ? absent : *found;
}

std::string quoted_word(const Json& value) {
  return value.is_string() ? base::shell_quote(value.get<std::string>()) : value.dump();
}

std::string quoted_words(const Json& list) {
  std::vector<std::string> words;
  for (const auto& item : list) words.push_back(quoted_word(item));
  return base::join(words, " ");
}

// The document as sentences for people.
class Account {
 public:
  Account(const Json& document, bool all) : m_document(document), m_all(all) {}

  std::string text() {
    const auto& builder = part_of(m_document, "builder");
    add(0, "builder: " + text_of(builder, "language") + ", " + text_of(builder, "summary") + " (" +
               text_of(builder, "folder") + ")");
    add_program(part_of(m_document, "detected"));
    add_variables(0, "settings", part_of(m_document, "settings"));
    add_each("tools", [this](const Json& tool) { add(1, shown_tool(tool)); });
    add_each("checks", [this](const Json& check) { add(1, shown_check(check)); });
    for (const auto& layer : part_of(m_document, "layers")) add_layer(layer);
    const auto& start = part_of(m_document, "start");
    add(0, "start: " + quoted_words(part_of(start, "command")));
    if (const auto folder = text_of(start, "folder"); !folder.empty()) add(1, "folder: " + folder);
    add_variables(1, "environment", part_of(start, "environment"));
    return std::move(m_text);
  }

 private:
  void add(std::size_t depth, const std::string& line) {
    m_text += std::string(2 * depth, ' ') + base::printable(line) + "\n";
  }

  template <class Add>
  void add_each(const char* key, const Add& add_one) {
    const auto& list = part_of(m_document, key);
    if (list.empty()) return;
    add(0, std::string(key) + ":");
    for (const auto& item : list) add_one(item);
  }

  void add_program(const Json& detected) {
    const auto chosen = text_of(detected, "chosen");
    const auto missing = text_of(detected, "no program");
    if (const auto program = text_of(detected, "program"); !program.empty())
      add(0, "program: " + program + (chosen.empty() ? "" : " (" + chosen + ")"));
    if (!missing.empty()) add(0, "program: none; " + missing);
  }

  // A list begins with its part: what the image has follows.
  void add_variables(std::size_t depth, const std::string& name, const Json& table) {
    if (table.empty()) return;
    add(depth, name + ":");
    for (const auto& [key, value] : table.items()) {
      const bool is_list = key.starts_with('+');
      const auto variable = is_list ? key.substr(1) : key;
      add(depth + 1, variable + "=" + quoted_word(value) + (is_list ? ":$" + variable : ""));
    }
  }

  static std::string shown_tool(const Json& tool) {
    const auto version = text_of(tool, "version");
    const auto wanted = text_of(tool, "wanted");
    return text_of(tool, "name") + (version.empty() ? "" : " " + version) + " (" + text_of(tool, "path") +
           ")" + (wanted.empty() ? "" : ", the source needs " + wanted);
  }

  static std::string shown_check(const Json& check) {
    const auto& count = part_of(check, "count");
    const auto& changed = part_of(check, "changed");
    return quoted_words(part_of(check, "files")) + ": " + count.dump() + (count == 1 ? " file" : " files") +
           (changed == 0 ? "" : ", " + changed.dump() + " to check") + ", by a " + text_of(check, "by");
  }

  void add_layer(const Json& layer) {
    const auto title = "layer " + text_of(layer, "name") + ": ";
    if (const auto reason = text_of(layer, "reason"); !reason.empty())
      return add(0, title + "not built: " + reason);
    add(0, title + (part_of(layer, "cached") == true ? "in the cache" : "not in the cache"));
    add(1, "key: " + text_of(layer, "key"));
    if (const auto manifest = text_of(layer, "manifest"); !manifest.empty()) add(1, "manifest: " + manifest);
    for (const auto& command : part_of(layer, "commands")) add(1, "command: " + quoted_words(command));
    add(1, "inputs:");
    // Those of the layer below are among them.
    if (const auto below = text_of(layer, "over"); !below.empty()) add(2, "all inputs of layer " + below);
    add_inputs(part_of(layer, "inputs"));
  }

  // A line for each input that counts, and the others by their number.
  void add_inputs(const Json& inputs) {
    std::size_t uncounted = 0;
    for (const auto& input : inputs) {
      if (!m_all && part_of(input, "in_key") == false) {
        ++uncounted;
        continue;
      }
      const auto path = m_all ? text_of(input, "path") : "";
      add(2, text_of(input, "kind") + " " + text_of(input, "name") + ": " + text_of(input, "value") +
                 (path.empty() ? "" : " (" + path + ")"));
    }
    if (uncounted > 0)
      add(2, "not in the key: " + base::count_of(uncounted, "input") + " (--all lists them)");
  }

  const Json& m_document;
  bool m_all;
  std::string m_text;
};

base::Result<int> explain_builder(const BuilderExplainOptions& options, process::Interruption& interruption) {
  boost::system::error_code error;
  if (!fs::is_directory(options.source, error))
    return base::fail(ErrorKind::usage, "--source " + options.source, "is not a folder");
  BASE_TRY_ASSIGN(const auto builder, find_explained(options, interruption));
  BASE_TRY_ASSIGN(const auto cache, local::cache_folder());
  BASE_TRY_ASSIGN(auto answer, local::explain_build(builder, options.source, cache, interruption));
  auto document = Json::parse(answer, nullptr, false);
  if (!document.is_object()) {
    return base::fail(ErrorKind::unavailable, options.builder, "returned invalid JSON",
                      "its builder-runtime may be older: use the one from this version of pachbuild");
  }
  name_source(document, fs::canonical(options.source).string());
  if (options.format == "json") {
    answer = base::json_lines(document);
  } else {
    answer = Account(document, options.all).text();
  }
  std::fputs(answer.c_str(), stdout);
  std::fflush(stdout);
  return 0;
}

}  // namespace

void add_builder_explain(CLI::App& builder, Invocation& invocation) {
  auto options = std::make_shared<BuilderExplainOptions>();
  auto* verb = builder.add_subcommand("explain", "Show what a builder would do with a source");
  verb->add_option("DIR|IMAGE|NAME", options->builder,
                   "The builder: a folder, an installed builder (not python or go) or an image")
      ->type_name("DIR|IMAGE|NAME")
      ->required();
  verb->add_option("--source", options->source, "The source (default: the current folder)")->type_name("DIR");
  verb->add_option("-o,--output", options->format, "The output format (default: text)")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"text", "json"}));
  verb->add_flag("--all", options->all,
                 "Show all inputs, including those that are not part of a key, with their paths");
  options->image.add_to(*verb);
  verb->footer(k_about_builder_explain)->callback([options, &invocation] {
    invocation.action = [options] {
      return until_interrupted(
          [&](process::Interruption& interruption) { return explain_builder(*options, interruption); });
    };
  });
}

}  // namespace commands
