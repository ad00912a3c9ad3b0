// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cluster/transaction.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <nlohmann/json.hpp>
#include <utility>

namespace cluster {

namespace fs = base::fs;

namespace {

// The one in quotes of: started new transaction: "4bf5…".
std::string id_in(const std::string& answer) {
  const auto start = answer.find('"');
  const auto end = answer.rfind('"');
  return start == end ? "" : answer.substr(start + 1, end - start - 1);
}

bool deletes_one_of(const nlohmann::json& transaction, const std::vector<std::string>& branches) {
  const nlohmann::json::json_pointer name("/delete_branch/branch/name");
  const auto requests = transaction.value("requests", nlohmann::json::array());
  return std::any_of(requests.begin(), requests.end(), [&](const auto& request) {
    return request.contains(name) && std::any_of(branches.begin(), branches.end(), [&](const auto& branch) {
             return request.at(name) == branch;
           });
  });
}

}  // namespace

base::Result<Transaction> Transaction::start(const Pachctl& pachctl) {
  boost::system::error_code error;
  BASE_TRY_ASSIGN(auto folder, process::SecretFolder::make(pachctl.scratch()));
  const fs::path configuration = folder.path() / "config.json";
  // The session's token is in it.
  constexpr mode_t k_private = 0600;
  if (const auto original = pachctl.configuration(); fs::exists(original, error)) {
    BASE_TRY(base::copy_regular_file(original, configuration, k_private));
  }
  Transaction transaction(std::move(folder), pachctl.with_configuration(configuration));
  transaction.m_open = false;
  BASE_TRY_ASSIGN(const std::string answer, transaction.m_pachctl.call_anywhere({"start", "transaction"}));
  transaction.m_open = true;
  transaction.m_id = id_in(answer);
  if (transaction.m_id.empty())
    return base::fail(base::ErrorKind::io, "pachctl start transaction", "returned no id");
  return transaction;
}

Transaction::Transaction(Transaction&& other) noexcept
    : m_folder(std::move(other.m_folder)),
      m_pachctl(std::move(other.m_pachctl)),
      m_id(std::move(other.m_id)),
      m_open(std::exchange(other.m_open, false)) {}

Transaction::~Transaction() {
  if (m_open) (void)m_pachctl.call_anywhere({"delete", "transaction"});
}

base::Status Transaction::finish() {
  // One that cannot be finished stays in the cluster until it is deleted.
  BASE_TRY(m_pachctl.call_anywhere({"finish", "transaction"}));
  m_open = false;
  return {};
}

void delete_transactions(const Pachctl& pachctl, const std::vector<std::string>& branches) {
  std::vector<std::string> ids;
  (void)pachctl.list_anywhere({"list", "transaction"}, [&](const nlohmann::json& one) {
    if (deletes_one_of(one, branches)) ids.push_back(one.at("transaction").value("id", ""));
  });
  for (const auto& id : ids) {
    if (!id.empty()) (void)pachctl.call_anywhere({"delete", "transaction", id});
  }
}

}  // namespace cluster
