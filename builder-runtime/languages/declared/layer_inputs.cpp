// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/layer_inputs.h"

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <set>

#include "base/digest.h"
#include "base/errors.h"
#include "base/relative_path.h"
#include "base/text.h"
#include "builder-runtime/languages/declared/command_environment.h"
#include "builder-runtime/languages/declared/layer_tree.h"
#include "builder-runtime/variables.h"

namespace builder::declared {
namespace {

using base::ErrorKind;

constexpr std::size_t k_most_builder_files = 2000;

// At the top of a builder's folder; no command of builder.toml has a use for them.
constexpr std::array<std::string_view, 7> k_beside_builder = {"Dockerfile", "README.md", "build.sh", "run.sh",
                                                              "ci.sh",      "probe",     ".github"};

// A text that is another one after each change of one of the files.
std::string state_of_files(const SourceFiles& files, const std::vector<SourceFile>& chosen) {
  base::Sha256 state;
  for (const auto& file : chosen) {
    state.update_field(file.name);
    state.update_field(state_of_file(files.path_of(file.name)));
  }
  return state.finish();
}

// Files of the image that an absolute pattern means, a part of the path at a time.
void find_in_image(const fs::path& folder, const FilePatterns& parts, std::size_t at,
                   std::set<std::string>& found) {
  boost::system::error_code error;
  if (at == parts.size()) {
    if (fs::is_regular_file(folder, error)) found.insert(folder.string());
    return;
  }
  const auto& pattern = parts[at];
  if (pattern.is_plain()) return find_in_image(folder / pattern.text(), parts, at + 1, found);
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (pattern.matches(entry->path().filename().string(), [] { return std::string(); }))
      find_in_image(entry->path(), parts, at + 1, found);
  }
}

std::vector<const TextTemplate*> templates_of(const LayerDescription& layer) {
  std::vector<const TextTemplate*> all;
  for (const auto& command : layer.run) {
    for (const auto& word : command) all.push_back(&word);
  }
  for (const auto& [name, value] : layer.environment) all.push_back(&value);
  if (layer.folder) all.push_back(&*layer.folder);
  return all;
}

class InputsOfLayer {
 public:
  InputsOfLayer(const Facts& facts, const PlannedLayer& planned, const Tools& tools)
      : m_facts(facts), m_layer(*planned.what), m_planned(planned), m_tools(tools) {}

  base::Result<Inputs> collect(const BuilderFiles& builder, const std::vector<FoundTool>& found) {
    m_inputs.add_value("format", key_base(m_facts.builder->language));
    m_inputs.add_value("layer", m_layer.name);
    add_builder(builder);
    add_tools(found);
    add_variables_of_commands();
    add_names();
    BASE_TRY(add_references());
    BASE_TRY(add_copied());
    BASE_TRY(add_image());
    return std::move(m_inputs);
  }

 private:
  void add_builder(const BuilderFiles& builder) {
    m_inputs.add_files("the builder", m_facts.builder->folder, builder.digest,
                       state_of_files(builder.files, builder.files.all()),
                       [folder = m_facts.builder->folder]() -> base::Result<std::string> {
                         BASE_TRY_ASSIGN(const auto now, read_builder_files(folder));
                         return state_of_files(now.files, now.files.all());
                       });
  }

  void add_tools(const std::vector<FoundTool>& found) {
    for (const auto& tool : found) {
      const bool counts = m_layer.tools ? std::find(m_layer.tools->begin(), m_layer.tools->end(),
                                                    tool.name) != m_layer.tools->end()
                                        : !m_layer.run.empty();
      if (counts) m_inputs.add_tool(tool.name, tool.path, tool.identity);
    }
  }

  void add_variables_of_commands() {
    if (m_layer.run.empty()) return;
    auto declared = m_layer.variables;
    for (const auto* one : templates_of(m_layer)) {
      for (const auto& name : one->names()) {
        if (name.name == "variable") declared.push_back(name.argument);
      }
    }
    add_variables(command_environment(declared, m_tools), m_tools.settings().environment, m_inputs);
  }

