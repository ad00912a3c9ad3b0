// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/go/module_fault.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/relative_path.h"
#include "base/text.h"
#include "builder-runtime/languages/go/module.h"
#include "builder-runtime/languages/language.h"

namespace builder::go {
namespace {

namespace fs = base::fs;
using base::ErrorKind;

// A file that Go reads before anything else, and the verb of the command that edits it.
struct ModuleFile {
  fs::path path;
  std::string verb;
};

std::vector<ModuleFile> files_of(const fs::path& source, const Decision& decision) {
  const auto& program = decision.program;
  std::vector<ModuleFile> files;
  if (program.layout == Layout::workspace)
    files = {{program.home_in(source) / "go.work", "work"},
             {(source / program.module / "go.mod").lexically_normal(), "mod"}};
  if (program.layout == Layout::module) files = {{module_file(source, program, decision.variables), "mod"}};
  std::erase_if(files, [](const ModuleFile& file) { return !is_file(file.path); });
  return files;
}

// The numbers of "1.26.8", "1.26" and "1.27rc1"; nothing for what is not a release of Go.
std::optional<std::array<int, 3>> numbers_of(std::string_view version) {
  std::array<int, 3> numbers{};
  const auto parts = base::split(version, '.');
  if (parts.size() > numbers.size()) return std::nullopt;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto [end, error] =
        std::from_chars(parts[i].data(), parts[i].data() + parts[i].size(), numbers.at(i));
    if (error != std::errc()) return std::nullopt;
  }
  return numbers;
}

bool is_newer(std::string_view version, std::string_view other) {
  const auto numbers = numbers_of(version);
  const auto others = numbers_of(other);
  return numbers && others && *numbers > *others;
}

// "1.26.8" of "go1.26.8".
std::string_view without_go(std::string_view version) {
  return version.starts_with("go") ? version.substr(2) : version;
}

// The file names a version above Go's own. Where Go may download it, it does: then there is nothing wrong.
std::optional<base::Error> too_new(const ModuleFile& file, const std::string& text, const BuildPlace& place,
                                   const Decision& decision, const Tools& tools) {
  const std::string wanted = go_version(text);
  const std::string own(without_go(decision.toolchain.version));
  const auto answer = ask_go({"version"}, place.folder, place.environment, decision, tools);
  if (!answer) return std::nullopt;
  const auto words = base::words(answer->output);  // "go version go1.26.8 linux/amd64"
  const bool is_answered = answer->ending.succeeded() && words.size() > 2;
  if (is_answered && !is_newer(wanted, without_go(words[2]))) return std::nullopt;
  const std::string install =
      "install Go " + wanted + " or newer (https://go.dev/dl), or build in an image that has it";
  return base::Error{ErrorKind::step_failed, file.path.string(),
                     "needs Go " + wanted + "; " + decision.toolchain.go + " is " + own,
                     is_answered ? install + ", or let Go download it (GOTOOLCHAIN=auto)"
                                 : "see Go's output above; " + install};
}

// Go reads the file with nothing that it is told besides.
std::optional<base::Error> unreadable(const ModuleFile& file, const Decision& decision, const Tools& tools) {
  auto environment = tools.environment();
  std::erase_if(environment, [](const auto& variable) { return variable.first.starts_with("GO"); });
  environment.insert({{"GOTOOLCHAIN", "local"}, {"GOENV", "off"}, {"GOWORK", "off"}});
  const auto answer =
      ask_go({file.verb, "edit", "-json", file.path.string()}, "/", environment, decision, tools);
  if (!answer || answer->ending.code() != 1) return std::nullopt;
  return base::Error{ErrorKind::step_failed, file.path.string(), "is not a valid go." + file.verb,
                     "see Go's output above"};
}

// The words behind "missing go.sum entry", or before it, name a package or "MODULE@VERSION".
std::string without_sum(std::string_view errors) {
  constexpr std::string_view k_missing = ": missing go.sum entry";
  constexpr std::string_view k_package = " for module providing package ";
  for (const auto& line : base::split(errors, '\n')) {
    const auto at = line.find(k_missing);
    if (at == std::string::npos) continue;
    const auto rest = std::string_view(line).substr(at + k_missing.size());
    if (rest.starts_with(k_package)) {
      const auto package = rest.substr(k_package.size());
      return std::string(package.substr(0, package.find_first_of(" ;")));
    }
    const auto before = base::words(line.substr(0, at));
    if (!before.empty()) return before.back();
  }
  return "";
}

std::optional<base::Error> lacks_sum(const std::string& errors, const ModuleFile& file,
                                     const std::string& text) {
  std::string name = without_sum(errors);
  if (name.empty()) return std::nullopt;
  const auto required = required_modules(text);
  if (const auto module = module_of(required, name); !module.empty())
    name = module + " " + required.at(module);
  std::replace(name.begin(), name.end(), '@', ' ');
  auto sums = file.path;
  return base::Error{ErrorKind::step_failed, sums.replace_extension(".sum").string(),
                     "lacks the entry for " + name, k_tidy};
}

// The package that no go.mod requires a module of, where Go may not add one.
std::string without_requirement(std::string_view errors) {
  using Form = std::pair<std::string_view, std::string_view>;  // what is before the package, and behind it
  constexpr std::array k_forms = std::to_array<Form>({
      {"no required module provides package ", "; to add it:"},
      {"cannot find module providing package ", ": import lookup disabled by -mod=readonly"},
  });
  for (const auto& line : base::split(errors, '\n')) {
    for (const auto& [before, after] : k_forms) {
      const auto at = line.find(before);
      if (at == std::string::npos || !base::contains(line, after)) continue;
      const auto rest = std::string_view(line).substr(at + before.size());
      return std::string(rest.substr(0, rest.find_first_of(" ;:")));
    }
  }
  return "";
}

// `first` is the go.work, if there is one. A missing package of the module itself needs no requirement.
std::optional<base::Error> lacks_requirement(const std::string& errors, const ModuleFile& first,
                                             const std::string& own) {
  const std::string package = without_requirement(errors);
  if (package.empty() || base::is_at_or_below(package, own)) return std::nullopt;
  if (first.verb == "mod")
    return base::Error{ErrorKind::step_failed, first.path.string(), "lacks a requirement for " + package,
                       k_tidy};
  return base::Error{ErrorKind::step_failed, first.path.string(),
                     "none of its modules has a requirement for " + package,
                     "run go mod tidy in the module that imports it, and commit its go.mod and go.sum"};
}

}  // namespace

std::optional<base::Error> module_fault(const process::Finished& finished, const BuildPlace& place,
                                        const fs::path& source, const Decision& decision,
                                        const Tools& tools) {
  const auto files = files_of(source, decision);
  for (const auto& file : files) {
    const std::string text = base::read_input_file(file.path).value_or("");
    // Only a newer Go knows what its files may have.
    const bool is_ahead = is_newer(go_version(text), without_go(decision.toolchain.version));
    if (auto fault =
            is_ahead ? too_new(file, text, place, decision, tools) : unreadable(file, decision, tools))
      return fault;
    if (file.verb != "mod") continue;
    const std::string own = module_path(text);
    if (own.empty()) {
      return base::Error{ErrorKind::step_failed, file.path.string(), "does not name its module",
                         "add a module line: go mod edit -module=example.com/NAME"};
    }
    if (auto fault = lacks_requirement(finished.errors, files.front(), own)) return fault;
    if (auto fault = lacks_sum(finished.errors, file, text)) return fault;
  }
  return std::nullopt;
}

}  // namespace builder::go
