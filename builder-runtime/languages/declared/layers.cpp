// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/layers.h"

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>

#include "base/credentials.h"
#include "base/digest.h"
#include "base/errors.h"
#include "base/parallel.h"
#include "base/relative_path.h"
#include "base/text.h"
#include "builder-runtime/languages/declared/command_environment.h"
#include "builder-runtime/languages/declared/failures.h"
#include "builder-runtime/languages/declared/fixed_folder.h"
#include "builder-runtime/languages/declared/layer_tree.h"
#include "builder-runtime/languages/declared/packages.h"
#include "builder-runtime/languages/declared/work_copy.h"
#include "builder-runtime/memory.h"
#include "builder-runtime/milestone.h"
#include "contract/environment.h"
#include "contract/layout.h"
#include "report/report.h"

namespace builder::declared {
namespace {

using base::ErrorKind;

// A tool's process needs so much at least where memory is limited.
constexpr std::uint64_t k_process_bytes = std::uint64_t{512} << 20;
constexpr char k_started_program[] = "bin/main";

// Keeps the last lines back that a program says in our own form: they are told as its error.
class OwnLines {
 public:
  std::optional<std::string> filter(std::string_view line) {
    if (is_own_line(line)) {
      m_kept += std::string(line) + "\n";
      return std::nullopt;
    }
    return std::exchange(m_kept, {}) + std::string(line);
  }
  [[nodiscard]] std::string take() { return std::exchange(m_kept, {}); }

 private:
  std::string m_kept;
};

class Making {
 public:
  Making(const LayerContext& context, const PlannedLayer& planned, fs::path tree)
      : m_facts(*context.facts),
        m_tools(*context.tools),
        m_planned(planned),
        m_layer(*planned.what),
        m_tree(std::move(tree)) {}

  base::Result<MadeTree> run(const LayerBelow* below, const std::string& variables) {
    Milestone milestone("compile");
    BASE_TRY(prepare(below));
    BASE_TRY_ASSIGN(auto tree, LayerTree::open(m_tree));
    for (const auto& folder : m_layer.folders) BASE_TRY(tree.make_folder(folder));
    BASE_TRY(copy_of_builder(tree));
    BASE_TRY(copy_files(m_layer.copy, m_facts.files, tree));
    for (const auto& command : m_layer.run) BASE_TRY(run_command(command));
    if (!m_layer.take.empty()) BASE_TRY(take_files(m_layer.take, m_work, tree));
    BASE_TRY(tree.keep(m_layer.keep));
    BASE_TRY(tree.remove(m_layer.remove));
    if (m_layer.program) BASE_TRY(name_program(tree));
    BASE_TRY(tree.make_executable(m_layer.executable));
    for (const auto& [path, target] : m_layer.link) {
      const auto clean = base::clean_path(path);
      BASE_TRY(tree.add_link(target.begins_with("source") ? filled(target, contract::k_source)
                                                          : relative_link(clean, filled(target, "")),
                             clean));
    }
    MadeTree made;
    if (m_layer.packages) {
      BASE_TRY_ASSIGN(made.packages, list_packages(*m_layer.packages, tree, m_facts.files));
    }
    BASE_TRY_ASSIGN(made.libraries, list_libraries(tree));
    if (!variables.empty()) BASE_TRY(base::write_file(m_tree / contract::k_variables_file, variables));
    BASE_TRY(leave_fixed_folder());
    milestone.reached(
        "built " + m_layer.name +
        (made.packages.empty() ? "" : " with " + base::count_of(made.packages.size(), "package")));
    return made;
  }

 private:
  // The folders that the commands are told of.
  base::Status prepare(const LayerBelow* below) {
    const fs::path beside = m_tree.parent_path();
    const auto& cache = m_tools.settings().cache;
    const auto& language = m_facts.builder->language;
    m_cache = cache / language / "tools";
    m_temporary = beside / "tmp";
    m_work = cache / language / "work" /
             base::sha256(m_facts.files.folder().string() + '\0' + m_layer.name).substr(0, 16);
    if (m_layer.has_fixed_path) {
      BASE_TRY_ASSIGN(auto fixed, FixedFolder::make(m_planned.key));
      m_fixed.emplace(std::move(fixed));
      m_given_tree = std::exchange(m_tree, m_fixed->path() / "tree");
      m_work = m_fixed->path() / "work";
      m_temporary = m_fixed->path() / "tmp";
    }
    for (const auto& folder : {m_tree, m_cache, m_temporary})
      BASE_TRY(base::make_folders(folder, base::k_owner_writes));
    if (m_layer.has_work_copy) {
      BASE_TRY_ASSIGN(auto copy, WorkCopy::open(m_work));
      m_copy.emplace(std::move(copy));
      BASE_TRY(m_copy->bring_up_to_date(m_facts.files,
                                        files_of_layer(m_layer, m_planned.manifest, m_facts.files)));
    }
    m_base = beside / "base";
    if (below == nullptr) return base::make_folders(m_base, base::k_owner_writes);
    return uses("base") ? unpack(*below) : base::Status();
  }