  // What templates stand for, but for places.
  void add_names() {
    auto templates = templates_of(m_layer);
    for (const auto& [name, value] : m_facts.builder->start.environment) templates.push_back(&value);
    for (const auto& [name, values] : m_facts.builder->start.prepend) {
      for (const auto& value : values) templates.push_back(&value);
    }
    std::map<std::string, std::string> values;
    for (const auto* one : templates) {
      for (const auto& name : one->names()) {
        if (name.name == "program") values["program"] = m_facts.program.name;
        if (name.name == "setting") values["setting " + name.argument] = m_facts.settings.at(name.argument);
      }
    }
    if (m_layer.program) {
      values["program"] = m_facts.made_program;
      values["needs no program"] = m_facts.needs_no_program ? "true" : "false";
    }
    for (auto& [name, value] : values) m_inputs.add_value(name, std::move(value));
  }

  base::Status add_references() {
    for (const auto& reference : m_layer.when) BASE_TRY(add_presence(reference));
    if (!m_planned.manifest.empty()) BASE_TRY(add_file(m_planned.manifest));
    for (const auto& reference : m_layer.inputs) {
      if (reference.is_value) {
        BASE_TRY_ASSIGN(const auto value, m_facts.files.value_of(reference));
        m_inputs.add_value(reference.described(), base::sha256(canonical_text(value)));
        m_inputs.watch_file(m_facts.files.path_of(base::clean_path(reference.files.text())));
        m_in_parts.insert(base::clean_path(reference.files.text()));
      } else if (reference.files.is_plain()) {
        BASE_TRY(add_file(base::clean_path(reference.files.text())));
      } else {
        BASE_TRY(add_pattern(reference.text, {reference.files}));
      }
    }
    return {};
  }

  // Only whether it is there.
  base::Status add_presence(const Reference& reference) {
    BASE_TRY_ASSIGN(const bool is_there, m_facts.files.has(reference));
    m_inputs.add_value("when " + reference.described(), is_there ? "true" : "false");
    return {};
  }

  base::Status add_file(const std::string& name) {
    if (!m_added.insert(name).second) return {};
    BASE_TRY(m_inputs.add_file(name, m_facts.files.path_of(name)));
    return {};
  }

  base::Status add_pattern(const std::string& name, const FilePatterns& patterns) {
    const auto chosen = m_facts.files.matching(patterns);
    BASE_TRY_ASSIGN(const auto digests, m_facts.files.digests_of(chosen));
    m_inputs.add_files(name, m_facts.files.folder(), digest_of_files(chosen, digests),
                       state_of_files(m_facts.files, chosen),
                       [source = m_facts.files.folder(), builder = m_facts.builder,
                        patterns]() -> base::Result<std::string> {
                         BASE_TRY_ASSIGN(const auto now, SourceFiles::list(source, builder->detect.ignore));
                         return state_of_files(now, now.matching(patterns));
                       });
    return {};
  }

  base::Status add_copied() {
    for (const auto& copy : m_layer.copy) {
      const auto from = base::clean_path(copy.from.text());
      if (!copy.from.is_plain()) {
        BASE_TRY(add_pattern(copy.from.text(), {copy.from}));
      } else if (m_facts.files.has(from)) {
        if (!m_in_parts.contains(from)) BASE_TRY(add_file(from));
      } else if (from.empty()) {
        BASE_TRY(add_pattern("**", {FilePattern::compile("**").value()}));
      } else {
        // A folder, or a file that may come.
        m_inputs.watch_file(m_facts.files.path_of(from));
        BASE_TRY(add_pattern(from, {copy.from, FilePattern::compile(from + "/**").value()}));
      }
    }
    return {};
  }

  base::Status add_image() {
    for (const auto& [text, parts] : m_layer.image) {
      std::set<std::string> found;
      find_in_image("/", parts, 0, found);
      base::Sha256 digest;
      for (const auto& path : found) {
        BASE_TRY_ASSIGN(const std::string content, base::sha256_of_file(path));
        digest.update_field(path);
        digest.update_field(content);
      }
      m_inputs.add_value(text, found.empty() ? "matches no file" : digest.finish());
    }
    return {};
  }

