// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/session/import_time.h"

#include <algorithm>
#include <charconv>

#include "base/digest.h"
#include "base/text.h"
#include "contract/build_record.h"
#include "contract/environment.h"
#include "contract/layout.h"

namespace local {
namespace {

// "package.name" is what `from package import name` brings.
constexpr char k_program[] = R"py(import sys
import time
start = time.perf_counter()
for name in sys.argv[1:]:
    package, _, last = name.rpartition(".")
    __import__(package or last, fromlist=[last] if package else [])
print(f"\n{1000 * (time.perf_counter() - start):.0f}")
)py";

// What is worth a word: so much of a datum, and this part of it.
constexpr std::chrono::milliseconds k_least{200};
constexpr int k_least_part = 4;
constexpr std::size_t k_modules_shown = 3;

}  // namespace

std::optional<TimedImports> imports_of(const std::string& build_record,
                                       const process::Environment& environment) {
  const auto record = contract::parse_build_record(build_record, contract::k_record);
  if (!record || record->imports.empty() || record->command.empty()) return std::nullopt;
  if (record->environment.contains(contract::k_preload_variable) ||
      environment.contains(contract::k_preload_variable))
    return std::nullopt;
  TimedImports imports{
      .modules = record->imports, .command = {record->command.front(), "-c", k_program}, .identity = ""};
  imports.command.insert(imports.command.end(), record->imports.begin(), record->imports.end());
  base::Sha256 identity;
  // The bundle below, if there is one: an edit of the source makes the other one anew.
  if (!record->bundles.empty()) identity.update_field(record->bundles.back().digest);
  for (const auto& module : record->imports) identity.update_field(module);
  imports.identity = identity.finish();
  return imports;
}

bool may_gain_from_preloading(std::chrono::milliseconds datum) { return datum > k_least; }

std::optional<std::string> preloading_hint(const TimedImports& imports, std::string_view printed,
                                           std::chrono::milliseconds datum) {
  // Packages print as well.
  const auto line = base::trim(printed.substr(printed.rfind('\n', printed.find_last_not_of('\n')) + 1));
  int milliseconds = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), milliseconds);
  if (error != std::errc() || end != line.data() + line.size()) return std::nullopt;
  const std::chrono::milliseconds time(milliseconds);
  if (time <= k_least || k_least_part * time <= datum) return std::nullopt;
  std::vector<std::string> names(imports.modules.begin(),
                                 imports.modules.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                               k_modules_shown, imports.modules.size())));
  if (names.size() < imports.modules.size()) names.emplace_back("…");
  return "importing " + base::join(names, ", ") + " takes " + base::format_duration(time) +
         " of each datum's " + base::format_duration(datum) +
         "; to import once per worker, set preload = true below [python] in pachbuild.toml";
}

}  // namespace local