  // Of what counts in each key (read_builder_files) alone.
  base::Status copy_of_builder(LayerTree& tree) const {
    if (m_layer.copy_of_builder.empty()) return {};
    BASE_TRY_ASSIGN(const auto own, read_builder_files(m_facts.builder->folder));
    for (const auto& copy : m_layer.copy_of_builder) {
      if (!copied_files(copy, own.files).empty()) continue;
      return base::fail(ErrorKind::bad_input, m_facts.builder->file + ": layer.copy",
                        "no file {builder}/" + copy.from.text(),
                        "files that only the test and the image use cannot be copied: probe/, Dockerfile, …");
    }
    return copy_files(m_layer.copy_of_builder, own.files, tree);
  }

  [[nodiscard]] bool uses(std::string_view name) const {
    const auto has = [&](const TextTemplate& one) { return one.has(name); };
    return std::any_of(
               m_layer.run.begin(), m_layer.run.end(),
               [&](const Templates& command) { return std::any_of(command.begin(), command.end(), has); }) ||
           std::any_of(m_layer.environment.begin(), m_layer.environment.end(),
                       [&](const auto& entry) { return has(entry.second); });
  }

  // By the program that unpacks it for datums, to where they find it.
  base::Status unpack(const LayerBelow& below) {
    const auto& settings = m_tools.settings();
    const auto shim = settings.shim.string();
    const process::Command command{.arguments = {shim, "--build", below.folder.string(), "--environment",
                                                 below.digest, "--exec", "--", shim, "--version"},
                                   .environment = {{"PATH", value_of(settings.environment, "PATH")},
                                                   {contract::k_cache_variable, settings.cache.string()}},
                                   .folder = "/"};
    BASE_TRY_ASSIGN(const auto finished, m_tools.run(command));
    m_base = settings.cache / contract::k_cache_environments / below.digest;
    boost::system::error_code error;
    if (finished.ending.succeeded() && fs::is_directory(m_base, error)) return {};
    return base::fail(ErrorKind::io, m_base.string(), "cannot unpack the layer below");
  }

  [[nodiscard]] std::optional<std::string> value_of_name(const Name& name, const std::string& source) const {
    if (name.name == "tree") return m_tree.string();
    if (name.name == "work") return m_work.string();
    if (name.name == "base") return m_base.string();
    if (name.name == "cache") return m_cache.string();
    if (name.name == "temporary") return m_temporary.string();
    if (name.name == "builder") return m_facts.builder->folder.string();
    if (name.name == "manifest") return m_planned.manifest;
    if (name.name == "variable") return value_of(m_tools.environment(), name.argument);
    if (name.name == "jobs") {
      const auto limit = MemoryGroup::find().limit();
      return std::to_string(share_memory(limit, k_process_bytes, base::processors()).processes);
    }
    return value_of_fact(m_facts, name, source);
  }

  [[nodiscard]] std::string filled(const TextTemplate& text, const std::string& source) const {
    return text.fill([&](const Name& name) { return value_of_name(name, source); });
  }
  [[nodiscard]] std::string filled(const TextTemplate& text) const {
    return filled(text, m_facts.files.folder().string());
  }

  // A path of the layer, as a link at another one has it.
  static std::string relative_link(const std::string& path, const std::string& target) {
    std::string link;
    for (std::size_t i = base::folders_above(path).size(); i > 0; --i) link += "../";
    return link + base::clean_path(target);
  }

  [[nodiscard]] fs::path command_folder() const {
    if (m_layer.folder) return filled(*m_layer.folder);
    return m_layer.has_work_copy ? m_work : m_tree;
  }

