// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/program/bytecode.h"

#include <fcntl.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "base/digest.h"
#include "base/errors.h"
#include "base/parallel.h"
#include "base/text.h"
#include "base/workspace.h"
#include "builder-runtime/languages/language.h"
#include "builder-runtime/languages/python/packaging/record.h"
#include "builder-runtime/languages/python/program/compile_bytecode.h"
#include "builder-runtime/store/cache_limit.h"
#include "cache/builder_cache.h"
#include "report/progress.h"
#include "report/report.h"

namespace builder::python {
namespace {

namespace fs = base::fs;
using base::ErrorKind;

// Counts up when an entry of the same key gets another form.
constexpr char k_entry_format[] = "bytecode 1";
constexpr char k_bytecode_folder[] = "__pycache__";
constexpr std::string_view k_module_suffix = ".py";
constexpr mode_t k_file_mode = 0644;
// A module that is no valid Python, which packages ship as test data, has no bytecode.
constexpr char k_no_bytecode[] = "-";
// compile_bytecode.py ends with this code when the system refused something, whose number it printed.
constexpr int k_system_refused = 3;
// Before the number of modules that were compiled since the last such line.
constexpr char k_compiled = '+';

// The modules of one installed package, relative to site-packages and sorted.
struct Package {
  std::string name;
  std::vector<std::string> modules;
  std::string key;
};

bool is_module(const std::string& name) {
  return name.size() > k_module_suffix.size() && std::string_view(name).ends_with(k_module_suffix);
}

// All modules, sorted. What wheels have brought as bytecode goes: it knows the times and places of others.
base::Result<std::vector<std::string>> find_modules(const fs::path& packages) {
  std::vector<std::string> modules;
  std::vector<fs::path> foreign;
  boost::system::error_code error;
  const auto prefix = packages.string().size() + 1;
  for (fs::recursive_directory_iterator entry(packages, error), end; entry != end; entry.increment(error)) {
    const auto& path = entry->path();
    if (path.filename() == k_bytecode_folder) {
      foreign.push_back(path);
      entry.disable_recursion_pending();
    } else if (is_module(path.filename().string()) && is_file(path)) {
      modules.push_back(path.string().substr(prefix));
    }
  }
  if (error) return base::fail(base::system_error("read", packages.string(), error.value()));
  for (const auto& path : foreign) BASE_TRY(base::remove_tree(path));
  std::sort(modules.begin(), modules.end());
  return modules;
}

// Splits the modules by the package whose RECORD lists them; what is listed nowhere stays in `modules`.
base::Result<std::vector<Package>> split_by_package(const fs::path& packages,
                                                    std::vector<std::string>& modules) {
  std::vector<fs::path> distributions;
  boost::system::error_code error;
  for (fs::directory_iterator entry(packages, error), end; entry != end; entry.increment(error)) {
    if (entry->path().extension() == ".dist-info") distributions.push_back(entry->path());
  }
  if (error) return base::fail(base::system_error("read", packages.string(), error.value()));
  std::sort(distributions.begin(), distributions.end());

  std::map<std::string, std::size_t> owners;  // of paths
  std::vector<Package> result;
  for (const auto& distribution : distributions) {
    BASE_TRY_ASSIGN(const std::string record, base::read_file(distribution / "RECORD"));
    for (auto& path : paths_of_record(record)) owners.emplace(std::move(path), result.size());
    result.push_back({distribution.stem().string(), {}, {}});
  }
  std::vector<std::string> unlisted;
  for (auto& module : modules) {
    const auto owner = owners.find(module);
    (owner == owners.end() ? unlisted : result[owner->second].modules).push_back(std::move(module));
  }
  modules = std::move(unlisted);
  std::erase_if(result, [](const Package& package) { return package.modules.empty(); });
  return result;
}

// What the bytecode of modules depends on besides their names and content.
std::vector<std::string> command_line(const Interpreter& interpreter) {
  return {interpreter.path, "-s", "-S", "-W", "ignore", "-c", k_compile_bytecode};
}

base::Result<std::string> key_of(const Package& package, const Interpreter& interpreter,
                                 const fs::path& packages) {
  base::Sha256 key;
  key.update_field(k_entry_format);
  key.update_field(interpreter.identity);
  for (const auto& argument : command_line(interpreter)) key.update_field(argument);
  for (const auto& module : package.modules) {
    // Not RECORD's own digest of it, which installers do not check.
    BASE_TRY_ASSIGN(const std::string digest, base::sha256_of_file((packages / module).string()));
    key.update_field(module);
    key.update_field(digest);
  }
  return key.finish();
}

// importlib.util.cache_from_source(), for a tag such as "cpython-311".
fs::path bytecode_path(const std::string& module, const std::string& tag) {
  const fs::path path(module.substr(0, module.size() - k_module_suffix.size()));
  return path.parent_path() / k_bytecode_folder / (path.filename().string() + "." + tag + ".pyc");
}

// One package's entry: a line with the interpreter's tag and the length of each module's bytecode, the
// bytecode of all, and the digest of everything before. It is written and read without being in memory twice.
struct CacheEntry {
  std::string tag;
  std::vector<std::optional<std::string_view>> bytecode;  // in the order of Package::modules
};

// Points into `text`. Nothing when it is not what was stored.
std::optional<CacheEntry> parse_entry(std::string_view text, std::size_t modules) {
  if (text.size() <= base::k_digest_length) return std::nullopt;
  auto content = text.substr(0, text.size() - base::k_digest_length);
  if (base::sha256(content) != text.substr(content.size())) return std::nullopt;
  const auto head_end = content.find('\n');
  if (head_end == std::string_view::npos) return std::nullopt;
  const auto head = base::split(content.substr(0, head_end), ' ');
  if (head.size() != modules + 1) return std::nullopt;
  CacheEntry entry{head.front(), {}};
  content.remove_prefix(head_end + 1);
  for (std::size_t i = 1; i < head.size(); ++i) {
    entry.bytecode.emplace_back();
    if (head[i] == k_no_bytecode) continue;
    const auto length = base::parse_number(head[i]);
    if (!length || *length > content.size()) return std::nullopt;
    entry.bytecode.back() = content.substr(0, *length);
    content.remove_prefix(*length);
  }
  return entry;
}

base::Status write_entry(const fs::path& file, const Package& package, const std::string& tag,
                         const fs::path& packages) {
  std::vector<std::string> head = {tag};
  std::vector<fs::path> present;
  for (const auto& module : package.modules) {
    const fs::path bytecode = packages / bytecode_path(module, tag);
    boost::system::error_code error;
    const auto size = fs::file_size(bytecode, error);
    head.push_back(error ? k_no_bytecode : std::to_string(size));
    if (!error) present.push_back(bytecode);
  }
  const base::UniqueFd target(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, k_file_mode));
  if (!target) return base::fail(base::system_error("create", file.string(), errno));
  base::Sha256 digest;
  const auto write = [&](const std::string& bytes) {
    digest.update(bytes);
    return base::write_all(target.get(), bytes, file);
  };
  BASE_TRY(write(base::join(head, " ") + "\n"));
  for (const auto& bytecode : present) {
    BASE_TRY_ASSIGN(const std::string content, base::read_file(bytecode));
    BASE_TRY(write(content));
  }
  return base::write_all(target.get(), digest.finish(), file);
}

// The tree is new and not seen by anyone yet, so a file is simply written.
base::Status write_new_file(const fs::path& path, std::string_view content) {
  BASE_TRY(base::make_folders(path.parent_path()));
  const base::UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, k_file_mode));
  if (!file) return base::fail(base::system_error("create", path.string(), errno));
  return base::write_all(file.get(), content, path);
}

