// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/go/go.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <csignal>

#include "base/digest.h"
#include "base/elf_needs.h"
#include "base/errors.h"
#include "base/mapped_file.h"
#include "base/parallel.h"
#include "base/text.h"
#include "builder-runtime/compilers.h"
#include "builder-runtime/languages/go/build_info.h"
#include "builder-runtime/languages/go/library.h"
#include "builder-runtime/languages/go/module.h"
#include "builder-runtime/languages/go/modules.h"
#include "builder-runtime/languages/go/network.h"
#include "builder-runtime/languages/go/tree.h"
#include "builder-runtime/memory.h"
#include "builder-runtime/milestone.h"
#include "builder-runtime/missing.h"
#include "builder-runtime/source/data.h"
#include "builder-runtime/variables.h"
#include "contract/layout.h"
#include "report/report.h"

namespace builder::go {
namespace {

using base::ErrorKind;

constexpr char k_go_hint[] = "install Go (https://go.dev/dl), or build in an image that has it";
constexpr char k_program[] = "main";

bool has_flag(const process::Environment& environment, const std::string& flag) {
  return value_of(environment, "GOFLAGS").find(flag) != std::string::npos;
}

// What "go env -w" wrote: the default of each of Go's variables.
fs::path settings_file(const process::Environment& environment) {
  const auto file = value_of(environment, "GOENV");
  if (!file.empty()) return file;
  const auto config = value_of(environment, "XDG_CONFIG_HOME");
  return (config.empty() ? fs::path(value_of(environment, "HOME")) / ".config" : fs::path(config)) / "go" /
         "env";
}

// The value that Go has of one of its variables: that of the environment, else that of its own file.
std::string go_value(const process::Environment& environment, const std::string& name) {
  if (const auto value = value_of(environment, name); !value.empty()) return value;
  for (const auto& line : base::split(base::read_input_file(settings_file(environment)).value_or(""), '\n')) {
    if (line.starts_with(name + "=")) return std::string(base::trim(line.substr(name.size() + 1)));
  }
  return "";
}

// What is said of the build's variables: by the source before all.
process::Environment with_settings(process::Environment environment, const Source& source) {
  for (const auto& [name, value] : source.settings.go.environment) environment[name] = value;
  return environment;
}

// Caches below ours; no workspace and no packages of folders outside of the source.
process::Environment go_environment(const Source& source, const Tools& tools) {
  auto environment = with_settings(tools.environment(), source);
  const fs::path cache = tools.settings().cache / "go";
  environment.emplace("GOCACHE", (cache / "build").string());
  environment.emplace("GOMODCACHE", (cache / "mod").string());
  environment["GOPATH"] = (cache / "path").string();
  if (!is_file(source.folder / "go.work")) {
    environment["GOWORK"] = "off";
  } else if (value_of(environment, "GOWORK") != "off") {
    environment.erase("GOWORK");
  }
  // Go takes the current folder's name from here, so that messages have the path that the user knows.
  environment["PWD"] = source.folder.string();
  return environment;
}

// What this very go program is, whatever the environment and the go.mod ask for.
base::Result<Toolchain> find_toolchain(const Source& source, const Tools& tools) {
  BASE_TRY_ASSIGN(const std::string go, tools.find("go", k_go_hint));
  BASE_TRY_ASSIGN(
      const std::string answer,
      tools.ask({go, "version"}, {{"GOTOOLCHAIN", "local"}, {"GOENV", "off"}, {"HOME", "/"}}, source.folder));
  // "go version go1.26.8 linux/amd64"
  const auto words = base::split(base::trim(answer), ' ');
  if (words.size() < 4) return base::fail(ErrorKind::unavailable, go, "does not say its version", k_go_hint);
  const auto chosen = go_value(with_settings(tools.environment(), source), "GOARCH");
  return Toolchain{go, words[2], chosen.empty() ? architecture() : chosen};
}

// The files that flags name: "-modfile=…", "-overlay=…", "-pgo=…" and whatever Go may have besides.
base::Status add_files_of_flags(const std::string& flags, const fs::path& source, Inputs& inputs) {
  for (const auto& flag : base::split(flags, ' ')) {
    const auto sign = flag.find('=');
    if (sign == std::string::npos) continue;
    const fs::path file = fs::absolute(flag.substr(sign + 1), source);
    if (!is_file(file)) continue;
    const std::string name = "GOFLAGS: " + flag.substr(0, sign);
    BASE_TRY(inputs.add_file(name, file));
    if (flag.substr(0, sign).ends_with("-modfile")) {
      fs::path sums = file;
      BASE_TRY(inputs.add_file(name + ", go.sum", sums.replace_extension(".sum")));
    }
    if (!flag.substr(0, sign).ends_with("-overlay")) continue;
    BASE_TRY_ASSIGN(const auto overlay, data::read_json(file, file.string()));
    for (const auto& [replaced, by] : overlay.at("Replace").members) {
      if (!by.scalar.empty())
        BASE_TRY(inputs.add_file(name + ": " + replaced, fs::absolute(by.scalar, source)));
    }
  }
  return {};
}

// Whether a C compiler may have a part in it: more is not known before Go is asked.
bool may_use_c(const Tree& tree, const process::Environment& environment) {
  const auto chosen = go_value(environment, "CGO_ENABLED");
  return chosen != "0" && (chosen == "1" || tree.has_c || !foreign_imports(tree).empty());
}

// Go and how it is set up: all but the source.
base::Result<Inputs> inputs_of_machine(const Source& source, const Tools& tools, const Toolchain& toolchain) {
  Inputs inputs;
  const auto environment = go_environment(source, tools);
  inputs.add_value("format", key_base("go"));
  inputs.add_tool("go", toolchain.go, Tools::identity(toolchain.go, toolchain.version));
  // What the source says of them counts whatever they are.
  auto counted = environment;
  for (const auto& [name, value] : source.settings.go.environment) {
    counted.erase(name);
    inputs.add_variable(name, value);
  }
  add_variables(counted, tools.settings().environment, inputs);
  BASE_TRY(inputs.add_file("go env -w", settings_file(environment)));
  boost::system::error_code error;
  auto root = fs::path(go_value(environment, "GOROOT"));
  if (root.empty()) root = fs::canonical(toolchain.go, error).parent_path().parent_path();
  for (const std::string name : {"go.env", "VERSION"}) {
    BASE_TRY(inputs.add_file("GOROOT/" + name, root / name));
  }
  const auto home = fs::path(value_of(environment, "HOME"));
  const auto netrc = value_of(environment, "NETRC");
  inputs.except("file", "~/.netrc", netrc.empty() ? home / ".netrc" : fs::path(netrc), "credentials");
  for (const auto& file : {home / ".gitconfig", fs::path("/etc/gitconfig")}) {
    inputs.except("file", file.filename().string(), file, "how git reaches servers, not their content");
  }
  inputs.except("folder", "telemetry of Go", settings_file(environment).parent_path() / "telemetry",
                "Go's usage statistics");
  BASE_TRY(add_files_of_flags(go_value(environment, "GOFLAGS"), source.folder, inputs));
  return inputs;
}

base::Result<Inputs> inputs_of(const Source& source, const Tree& tree, const std::string& program,
                               const Inputs& machine, const Tools& tools) {
  Inputs inputs = machine;
  const auto environment = go_environment(source, tools);
  inputs.add_value("program", program);
  inputs.add_value("go.tags", base::join(source.settings.go.tags, ","));
  inputs.add_value("go.ldflags", source.settings.go.ldflags);
  inputs.add_folder("the source", source.folder, tree.digest.content, tree.digest.state);
  if (may_use_c(tree, environment)) {
    auto named = environment;
    const std::vector<std::string> variables = {"CC", "CXX", "FC", "AR", "PKG_CONFIG"};
    for (const auto& name : variables) named[name] = go_value(environment, name);
    BASE_TRY(add_compilers(variables, {"gcc", "g++", "gfortran", "pkg-config"}, named, tools, inputs));
  }
  return inputs;
}

// What Go's commands are about.
std::vector<std::string> package_arguments(const Source& source, const std::string& program) {
  std::vector<std::string> arguments;
  const auto& tags = source.settings.go.tags;
  if (!tags.empty()) arguments.push_back("-tags=" + base::join(tags, ","));
  arguments.push_back(program == "." ? "." : "./" + program);
  return arguments;
}

std::vector<std::string> build_arguments(const Source& source, const Toolchain& toolchain,
                                         const BuildPlace& place, const std::string& program,
                                         const fs::path& folder) {
  const GoSettings& settings = source.settings.go;
  // No paths and no version control in the binary, no cache that cannot be deleted.
  std::vector<std::string> arguments = {toolchain.go, "build", "-trimpath", k_no_version_control};
  if (value_of(place.environment, "GO111MODULE") != "off") arguments.emplace_back("-modcacherw");
  arguments.insert(arguments.end(), place.flags.begin(), place.flags.end());
  // No symbol tables: a third of the size; tracebacks have their names and lines all the same. The user's
  // own ldflags would be lost by ours.
  if (!has_flag(place.environment, "-ldflags") || !settings.ldflags.empty()) {
    arguments.push_back("-ldflags=-s -w -buildid=" +
                        (settings.ldflags.empty() ? "" : " " + settings.ldflags));
  }
  arguments.insert(arguments.end(), {"-o", folder.string() + "/"});
  const auto wanted = package_arguments(source, program);
  arguments.insert(arguments.end(), wanted.begin(), wanted.end());
  return arguments;
}

base::Error build_error(const process::Finished& finished) {
  return {ErrorKind::step_failed, "go build", "ended with " + finished.ending.describe(),
          "see Go's output above" + missing_hint(finished.errors)};
}

// As many of Go's processes at a time as the container's memory is enough for, each with its share. As long
// as there is memory they collect their garbage rarely: that saves a tenth of an edit and a fifth of a cold
// build.
void use_memory(const std::optional<std::uint64_t>& limit, BuildPlace& place) {
  // A compiler of one package takes a few hundred megabytes at most; the linker is alone.
  constexpr std::uint64_t k_process = std::uint64_t{512} << 20;
  std::uint64_t processes = base::processors();
  if (limit) {
    processes = std::clamp<std::uint64_t>(*limit / k_process, 1, processes);
    if (!has_flag(place.environment, "-p=")) place.flags.push_back("-p=" + std::to_string(processes));
  }
  // Nine tenths: its own programs and the files that it reads need some as well. A machine has others to
  // serve.
  const std::uint64_t memory = limit ? *limit / 10 * 9 : memory_of_machine() / 2;
  place.environment.emplace("GOMEMLIMIT", std::to_string(memory / processes));
  place.environment.emplace("GOGC", "400");
}

base::Status run_build(const std::vector<std::string>& arguments, const BuildPlace& place,
                       const MemoryGroup& memory, const Toolchain& toolchain,
                       const std::vector<std::string>& program, const Tools& tools) {
  const auto kills = memory.kills();
  BASE_TRY_ASSIGN(
      const auto finished,
      tools.run({.arguments = arguments, .environment = place.environment, .folder = place.folder}));
  if (finished.ending.succeeded()) return {};
  base::Error error = build_error(finished);
  if (memory.kills() > kills || finished.ending.signal() == SIGKILL) {
    const auto limit = memory.limit();
    error.what += ": out of memory";
    error.hint = "raise the memory in transform.build.resource_limits" +
                 (limit ? ", now " + base::format_bytes(*limit) : std::string());
    return base::fail(std::move(error));
  }
  return base::fail(with_network_in_mind(std::move(error), place, toolchain, program, tools));
}

// Go names the program after the module: the one file in the folder becomes bin/main.
base::Status name_program(const fs::path& folder) {
  boost::system::error_code error;
  const fs::directory_iterator first(folder, error);
  if (error || first == fs::directory_iterator()) {
    return base::fail(ErrorKind::bug, "go build", "made no program and said nothing");
  }
  return base::rename_path(first->path(), folder / k_program);
}

// Whether the program needs a C compiler: a package of its own that really is compiled, or one of its
// modules, has C in it. Known again as long as the modules and imports stay the same.
base::Result<bool> needs_c(const Source& source, const Tree& tree, const Decision& decision,
                           const BuildPlace& place, const std::string& program, const Tools& tools) {
  if (!tree.has_c && foreign_imports(tree).empty()) return false;
  const Toolchain& toolchain = decision.toolchain;
  Inputs question = decision.machine;
  question.add_value("program", program);
  question.add_value("tags", base::join(source.settings.go.tags, ","));
  question.add_value("outline", tree.outline);
  // Those of a private copy, completed.
  for (const std::string name : {"go.mod", "go.sum"}) {
    BASE_TRY(question.add_file(name, place.folder / name));
  }
  const fs::path answers = tools.settings().cache / "go" / "cgo";
  const fs::path file = answers / question.key();
  if (const auto known = base::read_file(file)) return *known == "1";
  auto environment = place.environment;
  environment["CGO_ENABLED"] = "1";
  std::vector<std::string> arguments = {
      toolchain.go, "list", k_no_version_control,
      "-deps",      "-f",   "{{if not .Standard}}{{range .CgoFiles}}c{{end}}{{end}}"};
  arguments.insert(arguments.end(), place.flags.begin(), place.flags.end());
  const auto wanted = package_arguments(source, program);
  arguments.insert(arguments.end(), wanted.begin(), wanted.end());
  BASE_TRY_ASSIGN(const auto finished,
                  tools.run({.arguments = arguments, .environment = environment, .folder = place.folder}));
  if (!finished.ending.succeeded()) {
    return base::fail(with_network_in_mind(build_error(finished), place, toolchain, wanted, tools));
  }
  const bool answer = finished.output.find('c') != std::string::npos;
  BASE_TRY_ASSIGN(const std::string changed, decision.inputs.changed());
  if (!changed.empty()) return answer;  // of a source that nobody will ask about again
  BASE_TRY(base::make_folders(answers, base::k_owner_writes));
  BASE_TRY(base::write_file(file, answer ? "1" : "0"));
  return answer;
}

// Go's own choice is gcc.
base::Status find_compiler(const process::Environment& environment, const Tools& tools) {
  if (!value_of(environment, "CC").empty()) return {};
  BASE_TRY(tools.find("gcc",
                      "the program has C in it: build in an image with a C compiler (golang:1.26 has one, "
                      "golang:1.26-alpine has not), or without C: CGO_ENABLED=0"));
  return {};
}

// What the image has compiled need not be compiled again.
void take_library(const fs::path& compiled, const Tools& tools) {
  const fs::path below = fs::path("go") / "build";
  if (compiled != tools.settings().cache / below) return;  // a cache of the user's own
  if (const auto taken = take_compiled_library(contract::k_image_cache / below, compiled); !taken) {
    report::warn("the image's compiled standard library cannot be copied: " + taken.error().where + ": " +
                 taken.error().what);
  }
  put_off_trimming(compiled);
}

base::Result<MadeTree> make_program(const Source& source, const Tree& go_tree, const std::string& program,
                                    const Decision& decision, const Tools& tools, const fs::path& tree) {
  const Toolchain& toolchain = decision.toolchain;
  Milestone milestone("compile");
  const fs::path folder = tree / "bin";
  BASE_TRY(base::make_folders(folder, base::k_owner_writes));
  auto environment = go_environment(source, tools);
  // Go leaves its temporary files when SIGTERM or SIGKILL ends it; those in the build's own work folder go
  // with that.
  const fs::path temporary = tree.parent_path() / "go-tmp";
  BASE_TRY(base::make_folders(temporary, base::k_owner_writes));
  environment.emplace("GOTMPDIR", temporary.string());
  take_library(fs::path(environment["GOCACHE"]), tools);
  BASE_TRY_ASSIGN(BuildPlace place,
                  prepare_place(source.folder, go_tree, decision, std::move(environment), tools));
  if (value_of(place.environment, "CGO_ENABLED").empty()) {
    BASE_TRY_ASSIGN(const bool c, needs_c(source, go_tree, decision, place, program, tools));
    // Without C the binary is static and runs in every image.
    place.environment["CGO_ENABLED"] = c ? "1" : "0";
    if (c) BASE_TRY(find_compiler(place.environment, tools));
  }
  const auto memory = MemoryGroup::find();
  use_memory(memory.limit(), place);
  BASE_TRY(run_build(build_arguments(source, toolchain, place, program, folder), place, memory, toolchain,
                     package_arguments(source, program), tools));
  BASE_TRY(name_program(folder));
  BASE_TRY_ASSIGN(const auto binary, base::MappedFile::open(folder / k_program));
  auto modules = modules_in(binary.content()).value_or(std::vector<std::string>());
  auto needs = base::elf_needs(binary.content()).value_or(base::ElfNeeds());
  milestone.reached("built with " + base::count_of(modules.size(), "module"));
  if (!needs.libraries.empty()) {
    report::info("compile: the image of the pipeline must have " + base::join(needs.libraries, ", "));
  }
  return MadeTree{std::move(modules), {}, std::move(needs.libraries)};
}

constexpr char k_inside_hint[] = "only files below transform.build.path are built: move the folder there";

// `folder` is the one of the file, relative to the source.
base::Status check_replacements(const fs::path& source, const std::string& folder, const std::string& name) {
  const fs::path file = (source / folder / name).lexically_normal();
  if (!is_file(file)) return {};
  BASE_TRY_ASSIGN(const std::string text, base::read_input_file(file));
  const auto outside = replacement_outside(text, folder);
  if (outside.empty()) return {};
  return base::fail(ErrorKind::bad_input, file.string(),
                    "replaces a module by " + outside + ", which is outside the source", k_inside_hint);
}

base::Status check_outside(const fs::path& source) {
  BASE_TRY(check_replacements(source, ".", "go.mod"));
  const fs::path work = source / "go.work";
  if (!is_file(work)) return {};
  BASE_TRY(check_replacements(source, ".", "go.work"));
  BASE_TRY_ASSIGN(const std::string text, base::read_input_file(work));
  if (const auto outside = use_outside(text); !outside.empty()) {
    return base::fail(ErrorKind::bad_input, work.string(),
                      "uses " + outside + ", which is outside the source", k_inside_hint);
  }
  for (const auto& member : use_targets(text)) BASE_TRY(check_replacements(source, member, "go.mod"));
  return {};
}

// "-tags=a,b" of GOFLAGS counts as the settings' do.
Tags tags_of(const Source& source, const std::string& architecture, const std::string& go_flags) {
  Tags tags = standard_tags(architecture);
  tags.insert("cgo");
  for (const auto& tag : source.settings.go.tags) tags.insert(tag);
  for (const auto& flag : base::split(go_flags, ' ')) {
    const auto sign = flag.find("-tags=");
    if (sign == std::string::npos) continue;
    for (const auto& tag : base::split(flag.substr(sign + 6), ',')) tags.insert(tag);
  }
  return tags;
}

// A build pipeline is called <pipeline>_build.
std::string pipeline_name(const process::Environment& environment) {
  constexpr std::string_view k_suffix = contract::k_build_pipeline_suffix;
  std::string name = value_of(environment, "PPS_PIPELINE_NAME");
  if (name.size() > k_suffix.size() &&
      name.compare(name.size() - k_suffix.size(), k_suffix.size(), k_suffix) == 0) {
    name.resize(name.size() - k_suffix.size());
  }
  return name;
}

std::string summary_of(const Tree& tree) {
  switch (tree.layout) {
    case Layout::module:
      return "module " + tree.module;
    case Layout::workspace:
      return "a workspace";
    case Layout::vendored:
      return "a source without go.mod, with a vendor folder";
    case Layout::bare:
      break;
  }
  return "a source without go.mod";
}

base::Result<Plan> plan(const Source& source, const Tree& tree, const ChosenProgram& chosen,
                        const Tools& tools) {
  const std::string& program = chosen.folder;
  Decision decision;
  BASE_TRY_ASSIGN(decision.toolchain, find_toolchain(source, tools));
  BASE_TRY_ASSIGN(decision.machine, inputs_of_machine(source, tools, decision.toolchain));
  BASE_TRY_ASSIGN(decision.inputs, inputs_of(source, tree, program, decision.machine, tools));
  Plan plan;
  plan.inputs = decision.inputs;
  plan.key = plan.inputs.key();
  plan.platform = {.os = "linux", .architecture = decision.toolchain.architecture};
  plan.program = {program == "." ? program : "./" + program, chosen.why};
  plan.start.command = {k_program};
  const auto make = [source, tree, program, decision, &tools](const fs::path& folder) {
    return make_program(source, tree, program, decision, tools, folder);
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

base::Result<Findings> look(const Source& source, const process::Environment& environment) {
  BASE_TRY(check_outside(source.folder));
  const auto set = with_settings(environment, source);
  const auto chosen = go_value(set, "GOARCH");
  const Tags tags = tags_of(source, chosen.empty() ? architecture() : chosen, go_value(set, "GOFLAGS"));
  BASE_TRY_ASSIGN(Tree tree, read_tree(source.folder, tags));
  BASE_TRY_ASSIGN(ChosenProgram program,
                  choose_program(source.folder, tree, source.settings.go, pipeline_name(environment)));
  std::string summary = summary_of(tree);
  return Findings{std::move(summary), [source, tree = std::move(tree), program = std::move(program)](
                                          const Tools& tools) { return plan(source, tree, program, tools); }};
}

}  // namespace builder::go
