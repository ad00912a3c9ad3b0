// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cluster/transaction.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace cluster {

namespace {

// The one in quotes of: started new transaction: "4bf5…".
std::string id_in(const std::string& answer) {
  const auto start = answer.find('"');
  const auto end = answer.rfind('"');
  return start == end ? "" : answer.substr(start + 1, end - start - 1);
}

bool needs_one_of(const nlohmann::json& transaction, const std::vector<std::string>& branches) {
  const auto requests = transaction.value("requests", nlohmann::json::array());
  // pachctl has a head that is a branch as an id.
  for (const auto* const place : {"/delete_branch/branch/name", "/create_branch/head/id"}) {
    const nlohmann::json::json_pointer name(place);
    const bool found = std::any_of(requests.begin(), requests.end(), [&](const auto& request) {
      return request.contains(name) && std::any_of(branches.begin(), branches.end(), [&](const auto& branch) {
               return request.at(name) == branch;
             });
    });
    if (found) return true;
  }
  return false;
}

}  // namespace

base::Result<Transaction> Transaction::start(const Pachctl& pachctl) {
  BASE_TRY_ASSIGN(auto transaction, prepare(pachctl));
  BASE_TRY(transaction.begin());
  return transaction;
}

base::Result<Transaction> Transaction::prepare(const Pachctl& pachctl) {
  BASE_TRY_ASSIGN(auto folder, process::SecretFolder::make(pachctl.scratch()));
  BASE_TRY_ASSIGN(auto own, pachctl.with_copied_configuration(folder.path() / "config.json"));
  return Transaction(std::move(folder), std::move(own));
}

base::Status Transaction::begin() {
  BASE_TRY_ASSIGN(const std::string answer, m_pachctl.call_anywhere({"start", "transaction"}));
  m_open = true;
  m_id = id_in(answer);
  if (m_id.empty()) return base::fail(base::ErrorKind::io, "pachctl start transaction", "returned no id");
  return {};
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
    if (needs_one_of(one, branches)) ids.push_back(one.at("transaction").value("id", ""));
  });
  for (const auto& id : ids) {
    if (!id.empty()) (void)pachctl.call_anywhere({"delete", "transaction", id});
  }
}

}  // namespace cluster