  const Facts& m_facts;
  const LayerDescription& m_layer;
  const PlannedLayer& m_planned;
  const Tools& m_tools;
  Inputs m_inputs;
  std::set<std::string> m_in_parts;  // files of which values count instead
  std::set<std::string> m_added;
};

constexpr char k_source_has_no[] = "the source has no ";

// Why a layer is not made; its manifest where it is.
base::Result<std::string> find_reason(const LayerDescription& layer, const Facts& facts,
                                      std::string& manifest) {
  if (!layer.when.empty()) {
    BASE_TRY_ASSIGN(const bool applies, facts.files.has_any(layer.when));
    std::vector<std::string> texts;
    for (const auto& reference : layer.when) texts.push_back(reference.described());
    if (!applies) return k_source_has_no + base::join(texts, ", ", " or ");
  }
  if (layer.manifest.empty()) return std::string();
  for (const auto& name : layer.manifest) {
    if (!facts.files.has(base::clean_path(name))) continue;
    manifest = base::clean_path(name);
    return std::string();
  }
  return k_source_has_no + base::join(layer.manifest, ", ", " or ");
}

base::Status check_needs(const LayerDescription& layer, const SourceFiles& files) {
  for (const auto& [name, hint] : layer.needs) {
    if (!files.has(base::clean_path(name)))
      return base::fail(ErrorKind::bad_input, name, "missing from the source", hint);
  }
  return {};
}

}  // namespace

base::Result<BuilderFiles> read_builder_files(const fs::path& folder) {
  BASE_TRY_ASSIGN(const auto all, SourceFiles::list(folder, {}));
  std::vector<SourceFile> chosen;
  for (const auto& file : all.all()) {
    const auto top = base::split(file.name, '/').front();
    if (std::find(k_beside_builder.begin(), k_beside_builder.end(), top) == k_beside_builder.end())
      chosen.push_back(file);
  }
  if (chosen.size() > k_most_builder_files) {
    return base::fail(ErrorKind::bad_input, folder.string(),
                      "has " + base::count_of(chosen.size(), "file") + "; the limit is " +
                          base::format_number(k_most_builder_files),
                      "give the builder its own folder");
  }
  BASE_TRY_ASSIGN(const auto digests, all.digests_of(chosen));
  return BuilderFiles{all.with(chosen), digest_of_files(chosen, digests)};
}

base::Result<std::vector<PlannedLayer>> plan_layers(const Facts& facts, const BuilderFiles& builder,
                                                    const std::vector<FoundTool>& found, const Tools& tools) {
  std::vector<PlannedLayer> planned;
  const PlannedLayer* below = nullptr;
  std::set<std::string> made;
  planned.reserve(facts.builder->layers.size());
  for (const auto& layer : facts.builder->layers) {
    PlannedLayer one{.what = &layer};
    BASE_TRY_ASSIGN(one.reason, find_reason(layer, facts, one.manifest));
    if (one.reason.empty() && made.contains(layer.name)) one.reason = "an alternative before it applies";
    if (one.reason.empty()) {
      BASE_TRY(check_needs(layer, facts.files));
      BASE_TRY_ASSIGN(one.inputs, InputsOfLayer(facts, one, tools).collect(builder, found));
      if (below != nullptr) one.inputs.add(below->inputs);
      one.is_second = below != nullptr;
      one.key = one.inputs.key();
      made.insert(layer.name);
    }
    planned.push_back(std::move(one));
    if (planned.back().reason.empty()) below = &planned.back();
  }
  return planned;
}

std::vector<SourceFile> files_of_layer(const LayerDescription& layer, const std::string& manifest,
                                       const SourceFiles& files) {
  std::set<std::string> names;
  if (!manifest.empty()) names.insert(manifest);
  for (const auto& reference : layer.inputs) {
    for (const auto& file : files.matching(reference.files)) names.insert(file.name);
  }
  for (const auto& copy : layer.copy) {
    for (const auto& [file, path] : copied_files(copy, files)) names.insert(file.name);
  }
  std::vector<SourceFile> chosen;
  std::copy_if(files.all().begin(), files.all().end(), std::back_inserter(chosen),
               [&](const SourceFile& file) { return names.contains(file.name); });
  return chosen;
}

}  // namespace builder::declared
