// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "base/json_text.h"
#include "base/text.h"
#include "pachbuild/commands/assumed.h"
#include "pachbuild/commands/commands.h"
#include "pachbuild/commands/data_options.h"
#include "pachbuild/local/plan/datum.h"
#include "pachbuild/local/plan/pipelines.h"

namespace commands {
namespace {

using nlohmann::json;

constexpr char k_about_graph[] = R"(
Shows which repos and which results of other pipelines each pipeline reads.

  pachbuild graph -f pipelines
  pachbuild graph -f pipelines -o mermaid
)";

struct GraphOptions {
  SpecFiles specs;
  std::string format = "text";
};

// What one pipeline reads.
struct Node {
  std::string name;
  std::set<std::string> repos;      // that no pipeline writes
  std::set<std::string> pipelines;  // whose results it reads
};

std::vector<Node> nodes_of(const std::vector<spec::PipelineSpec>& specs) {
  std::vector<Node> nodes;
  for (const auto& spec : specs) {
    Node node{spec.name, {}, {}};
    for (const auto* input : spec::repo_inputs(spec.input)) {
      const auto writer = local::find_writer(specs, spec, *input);
      if (writer == specs.size()) {
        node.repos.insert(local::repo_key(*input));
      } else {
        node.pipelines.insert(specs[writer].name);
      }
    }
    nodes.push_back(std::move(node));
  }
  return nodes;
}

// Each pipeline behind those whose results it reads; of a circle in the order of the files.
std::vector<Node> in_order(std::vector<Node> nodes) {
  std::vector<Node> ordered;
  std::set<std::string> known;
  while (!nodes.empty()) {
    auto next = std::find_if(nodes.begin(), nodes.end(), [&](const auto& node) {
      return std::includes(known.begin(), known.end(), node.pipelines.begin(), node.pipelines.end());
    });
    if (next == nodes.end()) next = nodes.begin();
    known.insert(next->name);
    ordered.push_back(std::move(*next));
    nodes.erase(next);
  }
  return ordered;
}

std::string as_text(const std::vector<Node>& nodes) {
  std::string text;
  for (const auto& node : nodes) {
    std::vector<std::string> reads;
    for (const auto& repo : node.repos) reads.push_back(repo);
    for (const auto& pipeline : node.pipelines) reads.push_back("[" + pipeline + "]");
    text += base::join(reads, " + ") + " -> [" + node.name + "]\n";
  }
  return text;
}

// Names may have what these languages take for their own: nodes are numbered.
std::string as_drawing(const std::vector<Node>& nodes, bool is_dot) {
  std::map<std::pair<bool, std::string>, std::string> ids;
  std::string text = is_dot ? "digraph pipelines {\n  rankdir=LR;\n" : "flowchart LR\n";
  const auto add = [&](const std::string& name, bool is_pipeline) {
    const auto [entry, is_new] = ids.try_emplace({is_pipeline, name}, "n" + std::to_string(ids.size()));
    if (!is_new) return entry->second;
    if (is_dot) {
      text += "  " + entry->second + " [label=\"" + name + "\", shape=" + (is_pipeline ? "box" : "cylinder") +
              "];\n";
    } else {
      text += "  " + entry->second + (is_pipeline ? "[\"" + name + "\"]" : "[(\"" + name + "\")]") + "\n";
    }
    return entry->second;
  };
  for (const auto& node : nodes) {
    const auto own = add(node.name, true);
    std::vector<std::string> reads;
    for (const auto& repo : node.repos) reads.push_back(add(repo, false));
    for (const auto& pipeline : node.pipelines) reads.push_back(add(pipeline, true));
    for (const auto& id : reads)
      text += "  " + id + (is_dot ? " -> " : " --> ") + own + (is_dot ? ";\n" : "\n");
  }
  return text + (is_dot ? "}\n" : "");
}

std::string as_json(const std::vector<Node>& nodes) {
  json list = json::array();
  for (const auto& node : nodes) {
    list.push_back({{"pipeline", node.name}, {"repos", node.repos}, {"pipelines", node.pipelines}});
  }
  return base::json_lines(list);
}

base::Result<int> draw(const GraphOptions& options) {
  BASE_TRY_ASSIGN(const auto specs, options.specs.load());
  const auto nodes = in_order(nodes_of(specs));
  std::string text = options.format == "json"   ? as_json(nodes)
                     : options.format == "text" ? as_text(nodes)
                                                : as_drawing(nodes, options.format == "dot");
  std::fputs(text.c_str(), stdout);
  return 0;
}

}  // namespace

void add_graph(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<GraphOptions>();
  auto* verb = app.add_subcommand("graph", "Show what each pipeline reads");
  options->specs.add_to(*verb);
  verb->add_option("-o,--output", options->format, "The output format (default: text)")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"text", "mermaid", "dot", "json"}));
  verb->footer(k_about_graph)->callback([options, &invocation] {
    invocation.action = [options, &invocation]() -> base::Result<int> {
      BASE_TRY(options->specs.settle(invocation));
      show_assumed(invocation);
      return draw(*options);
    };
  });
}

}  // namespace commands
