// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/program/preloading.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/text.h"

namespace builder::python {
namespace {

// run.sh is read for each datum.
constexpr std::size_t k_most_text = 1'000;

struct Trace {
  std::string_view text;
  std::string_view what;
};

// In any line of code, since what a module does when is not known without executing it.
constexpr std::array k_traces = {Trace{"environ[", "sets an environment variable"},
                                 Trace{"environ.setdefault", "sets an environment variable"},
                                 Trace{"environ.update", "sets environment variables"},
                                 Trace{"environ.pop", "removes an environment variable"},
                                 Trace{"environ.clear", "removes environment variables"},
                                 Trace{"environ |=", "sets environment variables"},
                                 Trace{"environ|=", "sets environment variables"},
                                 Trace{"putenv", "sets an environment variable"},
                                 Trace{"unsetenv", "removes an environment variable"},
                                 Trace{"load_dotenv", "sets environment variables"},
                                 Trace{"sys.path", "changes where modules are found"},
                                 Trace{"sys.modules", "changes which modules there are"},
                                 Trace{"sys.meta_path", "changes where modules are found"},
                                 Trace{"sys.setdlopenflags", "changes how libraries are loaded"},
                                 Trace{"setrlimit", "sets a limit"}};

// What only reads a variable: os.environ["HOME"].
bool only_reads(std::string_view line, std::size_t at, const Trace& trace) {
  if (trace.text != "environ[") return false;
  if (base::trim(line).starts_with("del ")) return false;
  const auto end = line.find(']', at);
  if (end == std::string_view::npos) return false;
  const std::string_view rest = base::trim(line.substr(end + 1));
  const bool assigns = rest.starts_with('=') && !rest.starts_with("==");
  const bool changes = rest.size() > 1 && rest[1] == '=' && (rest[0] == '+' || rest[0] == '|');
  return !assigns && !changes;
}

std::string find_obstacle(const base::fs::path& source, const base::fs::path& file) {
  const auto text = base::read_input_file(source / file);
  if (!text) return {};
  int number = 0;
  for (const auto& line : base::split(*text, '\n')) {
    ++number;
    const std::string_view code = std::string_view(line).substr(0, line.find('#'));
    for (const auto& trace : k_traces) {
      const auto at = code.find(trace.text);
      if (at == std::string_view::npos || only_reads(code, at, trace)) continue;
      return file.string() + ":" + std::to_string(number) + ": " + std::string(trace.what);
    }
  }
  return {};
}

std::string top_of(const std::string& module) { return module.substr(0, module.find('.')); }

std::vector<std::string> unique(std::vector<std::string> names) {
  std::vector<std::string> kept;
  for (auto& name : names) {
    if (std::find(kept.begin(), kept.end(), name) == kept.end()) kept.push_back(std::move(name));
  }
  return kept;
}

}  // namespace

Preloadable find_preloadable(const base::fs::path& source, const Imports& imports, bool has_image_packages) {
  std::vector<std::string> modules;
  for (const auto& import : imports.outside) {
    const bool is_of_image = has_image_packages && !import.image.empty();
    const bool is_installed = !import.is_own && !import.is_on_path && !is_of_image;
    if (is_installed && import.unless.empty()) modules.push_back(import.name);
  }
  modules = unique(std::move(modules));
  if (modules.empty()) return {};
  if (auto obstacle = preloading_obstacle(source, imports); !obstacle.empty())
    return {{}, std::move(obstacle)};
  if (base::join(modules, ",").size() > k_most_text) {
    std::transform(modules.begin(), modules.end(), modules.begin(), top_of);
    modules = unique(std::move(modules));
  }
  while (base::join(modules, ",").size() > k_most_text) modules.pop_back();
  return {std::move(modules), {}};
}

std::string preloading_obstacle(const base::fs::path& source, const Imports& imports) {
  for (const auto& file : imports.files) {
    if (auto obstacle = find_obstacle(source, file); !obstacle.empty()) return obstacle;
  }
  return {};
}

}  // namespace builder::python
