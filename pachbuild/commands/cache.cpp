// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/json_text.h"
#include "base/near.h"
#include "base/text.h"
#include "base/time_text.h"
#include "contract/cache_limit.h"
#include "pachbuild/cache/cleaning.h"
#include "pachbuild/cache/disk_use.h"
#include "pachbuild/cache/kinds.h"
#include "pachbuild/commands/commands.h"
#include "pachbuild/commands/print_line.h"
#include "pachbuild/local/session/environment.h"

namespace commands {
namespace {

using base::ErrorKind;
using nlohmann::json;
namespace fs = base::fs;

constexpr char k_about_cache_path[] = R"text(
The folder is PACHBUILD_CACHE_DIR, else $XDG_CACHE_HOME/pachbuild, else ~/.cache/pachbuild. It may not exist yet.

  du -sh "$(pachbuild cache path)"
)text";

constexpr char k_about_cache_list[] = R"(
Sizes are disk usage. PACHBUILD_CACHE_LIMIT applies to results and logs together, and to bundles, bytecode and
environments together; everything else stays until you clean it.

  pachbuild cache list
  pachbuild cache list -o json
)";

constexpr char k_about_cache_clean[] = R"(
Builds and runs can continue meanwhile: entries in use are kept. Removed entries are built or downloaded again when
they are needed.

  pachbuild cache clean results logs
  pachbuild cache clean --all --dry-run

Kinds:
)";

bool is_there(const fs::path& folder) {
  boost::system::error_code error;
  return fs::exists(folder, error);
}

base::Result<fs::path> checked_cache() {
  BASE_TRY_ASSIGN(auto cache, local::cache_path());
  BASE_TRY(local::check_cache(cache));
  return cache;
}

base::Result<int> print_path() {
  BASE_TRY_ASSIGN(const auto cache, local::cache_path());
  std::puts(cache.c_str());
  return 0;
}

struct Row {
  const cached::Kind* kind = nullptr;
  std::size_t entries = 0;
  std::uint64_t bytes = 0;
  cached::Clock::time_point used;
};

base::Result<std::vector<Row>> rows_of(const fs::path& cache) {
  std::vector<Row> rows;
  for (const auto& kind : cached::kinds()) {
    const auto content = kind.content(cache);
    cached::DiskUse use;
    for (const auto& part : content.parts) BASE_TRY(use.add(part.path));
    rows.push_back({&kind, content.counts_files ? use.files() : content.entries, use.bytes(),
                    content.used == cached::Clock::time_point() ? use.changed() : content.used});
  }
  return rows;
}

std::string moment_text(cached::Clock::time_point time, const char* form, base::Zone zone) {
  return base::time_text(cached::Clock::to_time_t(time), form, zone).value_or("-");
}

std::string shown_limit(std::uint64_t limit) { return limit == 0 ? "no limit" : base::format_bytes(limit); }

void print_row(const std::string& kind, const std::string& number, const std::string& size,
               const std::string& used, const std::string& about) {
  constexpr int k_kind = 12;
  constexpr int k_number = 9;
  constexpr int k_size = 10;
  constexpr int k_used = 16;
  std::printf("%-*s  %*s  %*s", k_kind, kind.c_str(), k_number, number.c_str(), k_size, size.c_str());
  if (!about.empty()) std::printf("  %-*s  %s", k_used, used.c_str(), about.c_str());
  std::puts("");
}

std::uint64_t total_of(const std::vector<Row>& rows) {
  std::uint64_t total = 0;
  for (const auto& row : rows) total += row.bytes;
  return total;
}

void print_table(const fs::path& cache, std::uint64_t limit, const std::vector<Row>& rows) {
  print_line("cache: " + cache.string());
  print_row("KIND", "NUMBER", "SIZE", "LAST USE", "WHAT");
  for (const auto& row : rows) {
    const bool was_used = row.used != cached::Clock::time_point();
    print_row(std::string(row.kind->name), base::format_number(row.entries),
              row.entries == 0 ? "-" : base::format_bytes(row.bytes),
              was_used ? moment_text(row.used, "%Y-%m-%d %H:%M", base::Zone::local) : "-",
              std::string(row.kind->about));
  }
  print_row("total", "", base::format_bytes(total_of(rows)), "", "");
  print_line("limit: " + shown_limit(limit) +
             (limit == 0 ? ""
                         : " for results and logs, and another " + shown_limit(limit) +
                               " for bundles, bytecode and environments"));
}

void print_json(const fs::path& cache, std::uint64_t limit, const std::vector<Row>& rows) {
  json kinds = json::array();
  for (const auto& row : rows) {
    json kind = {{"kind", row.kind->name},
                 {"about", row.kind->about},
                 {"entries", row.entries},
                 {"bytes", row.bytes},
                 {"last_use", nullptr}};
    if (row.used != cached::Clock::time_point())
      kind["last_use"] = moment_text(row.used, base::k_rfc3339, base::Zone::utc);
    kinds.push_back(std::move(kind));
  }
  const json all = {
      {"folder", cache.string()}, {"limit", limit}, {"bytes", total_of(rows)}, {"kinds", std::move(kinds)}};
  std::fputs(base::json_lines(all).c_str(), stdout);
}

