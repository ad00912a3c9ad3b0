// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/starter/go_step.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/files.h"
#include "base/relative_path.h"
#include "base/text.h"

namespace starter {
namespace {

constexpr std::uint64_t k_largest_go_mod = std::uint64_t{1} << 20;
constexpr char k_installed_programs[] = "/go/bin";  // in the official images

constexpr std::array<std::string_view, 5> k_go_verbs = {"build", "mod", "get", "install", "vet"};
constexpr std::array<std::string_view, 14> k_go_options_with_value = {
    "-o",   "-C",         "-p",       "-ldflags", "-gcflags", "-asmflags",      "-tags",
    "-mod", "-buildmode", "-modfile", "-overlay", "-pgo",     "-installsuffix", "-toolexec"};

// "tool" of "example.com/team/tool/v2@latest".
std::string program_of_import(std::string path) {
  path = path.substr(0, path.find('@'));
  const std::string last = base::name_of(path);
  const bool is_version = last.size() > 1 && last.front() == 'v' && base::parse_number(last.substr(1));
  return is_version ? base::name_of(base::folder_of(path)) : last;
}

// What Go calls the program in `folder`: by its module, where it is the module's root.
std::string program_in(const std::string& folder, const ImageFiles& files) {
  const auto found = files.files().find(image_path(folder, "go.mod"));
  if (found == files.files().end()) return base::name_of(folder);
  const auto text = base::read_input_file(found->second, k_largest_go_mod).value_or("");
  for (const auto& line : base::split(text, '\n')) {
    const auto words = base::words(line);
    if (words.size() > 1 && words[0] == "module") return program_of_import(words[1]);
  }
  return base::name_of(folder);
}

struct GoWords {
  std::string output;                 // -o
  std::vector<std::string> packages;  // as they are written
};

GoWords go_words(const std::vector<std::string>& words) {
  GoWords result;
  for (std::size_t i = 2; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (!word.starts_with('-')) {
      result.packages.push_back(word);
      continue;
    }
    const std::string name = word.substr(word.starts_with("--") ? 1 : 0);
    if (name.starts_with("-o=")) result.output = name.substr(3);
    if (std::find(k_go_options_with_value.begin(), k_go_options_with_value.end(), name) ==
        k_go_options_with_value.end())
      continue;
    if (++i < words.size() && name == "-o") result.output = words[i];
  }
  if (result.packages.empty()) result.packages.emplace_back(".");
  return result;
}

std::vector<std::string> program_names(const std::vector<std::string>& packages, const std::string& folder,
                                       const ImageFiles& files) {
  std::vector<std::string> names;
  for (const auto& package : packages) {
    if (base::contains(package, "...")) continue;
    const bool is_folder = package.starts_with('.') || package.starts_with('/');
    std::string name =
        is_folder ? program_in(image_path(folder, package), files) : program_of_import(package);
    if (name.ends_with(".go")) name.resize(name.size() - 3);
    if (!name.empty()) names.push_back(std::move(name));
  }
  return names;
}

}  // namespace

std::optional<std::vector<std::string>> read_go_step(const std::vector<std::string>& words,
                                                     const std::string& folder, const ImageFiles& files) {
  if (words.size() < 2 || base::name_of(words[0]) != "go" ||
      std::find(k_go_verbs.begin(), k_go_verbs.end(), words[1]) == k_go_verbs.end())
    return std::nullopt;
  std::vector<std::string> made;
  if (words[1] != "build" && words[1] != "install") return made;
  const auto [output, packages] = go_words(words);
  const bool is_install = words[1] == "install";
  const std::string target = is_install ? k_installed_programs : image_path(folder, output);
  const bool is_file = !is_install && !output.empty() && !output.ends_with('/') && !files.has_folder(target);
  const bool is_pattern = std::any_of(packages.begin(), packages.end(),
                                      [](const auto& package) { return base::contains(package, "..."); });
  // Of many programs `go build` keeps none without -o.
  if (is_file || (is_pattern && (is_install || !output.empty()))) return std::vector{target};
  for (const auto& name : program_names(packages, folder, files)) made.push_back(image_path(target, name));
  return made;
}

}  // namespace starter
