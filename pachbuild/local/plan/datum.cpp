// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/plan/datum.h"

#include <algorithm>

#include "base/digest.h"
#include "base/relative_path.h"
#include "contract/layout.h"

namespace local {
namespace {

// Of a datum with more parts, the first ones are shown.
constexpr std::size_t k_parts_shown = 4;

}  // namespace

std::string repo_key(const spec::RepoInput& input) {
  const std::string repo = base::join_path(input.project, input.repo);
  return input.branch == spec::k_default_branch ? repo : repo + "@" + input.branch;
}

bool DatumPart::is_folder() const {
  return path.empty() || files.end - files.begin != 1 || commit->files[files.begin].path != path;
}

std::string DatumPart::label() const { return base::join_path(input->repo, path); }

std::string DatumPart::pfs_path() const { return path.empty() ? "/" : "/" + path + (is_folder() ? "/" : ""); }

std::string DatumPart::path_in_pfs() const {
  return base::join_path(std::string(contract::k_pfs) + "/" + input->name, path);
}

pfs::Hash datum_id(const DatumParts& parts) {
  pfs::Hasher hasher;
  for (const auto* part : parts) {
    hasher.update_counted(part->input->name);
    hasher.update_counted(part->input->repo);
    hasher.update_counted(part->input->branch);
    hasher.update_counted(part->pfs_path());
  }
  return hasher.finish();
}

std::vector<std::string_view> parts_of_label(std::string_view label) {
  std::vector<std::string_view> parts;
  for (auto end = label.find(k_label_joint); end != std::string_view::npos; end = label.find(k_label_joint)) {
    parts.push_back(label.substr(0, end));
    label.remove_prefix(end + k_label_joint.size());
  }
  parts.push_back(label);
  return parts;
}

std::string Datum::label() const {
  std::string text;
  for (std::size_t i = 0; i < std::min(parts.size(), k_parts_shown); ++i) {
    if (i > 0) text += k_label_joint;
    text += parts[i]->label();
  }
  if (parts.size() > k_parts_shown) {
    text += k_label_joint;
    text += std::to_string(parts.size() - k_parts_shown) + " more";
  }
  return text;
}

std::string Datum::key(const std::string& job) const {
  base::Sha256 digest;
  digest.update_field(job);
  digest.update_field(id);
  for (const auto* part : parts) {
    digest.update_field(part->digest);
    digest.update_field(part->join_on);
    digest.update_field(part->group_by);
    // Pipes and empty files are another thing to see than files.
    digest.update_field(part->input->lazy ? "lazy" : part->input->empty_files ? "empty" : "files");
  }
  return digest.finish();
}

std::string changed_input(const Datum& datum) {
  for (const auto* part : datum.parts) {
    const auto changed = part->commit->changed_file(part->files);
    if (!changed.empty()) return base::join_path(part->input->repo, changed);
  }
  return "";
}

}  // namespace local