  base::Status run_command(const Templates& words) {
    std::vector<std::string> arguments;
    for (const auto& word : words) arguments.push_back(filled(word));
    const std::string shown = arguments.front();
    process::Command command;
    BASE_TRY_ASSIGN(command.arguments, with_program(std::move(arguments), m_facts, m_tools));
    command.environment = command_environment(m_layer.variables, m_tools);
    command.environment["TMPDIR"] = m_temporary.string();
    command.folder = command_folder();
    command.environment["PWD"] = command.folder.string();
    for (const auto& [name, value] : m_layer.environment) command.environment[name] = filled(value);
    boost::system::error_code error;
    if (!fs::is_directory(command.folder, error)) {
      return base::fail(ErrorKind::bad_input, m_facts.builder->file,
                        "no folder " + command.folder.string() + " for the commands of " + m_layer.name);
    }
    const MemoryWatch memory;
    OwnLines own;
    BASE_TRY_ASSIGN(const auto finished,
                    m_tools.run(std::move(command), [&](std::string_view line) { return own.filter(line); }));
    const bool speaks = own_words(finished).has_value();
    if (!speaks) report::output(own.take());
    if (finished.ending.succeeded()) return {};
    // What it said on its standard output is asked for only now.
    report::output(base::hide_credentials(finished.output));
    auto fault = error_of_command(
        finished, {m_layer.place(), fs::path(shown).filename().string(), m_planned.manifest, places()},
        m_facts);
    if (const auto hint = memory.hint_after(finished.ending)) {
      fault.what += ": out of memory";
      fault.hint = *hint;
    }
    return base::fail(std::move(fault));
  }

  [[nodiscard]] std::vector<std::pair<std::string, std::string>> places() const {
    std::vector<std::pair<std::string, std::string>> all;
    if (m_layer.has_work_copy) all.emplace_back(m_work.string(), "");
    all.emplace_back(m_tree.string(), "");
    return all;
  }

  // The program that runs gets a name that run.sh knows.
  base::Status name_program(LayerTree& tree) const {
    BASE_TRY_ASSIGN(const auto made, tree.files({*m_layer.program}));
    std::vector<std::string> names;
    for (const auto& path : made) names.push_back(base::name_of(path));
    const auto& wanted = m_facts.made_program;
    const std::string& where = m_facts.program_place;
    if (made.empty()) {
      return base::fail(ErrorKind::step_failed, m_layer.place(),
                        "did not produce a program matching " + m_layer.program->text());
    }
    std::string chosen = made.front();
    if (!wanted.empty()) {
      const auto found = std::find(names.begin(), names.end(), wanted);
      if (found == names.end()) {
        return base::fail(ErrorKind::bad_input, where, "no program named " + base::quoted(wanted),
                          "available programs: " + base::join(names, ", "));
      }
      chosen = made[static_cast<std::size_t>(found - names.begin())];
    } else if (made.size() > 1) {
      if (m_facts.needs_no_program) return {};
      return base::fail(ErrorKind::bad_input, m_layer.place(),
                        "produced several programs: " + base::join(names, ", "),
                        choice_hint(*m_facts.builder));
    }
    if (chosen == k_started_program) return {};
    if (std::find(made.begin(), made.end(), k_started_program) != made.end()) {
      return base::fail(ErrorKind::bad_input, where,
                        base::quoted(wanted) + " cannot be chosen because another program is named main",
                        "rename the program main");
    }
    return tree.add_link(relative_link(k_started_program, chosen), k_started_program);
  }

  // What was made moves to where it is packed.
  base::Status leave_fixed_folder() {
    if (!m_fixed) return {};
    BASE_TRY(base::remove_tree(m_given_tree));
    if (base::rename_path(m_tree, m_given_tree)) return {};
    BASE_TRY(base::make_folders(m_given_tree, base::k_owner_writes));
    BASE_TRY_ASSIGN(auto to, LayerTree::open(m_given_tree));
    BASE_TRY_ASSIGN(const auto from, LayerTree::open(m_tree));
    return from.copy_to(to);
  }

  const Facts& m_facts;
  const Tools& m_tools;
  const PlannedLayer& m_planned;
  const LayerDescription& m_layer;
  fs::path m_tree;
  fs::path m_given_tree;
  fs::path m_work;
  fs::path m_base;
  fs::path m_cache;
  fs::path m_temporary;
  std::optional<FixedFolder> m_fixed;
  std::optional<WorkCopy> m_copy;
};

}  // namespace

base::Result<MadeTree> make_layer(const LayerContext& context, const PlannedLayer& planned,
                                  const fs::path& tree, const LayerBelow* below,
                                  const std::string& variables) {
  return Making(context, planned, tree).run(below, variables);
}

std::vector<std::vector<std::string>> shown_commands(const Facts& facts, const PlannedLayer& planned) {
  std::vector<std::vector<std::string>> commands;
  for (const auto& command : planned.what->run) {
    auto& words = commands.emplace_back();
    for (const auto& word : command) {
      words.push_back(word.fill([&](const Name& name) -> std::optional<std::string> {
        constexpr std::array<std::string_view, 3> k_known = {"program", "setting", "interpreter"};
        if (name.name == "manifest") return planned.manifest;
        if (std::find(k_known.begin(), k_known.end(), name.name) != k_known.end())
          return value_of_fact(facts, name, "");
        return "{" + name.name + (name.argument.empty() ? "" : ":" + name.argument) + "}";
      }));
    }
  }
  return commands;
}

}  // namespace builder::declared
