// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/phases/emit.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>

#include "base/digest.h"
#include "base/errors.h"
#include "base/inside.h"
#include "base/text.h"
#include "builder-runtime/inputs.h"
#include "builder-runtime/milestone.h"
#include "builder-runtime/run_script/run_script.h"
#include "builder-runtime/store/bundle_store.h"
#include "contract/layout.h"

namespace builder {
namespace {

using base::ErrorKind;

constexpr char k_temporary_prefix[] = ".pachbuild-";
constexpr mode_t k_script_mode = 0755;

constexpr char k_record_hint[] =
    "it does not belong to an artifact: move it, or choose another folder with --out";

bool is_bundle(std::string_view name) {
  return (name.starts_with(contract::k_bundle_prefix) || name.starts_with(contract::k_base_prefix)) &&
         name.ends_with(contract::k_bundle_suffix) && !base::contains(name, '/');
}

// Those besides the record and the bundles, run.sh first.
constexpr std::array k_own_files = {contract::k_run_script, contract::k_shim, contract::k_environment_script,
                                    contract::k_environment_variables};

bool is_own_file(std::string_view name) {
  return std::find(k_own_files.begin(), k_own_files.end(), name) != k_own_files.end();
}

bool is_there(const fs::path& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0;
}

// The size of a regular file; none for whatever else is there.
std::optional<std::uint64_t> size_of_file(const fs::path& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return static_cast<std::uint64_t>(status.st_size);
}

tl::unexpected<base::Error> not_ours(const fs::path& path) {
  return base::fail(ErrorKind::usage, path.string(), "would be overwritten, but was not made by a build",
                    k_record_hint);
}

// The record in the folder; none where there is no artifact. It is the first file of an artifact that comes
// and the last that goes, so that it lists whatever a killed build leaves.
base::Result<std::optional<contract::BuildRecord>> read_record(const fs::path& out) {
  const fs::path file = out / contract::k_record;
  if (!is_there(file)) return std::optional<contract::BuildRecord>();
  if (!size_of_file(file)) return not_ours(file);
  BASE_TRY_ASSIGN(const std::string text, base::read_input_file(file));
  auto record = contract::parse_build_record(text, file.string());
  if (!record) return not_ours(file);
  return std::optional(std::move(*record));
}

// The paths of an earlier artifact's files that are still there, build.json apart. A file counts when its
// content is what the record says: by its digest, or, since a bundle may have gigabytes and is named by its
// digest, its size. `checked` is what is known of their contents, and becomes what is.
base::Result<std::vector<fs::path>> former_files(const fs::path& out, CheckedFiles& checked) {
  BASE_TRY_ASSIGN(const auto record, read_record(out));
  std::vector<fs::path> files;
  for (const std::string name : k_own_files) {
    const fs::path path = out / name;
    if (!is_there(path)) continue;
    if (!size_of_file(path)) return not_ours(path);
    std::string expected;  // none where the record does not know the file
    if (record && record->files.contains(name)) expected = record->files.at(name);
    const CheckedFile found{expected, state_of_file(path)};
    if (const auto known = checked.find(name); known == checked.end() || known->second != found) {
      BASE_TRY_ASSIGN(const std::string digest, base::sha256_of_file(path.string()));
      if (digest != expected) return not_ours(path);
      checked[name] = found;
    }
    files.push_back(path);
  }
  if (!record) return files;
  for (const auto& bundle : record->bundles) {
    if (is_bundle(bundle.file) && size_of_file(out / bundle.file) == bundle.bytes)
      files.push_back(out / bundle.file);
  }
  return files;
}

// Folders in which a killed build prepared its files: of our name, and with nothing else in them.
std::vector<fs::path> abandoned_folders(const fs::path& out) {
  constexpr std::size_t k_random_part = 6;  // of mkdtemp(3)
  std::vector<fs::path> folders;
  boost::system::error_code error;
  for (fs::directory_iterator entry(out, error), end; entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(k_temporary_prefix) ||
        name.size() != std::string_view(k_temporary_prefix).size() + k_random_part ||
        entry->symlink_status(error).type() != fs::directory_file) {
      continue;
    }
    const fs::directory_iterator content(entry->path(), error);
    const bool is_ours =
        std::all_of(begin(content), fs::directory_iterator(), [](const fs::directory_entry& file) {
          std::string own = file.path().filename().string();
          // write_file() adds a random part to a name until the file is whole.
          const auto dot = own.rfind('.');
          if (own.size() == dot + 1 + k_random_part) own.resize(dot);
          return size_of_file(file.path()) &&
                 (is_bundle(own) || own == contract::k_record || is_own_file(own));
        });
    if (!error && is_ours) folders.push_back(entry->path());
  }
  return folders;
}

// run.sh goes first: from then on no one takes what is left for an artifact.
base::Status remove_former_artifact(const fs::path& out, CheckedFiles checked) {
  BASE_TRY_ASSIGN(const auto files, former_files(out, checked));
  for (const auto& file : files) {
    if (::unlink(file.c_str()) != 0) return base::fail(base::system_error("remove", file.string(), errno));
  }
  for (const auto& folder : abandoned_folders(out)) BASE_TRY(base::remove_tree(folder));
  const fs::path record = out / contract::k_record;
  if (::unlink(record.c_str()) != 0 && errno != ENOENT)
    return base::fail(base::system_error("remove", record.string(), errno));
  return {};
}

// The scripts and the variables of an artifact by name, in the order in which they become visible.
using Texts = std::vector<std::pair<std::string, std::string>>;
base::Result<Texts> texts_of(const Artifact& artifact, const Source& source, const std::string& shim_digest) {
  const auto& bundles = artifact.record.bundles;
  const RunScript script{.builder = artifact.record.builder,
                         .version = artifact.record.version,
                         .bundle_digest = bundles.empty() ? "" : bundles.front().digest,
                         .shim_digest = shim_digest,
                         .start = artifact.start};
  Texts texts;
  const auto add_some = [&](const char* name, std::string text) {
    if (!text.empty()) texts.emplace_back(name, std::move(text));
  };
  add_some(contract::k_environment_variables, environment_variables_text(artifact.start));
  add_some(contract::k_environment_script, environment_script_text(script));
  if (source.has_run_script) {
    BASE_TRY_ASSIGN(auto own, base::read_input_file(source.folder / contract::k_run_script));
    texts.emplace_back(contract::k_run_script, std::move(own));
  } else {
    texts.emplace_back(contract::k_run_script, run_script_text(script));
  }
  return texts;
}

// The artifact's files in a folder of their own, in the order in which they become visible: what the others
// are is known before they are there, and run.sh makes an artifact of them.
base::Result<std::vector<std::string>> prepare(const fs::path& folder, const Artifact& artifact,
                                               const Source& source, const Tools& tools) {
  std::vector<std::string> names = {contract::k_record};
  for (const auto& bundle : artifact.record.bundles) {
    names.push_back(bundle.file);
    BASE_TRY(base::link_or_copy_file(artifact.bundles / bundle.file, folder / bundle.file, k_bundle_mode));
  }
  names.emplace_back(contract::k_shim);
  BASE_TRY(base::copy_regular_file(tools.settings().shim, folder / names.back(), k_script_mode));
  contract::BuildRecord record = artifact.record;
  if (!source.has_run_script && !artifact.start.no_program)
    record.starts_in = {artifact.start.folder, artifact.start.may_start_elsewhere};
  BASE_TRY_ASSIGN(record.files[contract::k_shim], tools.digest_of(tools.settings().shim));
  BASE_TRY_ASSIGN(const auto texts, texts_of(artifact, source, record.files.at(contract::k_shim)));
  for (const auto& [name, text] : texts) {
    names.push_back(name);
    BASE_TRY(base::write_file(folder / name, text, k_script_mode));
    record.files[name] = base::sha256(text);
  }
  BASE_TRY(base::write_file(folder / contract::k_record, contract::to_json(record)));
  return names;
}

// The error about a file where it is made, as one about the file that it was to become.
base::Error in_place(base::Error error, const fs::path& temporary, const fs::path& out) {
  if (const auto relative = base::path_below(error.where, temporary))
    error.where = (out / *relative).string();
  return error;
}

std::string summary_of(const Artifact& artifact, const Source& source) {
  std::string text = source.has_run_script ? "the source's own run.sh" : "run.sh";
  for (const auto& bundle : artifact.record.bundles) {
    const auto name = bundle.file.substr(0, bundle.file.find('-') + 1) + bundle.digest.substr(0, 12);
    text += ", " + name + " " + base::format_bytes(bundle.bytes);
  }
  return text;
}

}  // namespace

