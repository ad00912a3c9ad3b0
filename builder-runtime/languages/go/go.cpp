// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/go/go.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <memory>
#include <set>
#include <thread>

#include "base/digest.h"
#include "base/elf_needs.h"
#include "base/errors.h"
#include "base/mapped_file.h"
#include "base/merge_conflict.h"
#include "base/parallel.h"
#include "base/text.h"
#include "builder-runtime/compilers.h"
#include "builder-runtime/languages/go/build_folder.h"
#include "builder-runtime/languages/go/build_info.h"
#include "builder-runtime/languages/go/library.h"
#include "builder-runtime/languages/go/module.h"
#include "builder-runtime/languages/go/network.h"
#include "builder-runtime/languages/go/program.h"
#include "builder-runtime/languages/go/tree.h"
#include "builder-runtime/languages/go/variables.h"
#include "builder-runtime/memory.h"
#include "builder-runtime/milestone.h"
#include "builder-runtime/source/data.h"
#include "builder-runtime/variables.h"
#include "contract/layout.h"
#include "report/report.h"

namespace builder::go {
namespace {

using base::ErrorKind;

constexpr char k_go_hint[] = "install Go (https://go.dev/dl), or build in an image that has it";
constexpr char k_program[] = "main";

// Caches below ours; no workspace and no packages of folders outside of the source.
process::Environment go_environment(const fs::path& source, const Program& program,
                                    const GoVariables& variables, const Tools& tools) {
  auto environment = tools.environment();
  variables.put_into(environment);
  const fs::path cache = tools.settings().cache / "go";
  environment.emplace("GOCACHE", (cache / "build").string());
  environment.emplace("GOMODCACHE", (cache / "mod").string());
  environment["GOPATH"] = (cache / "path").string();
  environment["GOWORK"] =
      program.layout == Layout::workspace ? (program.home_in(source) / "go.work").string() : "off";
  // Go takes the current folder's name from here, so that messages have the path that the user knows.
  environment["PWD"] = program.home_in(source).string();
  return environment;
}

// What this very go program is, whatever the environment and the go.mod ask for.
base::Result<Toolchain> find_toolchain(const Source& source, const Tools& tools) {
  BASE_TRY_ASSIGN(const std::string go, tools.find_tool("go", k_go_hint));
  BASE_TRY_ASSIGN(
      const std::string answer,
      tools.ask({go, "version"}, {{"GOTOOLCHAIN", "local"}, {"GOENV", "off"}, {"HOME", "/"}}, source.folder));
  // "go version go1.26.8 linux/amd64"
  const auto words = base::split(base::trim(answer), ' ');
  if (words.size() < 4)
    return base::fail(ErrorKind::unavailable, go, "does not report its version", k_go_hint);
  return Toolchain{go, words[2]};
}

// The files that flags name: "-modfile=…", "-overlay=…", "-pgo=…" and whatever Go may have besides.
base::Status add_files_of_flags(const GoVariables& variables, const fs::path& folder, Inputs& inputs) {
  for (const auto& flag : variables.flags()) {
    if (flag.value.empty()) continue;
    const fs::path file = fs::absolute(flag.value, folder);
    if (!is_file(file)) continue;
    const std::string name = "GOFLAGS: -" + flag.name;
    BASE_TRY(inputs.add_file(name, file));
    if (flag.name == "modfile") {
      fs::path sums = file;
      BASE_TRY(inputs.add_file(name + ", go.sum", sums.replace_extension(".sum")));
    }
    if (flag.name != "overlay") continue;
    BASE_TRY_ASSIGN(const auto overlay, data::read_json(file, file.string()));
    for (const auto& [replaced, by] : overlay.at("Replace").members) {
      if (!by.scalar.empty())
        BASE_TRY(inputs.add_file(name + ": " + replaced, fs::absolute(by.scalar, folder)));
    }
  }
  return {};
}

// Whether a C compiler may have a part in it: more is not known before Go is asked.
bool may_use_c(const Tree& tree, const Decision& decision) {
  const auto& variables = decision.variables;
  return variables.may_use_c() &&
         (!variables.value("CGO_ENABLED").empty() || tree.has_c || variables.needs_c() ||
          !foreign_imports(tree, decision.program.module).empty());
}

// Go and how it is set up: all but the source.
base::Result<Inputs> inputs_of_machine(const Source& source, const Decision& decision, const Tools& tools) {
  Inputs inputs;
  const auto& program = decision.program;
  const auto& variables = decision.variables;
  const auto& toolchain = decision.toolchain;
  const auto environment = go_environment(source.folder, program, variables, tools);
  inputs.add_value("format", key_base("go"));
  inputs.add_tool("go", toolchain.go, Tools::identity(toolchain.go, toolchain.version));
  auto counted = environment;
  // Of a go.work only its place in the source counts, which the program's home is.
  counted.erase("GOWORK");
  inputs.add_variable("GOWORK", program.layout == Layout::workspace ? program.home : "off");
  // What the source says of them counts whatever they are.
  for (const auto& [name, value] : source.settings.go.environment) {
    counted.erase(name);
    inputs.add_variable(name, value);
  }
  add_variables(counted, tools.settings().environment, inputs);
  const auto& file = variables.file();
  if (!file.empty()) BASE_TRY(inputs.add_file("go env -w", file));
  boost::system::error_code error;
  auto root = fs::path(variables.value("GOROOT"));
  if (root.empty()) root = fs::canonical(toolchain.go, error).parent_path().parent_path();
  for (const std::string name : {"go.env", "VERSION"}) {
    BASE_TRY(inputs.add_file("GOROOT/" + name, root / name));
  }
  const auto home = fs::path(value_of(environment, "HOME"));
  const auto netrc = value_of(environment, "NETRC");
  inputs.except("file", "~/.netrc", netrc.empty() ? home / ".netrc" : fs::path(netrc), "credentials");
  for (const auto& config : {home / ".gitconfig", fs::path("/etc/gitconfig")}) {
    inputs.except("file", config.filename().string(), config, "how git reaches servers, not their content");
  }
  if (!file.empty()) {
    inputs.except("folder", "telemetry of Go", file.parent_path() / "telemetry", "Go's usage statistics");
  }
  BASE_TRY(add_files_of_flags(variables, program.home_in(source.folder), inputs));
  return inputs;
}

base::Result<Inputs> inputs_of(const Source& source, const Tree& tree, const Decision& decision,
                               const Tools& tools) {
  Inputs inputs = decision.machine;
  inputs.add_value("program", decision.program.folder);
  if (decision.program.has_names)
    inputs.add_value("programs", base::join(decision.program.arguments(), "\n"));
  inputs.add_value("go.tags", base::join(source.settings.go.tags, ","));
  inputs.add_value("go.ldflags", source.settings.go.ldflags);
  inputs.add_folder("the source", source.folder, tree.digest.content, tree.digest.state);
  if (may_use_c(tree, decision)) {
    auto named = tools.environment();
    decision.variables.put_into(named);
    const std::vector<std::string> variables = {"CC", "CXX", "FC", "AR", "PKG_CONFIG"};
    for (const auto& name : variables) named[name] = decision.variables.value(name);
    BASE_TRY(add_compilers(variables, {"gcc", "g++", "gfortran", "pkg-config"}, named, tools, inputs));
  }
  return inputs;
}

std::vector<std::string> build_arguments(const GoSettings& settings, const GoVariables& variables,
                                         const Program& program, const fs::path& folder) {
  // No paths in the binary, no cache that cannot be deleted.
  std::vector<std::string> arguments = {"build", "-trimpath"};
  if (program.layout != Layout::vendored && variables.has_modules()) arguments.emplace_back("-modcacherw");
  // No symbol tables: a third of the size; tracebacks have their names and lines all the same. Where GOFLAGS
  // has flags for the linker they replace ours, and the settings' come after either.
  const auto given = variables.flag("ldflags");
  if (!given || !settings.ldflags.empty()) {
    arguments.push_back("-ldflags=" + given.value_or("-s -w -buildid=") +
                        (settings.ldflags.empty() ? "" : " " + settings.ldflags));
  }
  arguments.insert(arguments.end(), {"-o", folder.string() + "/"});
  for (const auto& argument : program.arguments()) arguments.push_back(argument);
  return arguments;
}

// As many of Go's processes at a time as the container's memory is enough for, each with its share, and as
// many threads as it gets processors, which Go before 1.25 does not see by itself. As long as there is memory
// they collect their garbage rarely: that saves a tenth of an edit and a fifth of a cold build.
void use_what_is_granted(const std::optional<std::uint64_t>& limit, const GoVariables& variables,
                         BuildPlace& place) {
  // A compiler of one package takes a few hundred megabytes at most; the linker is alone.
  constexpr std::uint64_t k_process = std::uint64_t{512} << 20;
  const auto shares = share_memory(limit, k_process, base::processors());
  if (limit && !variables.flag("p")) place.flags.push_back("-p=" + std::to_string(shares.processes));
  place.environment.emplace("GOMEMLIMIT", std::to_string(shares.bytes));
  place.environment.emplace("GOGC", "400");
  if (base::processors() < std::thread::hardware_concurrency())
    place.environment.emplace("GOMAXPROCS", std::to_string(base::processors()));
}

base::Status run_build(const Source& source, const Decision& decision, const BuildPlace& place,
                       const MemoryGroup& memory, const fs::path& folder, const Tools& tools) {
  const MemoryWatch watch(memory);
  BASE_TRY_ASSIGN(
      const auto finished,
      run_go(place, source.folder, decision,
             build_arguments(source.settings.go, decision.variables, decision.program, folder), tools));
  if (finished.ending.succeeded()) return {};
  if (const auto hint = watch.hint_after(finished.ending)) {
    base::Error error = go_error(finished);
    error.what += ": out of memory";
    error.hint = *hint;
    return base::fail(std::move(error));
  }
  return base::fail(explained(finished, place, source.folder, decision, tools));
}

// What run.sh starts: Go names programs after their packages, and the only one becomes bin/main.
std::string started_program(const Tree& tree, const Program& program) {
  return program.others.empty() ? k_program : program_name(tree, program.folder);
}

base::Status link_program(const std::string& target, const fs::path& link) {
  boost::system::error_code error;
  if (fs::symlink_status(link, error).type() != fs::file_not_found) return {};
  fs::create_symlink(target, link, error);
  if (error) return base::fail(base::system_error("create", link.string(), error.value()));
  return {};
}

// The programs have the names that Go gave them, and the default one is also called main.
base::Status name_programs(const fs::path& folder, const Tree& tree, const Program& program) {
  boost::system::error_code error;
  const fs::directory_iterator first(folder, error);
  if (first == fs::directory_iterator()) {
    return base::fail(ErrorKind::step_failed, "go build", "produced neither a program nor a message");
  }
  if (!program.others.empty()) {
    return program.no_choice ? base::Status()
                             : link_program(started_program(tree, program), folder / k_program);
  }
  const fs::path made = first->path();
  BASE_TRY(base::rename_path(made, folder / k_program));
  return program.has_names ? link_program(k_program, made) : base::Status();
}

// What programs of a folder are made of and need.
base::Result<MadeTree> describe_programs(const fs::path& folder) {
  std::set<std::string> modules;
  std::set<std::string> libraries;
  boost::system::error_code error;
  for (fs::directory_iterator entry(folder, error), end; entry != end; entry.increment(error)) {
    if (entry->symlink_status(error).type() != fs::regular_file) continue;
    BASE_TRY_ASSIGN(const auto binary, base::MappedFile::open(entry->path()));
    const auto own = modules_in(binary.content()).value_or(std::vector<std::string>());
    modules.insert(own.begin(), own.end());
    const auto needs = base::elf_needs(binary.content()).value_or(base::ElfNeeds());
    libraries.insert(needs.libraries.begin(), needs.libraries.end());
  }
  if (error) return base::fail(base::system_error("read", folder.string(), error.value()));
  return MadeTree{{modules.begin(), modules.end()}, {}, {libraries.begin(), libraries.end()}, {}};
}

// What the program has to do with C.
enum class UseOfC : char {
  none = '0',
  compiled = '1',  // a package of its own that really is compiled, or one of its modules, has C in it
  optional = '2',  // packages of its own have files that only count with cgo, or only without
};

std::string text_of(UseOfC use) { return {static_cast<char>(use)}; }

// From a line "c FOLDER" for each package of the program with C in it, " FOLDER" for each other one.
UseOfC use_of_c(const Source& source, const Tree& tree, const std::string& lines) {
  boost::system::error_code error;
  const fs::path root = fs::canonical(source.folder, error);
  std::set<fs::path> asking;
  for (const auto& package : tree.packages) {
    if (package.asks_for_c) asking.insert((root / package.folder).lexically_normal());
  }
  UseOfC use = UseOfC::none;
  for (const auto& line : base::split(lines, '\n')) {
    if (line.starts_with('c')) return UseOfC::compiled;
    const auto folder = base::trim(line);
    if (folder.empty() || asking.empty()) continue;
    auto path = fs::canonical(std::string(folder), error).lexically_normal();
    if (asking.contains(path) || asking.contains(path / ".")) use = UseOfC::optional;
  }
  return use;
}

// Known again as long as the modules and imports stay the same.
base::Result<UseOfC> find_use_of_c(const Source& source, const Tree& tree, const Decision& decision,
                                   const BuildPlace& place, const Tools& tools) {
  if (decision.variables.needs_c()) return UseOfC::compiled;
  if (!decision.variables.may_use_c()) return UseOfC::none;
  if (!tree.has_c && foreign_imports(tree, decision.program.module).empty()) return UseOfC::none;
  Inputs question = decision.machine;
  question.add_value("program", base::join(decision.program.arguments(), "\n"));
  question.add_value("tags", base::join(source.settings.go.tags, ","));
  question.add_value("outline", tree.outline);
  // Those of a private copy, completed.
  for (const std::string name : {"go.mod", "go.sum"}) {
    BASE_TRY(question.add_file(name, (place.copy.empty() ? place.folder : place.copy) / name));
  }
  const fs::path answers = tools.settings().cache / "go" / "cgo";
  const fs::path file = answers / question.key();
  const auto known = base::read_file(file);
  for (const auto use : {UseOfC::none, UseOfC::compiled, UseOfC::optional}) {
    if (known == text_of(use)) return use;
  }
  BuildPlace with_c = place;
  with_c.environment["CGO_ENABLED"] = "1";
  std::vector<std::string> words = {"list", "-deps", "-f",
                                    "{{if not .Standard}}{{if .CgoFiles}}c{{end}} {{.Dir}}{{end}}"};
  for (const auto& argument : decision.program.arguments()) words.push_back(argument);
  BASE_TRY_ASSIGN(const auto finished, run_go(with_c, source.folder, decision, words, tools));
  if (!finished.ending.succeeded())
    return base::fail(explained(finished, place, source.folder, decision, tools));
  const UseOfC answer = use_of_c(source, tree, finished.output);
  BASE_TRY_ASSIGN(const std::string changed, decision.inputs.changed());
  if (!changed.empty()) return answer;  // of a source that nobody will ask about again
  BASE_TRY(base::make_folders(answers, base::k_owner_writes));
  BASE_TRY(base::write_file(file, text_of(answer)));
  return answer;
}

// Go's own choice is gcc.
base::Status find_compiler(const GoVariables& variables, const Tools& tools) {
  if (!variables.value("CC").empty()) return {};
  BASE_TRY(tools.find(
      "gcc",
      "the program uses cgo: install a C compiler, build in an image that has one (golang:1.26, but "
      "not golang:1.26-alpine), or disable cgo with CGO_ENABLED=0"));
  return {};
}

// What the image has compiled need not be compiled again.
void take_library(const fs::path& compiled, const Tools& tools) {
  const fs::path below = fs::path("go") / "build";
  if (compiled != tools.settings().cache / below) return;  // a cache of the user's own
  if (const auto taken = take_compiled_library(contract::k_image_cache / below, compiled); !taken) {
    report::warn("cannot copy the image's compiled standard library: " + base::without_hint(taken.error()));
  }
  put_off_trimming(compiled);
}

base::Result<MadeTree> make_program(const Source& source, const Tree& go_tree, const Decision& decision,
                                    const Tools& tools, const fs::path& tree) {
  Milestone milestone("compile");
  const fs::path folder = tree / "bin";
  BASE_TRY(base::make_folders(folder, base::k_owner_writes));
  auto environment = go_environment(source.folder, decision.program, decision.variables, tools);
  // Go leaves its temporary files when SIGTERM or SIGKILL ends it; those in the build's own work folder go
  // with that.
  const fs::path temporary = tree.parent_path() / "go-tmp";
  BASE_TRY(base::make_folders(temporary, base::k_owner_writes));
  environment.emplace("GOTMPDIR", temporary.string());
  take_library(fs::path(environment["GOCACHE"]), tools);
  BASE_TRY_ASSIGN(BuildPlace place,
                  prepare_place(source.folder, go_tree, decision, std::move(environment), tools));
  if (decision.variables.value("CGO_ENABLED").empty()) {
    BASE_TRY_ASSIGN(const UseOfC c, find_use_of_c(source, go_tree, decision, place, tools));
    if (c == UseOfC::compiled) BASE_TRY(find_compiler(decision.variables, tools));
    const bool has_compiler = c == UseOfC::compiled ||
                              (c == UseOfC::optional && find_compiler(decision.variables, tools).has_value());
    // Without C the binary is static and runs in every image.
    place.environment["CGO_ENABLED"] = has_compiler ? "1" : "0";
  }
  const auto memory = MemoryGroup::find();
  use_what_is_granted(memory.limit(), decision.variables, place);
  BASE_TRY(run_build(source, decision, place, memory, folder, tools));
  BASE_TRY(name_programs(folder, go_tree, decision.program));
  BASE_TRY_ASSIGN(auto made, describe_programs(folder));
  const auto count = decision.program.arguments().size();
  milestone.reached(
      "built" + (count == 1 ? "" : " " + base::count_of(count, "program")) +
      (made.packages.empty() ? ", no modules" : " with " + base::count_of(made.packages.size(), "module")));
  if (!made.libraries.empty()) {
    report::info("compile: the pipeline's image must provide " + base::join(made.libraries, ", "));
  }
  return made;
}

constexpr char k_inside_hint[] = "move the folder below transform.build.path: only files there are built";

base::Status check_merge(std::string_view text, const fs::path& file) {
  if (auto conflict = base::merge_conflict(text, file.string())) return base::fail(std::move(*conflict));
  return {};
}

// `folder` is the one of the module, relative to the source.
base::Status check_replacements(const fs::path& file, const std::string& folder) {
  if (!is_file(file)) return {};
  BASE_TRY_ASSIGN(const std::string text, base::read_input_file(file));
  BASE_TRY(check_merge(text, file));
  const auto sums = fs::path(file).replace_extension(".sum");
  BASE_TRY(check_merge(base::read_input_file(sums).value_or(""), sums));
  const auto outside = replacement_outside(text, folder);
  if (outside.empty()) return {};
  return base::fail(ErrorKind::bad_input, file.string(),
                    "replaces a module with " + outside + ", which is outside the source", k_inside_hint);
}

// What Go would follow of a go.work in this folder.
base::Status check_workspace(const fs::path& source, const std::string& home) {
  const fs::path work = (source / home / "go.work").lexically_normal();
  if (!is_file(work)) return {};
  BASE_TRY(check_replacements(work, home));
  BASE_TRY_ASSIGN(const std::string text, base::read_input_file(work));
  if (const auto outside = use_outside(text, home); !outside.empty()) {
    return base::fail(ErrorKind::bad_input, work.string(),
                      "uses " + outside + ", which is outside the source", k_inside_hint);
  }
  for (const auto& member : use_targets(text)) {
    const std::string folder = home + "/" + member;
    BASE_TRY(check_replacements((source / folder / "go.mod").lexically_normal(), folder));
  }
  return {};
}

base::Status check_outside(const fs::path& source, const Program& program, const GoVariables& variables) {
  if (program.layout == Layout::workspace) return check_workspace(source, program.home);
  if (program.layout != Layout::module) return {};
  return check_replacements(module_file(source, program, variables), program.home);
}

// What a constraint of a file may ask for.
Tags tags_of(const GoSettings& settings, const GoVariables& variables) {
  Tags tags = standard_tags(variables.architecture());
  if (variables.may_use_c()) tags.insert("cgo");
  for (const auto* detector : {"race", "msan", "asan"}) {
    if (variables.flag(detector)) tags.insert(detector);
  }
  for (const auto& experiment : base::split(variables.value("GOEXPERIMENT"), ','))
    tags.insert("goexperiment." + experiment);
  if (variables.architecture() == "amd64") {
    const auto level = variables.value("GOAMD64");
    for (const std::string one : {"v1", "v2", "v3", "v4"}) {
      if (one == "v1" || one <= level) tags.insert("amd64." + one);
    }
  }
  tags.insert(settings.tags.begin(), settings.tags.end());
  for (auto& tag : variables.tags()) tags.insert(std::move(tag));
  return tags;
}

// Flags of a command replace those of GOFLAGS.
std::vector<std::string> tags_of_command(const GoSettings& settings, const GoVariables& variables) {
  if (settings.tags.empty()) return {};
  auto tags = variables.tags();
  tags.insert(tags.end(), settings.tags.begin(), settings.tags.end());
  return tags;
}

// Go would build what is in a folder that this build does not know.
void warn_of_workspace(const fs::path& source, const Program& program, const GoVariables& variables) {
  const auto work = variables.value("GOWORK");
  if (work.empty() || work == "off" || work == "auto") return;
  const bool is_used =
      program.layout == Layout::workspace && fs::path(work) == program.home_in(source) / "go.work";
  if (!is_used) {
    variables.warn_ignored("GOWORK", "GOWORK=" + work, "only a go.work inside the source is used");
  }
}

std::string summary_of(const Tree& tree, const Program& program) {
  const std::string in = program.home == "." ? "" : " in " + program.home;
  switch (program.layout) {
    case Layout::module: {
      const auto& path = tree.modules.at(program.module);
      return (path.empty() ? "a go.mod without a module path" : "module " + path) + in;
    }
    case Layout::workspace:
      return "a workspace" + in;
    case Layout::vendored:
      return "a source without go.mod, with a vendor folder";
    case Layout::bare:
      break;
  }
  return "a source without go.mod";
}

base::Result<Plan> plan(const Source& source, const std::shared_ptr<const Tree>& tree, const Program& program,
                        const GoVariables& variables, const Tools& tools) {
  BASE_TRY_ASSIGN(Toolchain toolchain, find_toolchain(source, tools));
  Decision decision{.program = program,
                    .variables = variables,
                    .toolchain = std::move(toolchain),
                    .tags = tags_of_command(source.settings.go, variables)};
  BASE_TRY_ASSIGN(decision.machine, inputs_of_machine(source, decision, tools));
  BASE_TRY_ASSIGN(decision.inputs, inputs_of(source, *tree, decision, tools));
  warn_of_kept_choice(source.folder, *tree, decision, tools);
  Plan plan;
  plan.inputs = decision.inputs;
  plan.key = plan.inputs.key();
  plan.platform = {.os = "linux", .architecture = variables.architecture()};
  plan.compiler = decision.toolchain.version;
  if (program.no_choice) {
    plan.start.no_program = {program.no_choice->what, program.no_choice->hint};
  } else {
    plan.program = {program.folder == "." ? program.folder : "./" + program.folder, program.why};
  }
  plan.start.command = {started_program(*tree, program)};
  // Where "go run" finds the files beside the program.
  plan.start.folder = program.home_in(contract::k_source).string();
  plan.start.may_start_elsewhere = true;
  const auto make = [source, tree, decision, &tools](const fs::path& folder) {
    return make_program(source, *tree, decision, tools, folder);
  };
  plan.layers = [layer = Layer{plan.key, true, make}] { return std::vector{layer}; };
  return plan;
}

}  // namespace

bool may_be(const fs::path& source) {
  boost::system::error_code error;
  const fs::directory_iterator entries(source, error);
  return is_file(source / "go.work") ||
         std::any_of(begin(entries), end(entries), [](const fs::directory_entry& entry) {
           return is_go_file(entry.path().filename().string()) && is_file(entry.path());
         });
}

bool may_be_below(const fs::path& source) {
  boost::system::error_code error;
  for (fs::recursive_directory_iterator entry(source, error), end; entry != end; entry.increment(error)) {
    const auto name = entry->path().filename().string();
    const auto type = entry->symlink_status(error).type();
    if (type == fs::directory_file && is_passed_over(name)) entry.disable_recursion_pending();
    if (type == fs::regular_file && (is_go_file(name) || name == "go.mod" || name == "go.work")) return true;
  }
  return false;
}

base::Result<Findings> look(const Source& source, const process::Environment& environment) {
  const auto& settings = source.settings.go;
  GoVariables variables(settings, environment);
  BASE_TRY(variables.check());
  if (variables.has_workspaces()) BASE_TRY(check_workspace(source.folder, "."));
  BASE_TRY_ASSIGN(Tree tree, read_tree(source.folder, tags_of(settings, variables)));
  BASE_TRY_ASSIGN(Program program, source.has_own_command
                                       ? choose_all_programs(source.folder, tree, settings, variables)
                                       : choose_program(source.folder, tree, settings, variables,
                                                        value_of(environment, "PPS_PIPELINE_NAME")));
  BASE_TRY(check_outside(source.folder, program, variables));
  warn_of_workspace(source.folder, program, variables);
  std::string summary = summary_of(tree, program);
  return Findings{std::move(summary),
                  [source, tree = std::make_shared<const Tree>(std::move(tree)), program = std::move(program),
                   variables = std::move(variables)](const Tools& tools) {
                    return plan(source, tree, program, variables, tools);
                  }};
}

Language language() {
  return {.name = "go",
          .markers = {"go.mod"},
          .usual_file = "go.mod",
          .may_be = may_be,
          .may_be_below = may_be_below,
          .read_settings = read_settings,
          .look = look};
}

}  // namespace builder::go
