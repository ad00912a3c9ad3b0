// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/conformance/differences.h"

#include <algorithm>
#include <map>

#include "archive/contents.h"
#include "base/digest.h"
#include "base/text.h"
#include "contract/layout.h"
#include "pachbuild/local/session/builder_folder.h"

namespace conformance {
namespace {

constexpr std::size_t k_shown = 3;

using Digests = std::map<std::string, std::string>;

// "bundle" of bundle-DIGEST.tar.zst, "base" of base-DIGEST.tar.zst; empty for other files.
std::string bundle_name(const std::string& path) {
  const std::string suffix = contract::k_bundle_suffix;
  for (const std::string prefix : {contract::k_bundle_prefix, contract::k_base_prefix}) {
    if (path.starts_with(prefix) && path.ends_with(suffix) &&
        path.size() == prefix.size() + base::k_digest_length + suffix.size())
      return prefix.substr(0, prefix.size() - 1);
  }
  return "";
}

bool is_in_bundle(const std::string& path) {
  return path.starts_with("bundle/") || path.starts_with("base/");
}

bool names_bundle(const std::string& path) {
  return path == contract::k_record || path == contract::k_run_script ||
         path == contract::k_environment_script;
}

base::Result<Digests> digests_of(const base::fs::path& folder) {
  BASE_TRY_ASSIGN(const auto files, local::folder_files(folder));
  Digests digests;
  for (const auto& [path, digest] : files) {
    const auto bundle = bundle_name(path);
    const auto inside =
        bundle.empty() ? base::Result<Digests>(Digests()) : archives::bundle_digests(folder / path);
    if (bundle.empty() || !inside) {
      digests[path] = digest;
    } else {
      for (const auto& [name, content] : *inside) digests[bundle + "/" + name] = content;
    }
  }
  return digests;
}

}  // namespace

base::Result<std::vector<std::string>> differing_files(const base::fs::path& one,
                                                       const base::fs::path& other) {
  BASE_TRY_ASSIGN(const auto all, digests_of(one));
  BASE_TRY_ASSIGN(const auto others, digests_of(other));
  std::map<std::string, bool> differs;
  for (const auto& [path, digest] : all) {
    const auto found = others.find(path);
    differs[path] = found == others.end() || found->second != digest;
  }
  for (const auto& [path, digest] : others) differs.emplace(path, true);
  std::vector<std::string> paths;
  for (const auto& [path, is_other] : differs) {
    if (is_other) paths.push_back(path);
  }
  // These name the bundles.
  const bool is_inside =
      std::any_of(paths.begin(), paths.end(), [](const auto& path) { return is_in_bundle(path); });
  if (is_inside) std::erase_if(paths, names_bundle);
  return paths;
}

std::string few_of(const std::vector<std::string>& names) {
  if (names.size() <= k_shown) return base::join(names, ", ");
  const std::vector<std::string> first(names.begin(), names.begin() + k_shown);
  return base::join(first, ", ") + " and " + base::count_of(names.size() - k_shown, "other");
}

}  // namespace conformance