// The packages' entries below <cache>/python/bytecode.
class Store {
 public:
  explicit Store(fs::path folder) : m_folder(std::move(folder)) {}

  // Whether the package's bytecode was there; then it is in the tree now.
  [[nodiscard]] base::Result<bool> restore(const Package& package, const fs::path& packages) const {
    const fs::path file = m_folder / package.key;
    if (!is_file(file)) return false;
    const auto text = base::read_file(file);
    const auto entry = text ? parse_entry(*text, package.modules.size()) : std::nullopt;
    if (!entry) {
      report::warn("cache: " + file.string() + ": its digest does not match the stored one; compiling " +
                   package.name + " again");
      return false;
    }
    caches::mark_used(file);
    BASE_TRY(base::in_parallel(package.modules.size(), [&](std::size_t i) -> base::Status {
      if (!entry->bytecode[i]) return {};
      return write_new_file(packages / bytecode_path(package.modules[i], entry->tag), *entry->bytecode[i]);
    }));
    return true;
  }

  [[nodiscard]] base::Status add(const Package& package, const std::string& tag, const fs::path& packages,
                                 const base::Workspace& workspace) const {
    const fs::path fresh = workspace.path() / package.key;
    BASE_TRY(write_entry(fresh, package, tag, packages));
    BASE_TRY(base::make_folders(m_folder, base::k_owner_writes));
    return base::rename_path(fresh, m_folder / package.key);
  }

