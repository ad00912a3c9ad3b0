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

// A line for each input that counts, and the others by their number. Those of the layer below are among them.
void shorten(Json& document) {
  for (auto& layer : document["layers"]) {
    if (!layer.contains("inputs")) continue;
    Json inputs = Json::object();
    if (layer.contains("over")) inputs["all of layer"] = layer["over"];
    layer.erase("over");
    std::size_t uncounted = 0;
    for (const auto& input : layer["inputs"]) {
      if (input.contains("in_key") && input["in_key"] == false) {
        ++uncounted;
      } else {
        inputs[text_of(input, "kind") + " " + text_of(input, "name")] = text_of(input, "value");
      }
    }
    if (uncounted > 0) inputs["not in the key"] = base::count_of(uncounted, "input") + " (--all lists them)";
    layer["inputs"] = std::move(inputs);
  }
}

// A line for each value, below its name: lists and tables are indented.
void add_lines(std::string& text, const std::string& name, const Json& value, std::size_t depth) {
  const std::string indent(2 * depth, ' ');
  const auto is_flat = [](const Json& item) { return !item.is_structured(); };
  const auto shown = [](const Json& item) {
    return base::printable(item.is_string() ? item.get<std::string>() : item.dump());
  };
  if (value.is_array() && std::all_of(value.begin(), value.end(), is_flat)) {
    std::vector<std::string> words;
    for (const auto& item : value)
      words.push_back(item.is_string() ? base::shell_quote(shown(item)) : shown(item));
    text += indent + name + ": " + (words.empty() ? "none" : base::join(words, " ")) + "\n";
  } else if (value.is_array()) {
    for (const auto& item : value) add_lines(text, name, item, depth);
  } else if (value.is_object()) {
    text += indent + name + (value.empty() ? ": none" : ":") + "\n";
    for (const auto& [key, item] : value.items()) add_lines(text, base::printable(key), item, depth + 1);
  } else {
    text += indent + name + ": " + shown(value) + "\n";
  }
}

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
    if (!options.all) shorten(document);
    if (auto& start = document["start"]; text_of(start, "folder").empty()) start.erase("folder");
    answer.clear();
    for (const auto& [key, value] : document.items()) add_lines(answer, base::printable(key), value, 0);
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
