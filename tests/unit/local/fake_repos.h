// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/files.h"
#include "pachbuild/local/plan/remote_repos.h"
#include "pachbuild/pfs/file_hash.h"

namespace local {

inline constexpr char k_first_id[] = "00000000000000000000000000000001";
inline constexpr char k_second_id[] = "00000000000000000000000000000002";

// A cluster of one repo; what it is asked is noted.
class FakeRepos final : public RemoteRepos {
 public:
  explicit FakeRepos(base::fs::path work) : m_work(std::move(work)) {}

  void set(const std::string& path, const std::string& content) {
    EXPECT_TRUE(base::write_file(m_work / "content", content));
    files[path] = content;
    hashes[path] = pfs::file_hash(m_work / "content").value();
  }

  std::string identity() override { return name; }
  std::string id_in(const std::string& address) override {
    return address == std::string("r@") + k_first_id ? k_first_id : "";
  }
  base::Result<std::string> find(const std::string& address, std::chrono::milliseconds limit) override {
    asked.push_back("find " + address + (limit.count() > 0 ? " soon" : ""));
    if (is_silent) return base::fail(base::ErrorKind::unavailable, "the cluster", "does not answer");
    if (is_refusing) return base::fail(base::ErrorKind::bad_input, "the cluster", "refuses");
    return head;
  }
  base::Result<std::vector<RemoteFile>> list(const std::string& /*address*/, const std::string& id) override {
    asked.push_back("list " + id);
    std::vector<RemoteFile> listed;
    for (const auto& [path, content] : files) listed.push_back({path, content.size(), hashes.at(path)});
    return listed;
  }
  base::Status get(const std::string& /*address*/, const std::string& /*id*/,
                   const std::vector<RemoteFile>& listed, const std::vector<bool>& wanted,
                   const base::fs::path& folder) override {
    std::string paths;
    for (std::size_t i = 0; i < listed.size(); ++i) {
      if (!wanted[i]) continue;
      paths += " " + listed[i].path;
      if (listed[i].path == lost) continue;
      BASE_TRY(base::make_folders((folder / listed[i].path).parent_path()));
      BASE_TRY(base::write_file(folder / listed[i].path, files.at(listed[i].path)));
    }
    asked.push_back("get" + paths);
    if (!extra.empty()) return base::write_file(folder / extra, "comes along");
    return {};
  }
  void watch(process::Interruption& /*interruption*/) override {}

  std::string name = "here";
  std::string head = k_first_id;
  bool is_silent = false;
  bool is_refusing = false;
  std::string lost;
  std::string extra;
  std::map<std::string, std::string> files;
  std::map<std::string, std::string> hashes;
  std::vector<std::string> asked;

 private:
  base::fs::path m_work;
};

}  // namespace local