 private:
  fs::path m_folder;
};

base::Error compile_error(const process::Finished& finished, const fs::path& packages) {
  const auto number = base::parse_number(base::trim(finished.output));
  if (finished.ending.code() == k_system_refused && number) {
    return base::system_error("write", packages.string(), static_cast<int>(*number));
  }
  return {ErrorKind::io, packages.string(),
          "compiling to bytecode failed: python " + finished.ending.predicate(), ""};
}

// Compiles these modules and gives the interpreter's tag, which is part of the bytecode's file names.
base::Result<std::string> compile_modules(const std::vector<std::string>& modules,
                                          const Interpreter& interpreter, const Tools& tools,
                                          const fs::path& packages, const base::Workspace& workspace) {
  const fs::path list = workspace.path() / "modules";
  BASE_TRY(base::write_file(list, base::join(modules, std::string_view("\0", 1))));
  const base::UniqueFd input(::open(list.c_str(), O_RDONLY | O_CLOEXEC));
  if (!input) return base::fail(base::system_error("read", list.string(), errno));
  auto arguments = command_line(interpreter);
  arguments.push_back(std::to_string(base::processors()));
  report::Step step("compiling to bytecode", modules.size(), report::Step::Unit::files);
  const auto count = [&](std::string_view line) -> std::optional<std::string> {
    const auto compiled = line.starts_with(k_compiled) ? base::parse_number(line.substr(1)) : std::nullopt;
    if (!compiled) return std::string(line);
    step.advance(*compiled);
    return std::nullopt;
  };
  // Before 3.11 the order of a constant set's elements in bytecode depends on the seed.
  BASE_TRY_ASSIGN(const auto finished,
                  tools.run({.arguments = std::move(arguments),
                             .environment = {{"PYTHONHASHSEED", "0"}, {"LC_ALL", "C.UTF-8"}},
                             .folder = packages,
                             .standard_input = input.get()},
                            count));
  if (!finished.ending.succeeded()) return base::fail(compile_error(finished, packages));
  return std::string(base::trim(finished.output));
}

}  // namespace

base::Result<BytecodeSummary> make_bytecode(const Interpreter& interpreter, const Tools& tools,
                                            const fs::path& packages) {
  const fs::path& cache = tools.settings().cache;
  const Store store(cache / "python" / "bytecode");
  BASE_TRY_ASSIGN(auto to_compile, find_modules(packages));
  BASE_TRY_ASSIGN(auto all, split_by_package(packages, to_compile));
  BASE_TRY(base::in_parallel(all.size(), [&](std::size_t i) -> base::Status {
    BASE_TRY_ASSIGN(all[i].key, key_of(all[i], interpreter, packages));
    return {};
  }));

  std::vector<const Package*> fresh;
  for (const auto& package : all) {
    BASE_TRY_ASSIGN(const bool reused, store.restore(package, packages));
    if (reused) continue;
    fresh.push_back(&package);
    to_compile.insert(to_compile.end(), package.modules.begin(), package.modules.end());
  }
  const BytecodeSummary summary{all.size(), all.size() - fresh.size()};
  if (to_compile.empty()) return summary;
  BASE_TRY_ASSIGN(const auto workspace, caches::make_workspace(cache));
  BASE_TRY_ASSIGN(const std::string tag,
                  compile_modules(to_compile, interpreter, tools, packages, workspace));
  for (const auto* package : fresh) BASE_TRY(store.add(*package, tag, packages, workspace));
  return summary;
}

std::string describe(const BytecodeSummary& summary) {
  if (summary.reused == 0) return "compiled bytecode of " + base::count_of(summary.packages, "package");
  return "reused bytecode of " + std::to_string(summary.reused) + " of " +
         base::count_of(summary.packages, "package");
}

}  // namespace builder::python
