// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/cluster_repos.h"

#include <utility>

#include "pachbuild/cluster/repo_files.h"
#include "pachbuild/commands/cluster_options.h"
#include "process/shared_runner.h"

namespace commands {
namespace {

cluster::CommitPlace at_commit(const std::string& address, const std::string& id) {
  auto place = cluster::parse_commit_place(address, address).value_or(cluster::CommitPlace{});
  place.commit = id;
  return place;
}

class ClusterRepos final : public local::RemoteRepos {
 public:
  std::string identity() override { return cluster::Pachctl::cluster_identity(); }

  std::string id_in(const std::string& address) override {
    const auto place = cluster::parse_commit_place(address, address);
    return place && cluster::is_commit_id(place->commit) ? place->commit : "";
  }

  base::Result<std::string> find(const std::string& address, std::chrono::milliseconds limit) override {
    BASE_TRY_ASSIGN(const auto place, cluster::parse_commit_place(address, "pfs:" + address));
    return with_pachctl([&](const auto& pachctl) { return cluster::find_commit(pachctl, place, limit); });
  }

  base::Result<std::vector<local::RemoteFile>> list(const std::string& address,
                                                    const std::string& id) override {
    return with_pachctl([&](const auto& pachctl) -> base::Result<std::vector<local::RemoteFile>> {
      BASE_TRY_ASSIGN(auto listed, cluster::list_commit(pachctl, at_commit(address, id)));
      std::vector<local::RemoteFile> files;
      files.reserve(listed.size());
      for (auto& file : listed) files.push_back({std::move(file.path), file.bytes, std::move(file.hash)});
      return files;
    });
  }

  base::Status get(const std::string& address, const std::string& id,
                   const std::vector<local::RemoteFile>& files, const std::vector<bool>& wanted,
                   const base::fs::path& folder) override {
    std::vector<cluster::RepoFile> listed;
    listed.reserve(files.size());
    for (const auto& file : files) listed.push_back({file.path, file.size, file.hash});
    const auto transfers = cluster::plan_transfers(listed, wanted);
    return with_pachctl([&](const auto& pachctl) {
      return cluster::get_files(pachctl, at_commit(address, id), transfers, folder);
    });
  }

  void watch(process::Interruption& interruption) override { m_interruption = &interruption; }

 private:
  template <class Call>
  auto with_pachctl(const Call& call) -> decltype(call(std::declval<const cluster::Pachctl&>())) {
    BASE_TRY_ASSIGN(const auto pachctl, connect({}));
    process::SharedRunner runner(m_interruption);
    return call(pachctl.with_runner(runner));
  }

  process::Interruption* m_interruption = nullptr;
};

}  // namespace

std::unique_ptr<local::RemoteRepos> cluster_repos() { return std::make_unique<ClusterRepos>(); }

}  // namespace commands