base::Result<int> list_cache(const std::string& format) {
  BASE_TRY_ASSIGN(const auto cache, checked_cache());
  const char* const variable = std::getenv(contract::k_cache_limit_variable);
  BASE_TRY_ASSIGN(const auto limit, contract::parse_cache_limit(variable == nullptr ? "" : variable));
  BASE_TRY_ASSIGN(const auto rows, rows_of(cache));
  (format == "json" ? print_json : print_table)(cache, limit, rows);
  return 0;
}

struct CleanOptions {
  std::vector<std::string> kinds;
  bool all = false;
  bool dry_run = false;
};

std::vector<std::string> kind_names() {
  std::vector<std::string> names;
  for (const auto& kind : cached::kinds()) names.emplace_back(kind.name);
  return names;
}

base::Result<std::vector<const cached::Kind*>> chosen_kinds(const CleanOptions& options) {
  std::vector<const cached::Kind*> chosen;
  if (options.all == !options.kinds.empty()) {
    return base::fail(ErrorKind::usage, "",
                      options.all ? "both kinds and --all were given" : "no kind was given",
                      "name one or more of " + base::join(kind_names(), ", ") + ", or use --all alone");
  }
  for (const auto& name : options.kinds) {
    if (cached::find_kind(name) != nullptr) continue;
    return base::fail(ErrorKind::usage, "", "unknown kind " + base::quoted(name),
                      base::did_you_mean(name, kind_names(), "one of " + base::join(kind_names(), ", ")));
  }
  for (const auto& kind : cached::kinds()) {
    if (options.all ||
        std::find(options.kinds.begin(), options.kinds.end(), kind.name) != options.kinds.end())
      chosen.push_back(&kind);
  }
  return chosen;
}

void print_cleaned(const cached::Cleaned& cleaned, bool dry_run) {
  std::string text = std::string(cleaned.kind->name) + ": ";
  if (cleaned.entries > 0 || cleaned.kept == 0) {
    text += (dry_run ? "would remove " : "removed ") + base::format_number(cleaned.entries) + " " +
            (cleaned.entries == 1 ? "entry" : "entries") + " (" + base::format_bytes(cleaned.bytes) + ")";
  }
  if (cleaned.kept > 0) {
    text += (cleaned.entries > 0 ? "; " : "") + base::format_number(cleaned.kept) +
            (cleaned.kept == 1 ? " stays: " : " stay: ") + cleaned.reason;
  }
  std::puts(text.c_str());
  std::fflush(stdout);
}

base::Result<int> clean_cache(const CleanOptions& options) {
  BASE_TRY_ASSIGN(const auto kinds, chosen_kinds(options));
  BASE_TRY_ASSIGN(const auto cache, checked_cache());
  std::uint64_t freed = 0;
  base::Status cleaned;
  if (is_there(cache)) {
    cleaned = cached::clean(cache, kinds, options.dry_run ? cached::Mode::only_tell : cached::Mode::remove,
                            [&](const cached::Cleaned& one) {
                              freed += one.bytes;
                              // Of all kinds only those that have something.
                              if (!options.all || one.entries + one.kept > 0)
                                print_cleaned(one, options.dry_run);
                            });
  }
  print_line((options.dry_run ? "would free " : "freed ") + base::format_bytes(freed) + " in " +
             cache.string());
  if (!cleaned) return base::fail(std::move(cleaned).error());
  return 0;
}

void add_path(CLI::App& cache, Invocation& invocation) {
  auto* verb = cache.add_subcommand("path", "Print the folder of the cache");
  verb->footer(k_about_cache_path)->callback([&invocation] { invocation.action = print_path; });
}

void add_list_of_cache(CLI::App& cache, Invocation& invocation) {
  auto format = std::make_shared<std::string>();
  auto* verb = cache.add_subcommand("list", "List what is in the cache, by kind");
  verb->add_option("-o,--output", *format, "The output format")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"json"}));
  verb->footer(k_about_cache_list)->callback([format, &invocation] {
    invocation.action = [format] { return list_cache(*format); };
  });
}

void add_clean(CLI::App& cache, Invocation& invocation) {
  auto options = std::make_shared<CleanOptions>();
  auto* verb = cache.add_subcommand("clean", "Remove entries from the cache, by kind");
  verb->add_option("KIND", options->kinds, "The kinds to remove, as shown by pachbuild cache list")
      ->type_name("KIND");
  verb->add_flag("--all", options->all, "Remove every kind");
  verb->add_flag("--dry-run", options->dry_run, "Show what would be removed, without removing it");
  std::string about = k_about_cache_clean;
  for (const auto& kind : cached::kinds()) {
    constexpr std::size_t k_width = sizeof "environments" + 1;
    about += "  " + std::string(kind.name) + std::string(k_width - kind.name.size(), ' ') +
             std::string(kind.about) + "\n";
  }
  verb->footer(about)->callback(
      [options, &invocation] { invocation.action = [options] { return clean_cache(*options); }; });
}

}  // namespace

void add_cache(CLI::App& app, Invocation& invocation) {
  auto* cache = app.add_subcommand("cache", "Show and clean pachbuild's cache")->require_subcommand(1);
  add_path(*cache, invocation);
  add_list_of_cache(*cache, invocation);
  add_clean(*cache, invocation);
}

}  // namespace commands
