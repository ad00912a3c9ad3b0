// SPDX-License-Identifier: Apache-2.0
#include "cache/environment_use.h"

#include <string_view>

#include "base/digest.h"
#include "base/text.h"
#include "cache/builder_cache.h"
#include "contract/environment.h"
#include "contract/layout.h"

namespace caches {
namespace {

bool is_process(const fs::path& entry) { return base::parse_number(entry.filename().string()).has_value(); }

// "…PACHBUILD_ENV=/some/cache/env/NAME…": the variables end with a zero byte each.
void add_from_variables(std::string_view variables, std::set<std::string>& names) {
  const std::string prefix = std::string(contract::k_environment_variable) + "=";
  for (const auto& variable : base::split(variables, '\0')) {
    if (variable.starts_with(prefix))
      names.insert(fs::path(variable.substr(prefix.size())).filename().string());
  }
}

// "7f…-7f… r-xp 00000000 fe:01 1234 /some/cache/env/NAME/lib/libx.so": a line for each part of a file.
void add_from_maps(std::string_view maps, std::set<std::string>& names) {
  const std::string folder = std::string("/") + contract::k_cache_environments + "/";
  for (auto at = maps.find(folder); at != std::string_view::npos; at = maps.find(folder, at + 1)) {
    const auto rest = maps.substr(at + folder.size());
    const std::string name(rest.substr(0, rest.find('/')));
    if (base::is_digest(name)) names.insert(name);
  }
}

}  // namespace

EnvironmentUse EnvironmentUse::look(const fs::path& processes) {
  EnvironmentUse use;
  for (const auto& process : list_folder(processes)) {
    if (!is_process(process)) continue;
    use.m_seen_any = true;
    add_from_variables(base::read_file(process / "environ").value_or(""), use.m_names);
    add_from_maps(base::read_file(process / "maps").value_or(""), use.m_names);
  }
  return use;
}

}  // namespace caches