base::Result<CheckedFiles> check_out(const fs::path& out) {
  CheckedFiles checked;
  boost::system::error_code error;
  if (!fs::is_directory(out, error)) return checked;
  // Another build may be replacing them just now.
  BASE_TRY_ASSIGN(const auto lock, base::FileLock::acquire_folder(out));
  BASE_TRY(former_files(out, checked));
  return checked;
}

base::Status record_run_script(const fs::path& out) {
  BASE_TRY_ASSIGN(const auto lock, base::FileLock::acquire_folder(out));
  BASE_TRY_ASSIGN(auto record, read_record(out));
  const fs::path script = out / contract::k_run_script;
  if (!record || !size_of_file(script)) return {};
  BASE_TRY_ASSIGN(std::string digest, base::sha256_of_file(script.string()));
  if (std::exchange(record->files[contract::k_run_script], digest) == digest) return {};
  record->starts_in = {};
  return base::write_file(out / contract::k_record, contract::to_json(*record));
}

base::Status emit(const Artifact& artifact, const Source& source, const CheckedFiles& checked,
                  const Tools& tools) {
  Milestone milestone("emit");
  const fs::path& out = tools.settings().out;
  BASE_TRY(base::make_folders(out));
  // Of two builds into one folder the later one replaces what the other made, and never a part of it.
  BASE_TRY_ASSIGN(const auto lock, base::FileLock::acquire_folder(out));
  BASE_TRY(remove_former_artifact(out, checked));
  BASE_TRY_ASSIGN(const auto folder, base::TemporaryFolder::make(out, k_temporary_prefix));
  const auto names = prepare(folder.path(), artifact, source, tools);
  if (!names) return base::fail(in_place(names.error(), folder.path(), out));
  for (const auto& name : *names) BASE_TRY(base::rename_path(folder.path() / name, out / name));
  milestone.reached(summary_of(artifact, source));
  return {};
}

}  // namespace builder
