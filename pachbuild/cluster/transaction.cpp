// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cluster/transaction.h"

#include <boost/filesystem/operations.hpp>
#include <utility>

namespace cluster {

namespace fs = base::fs;

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
  BASE_TRY(transaction.m_pachctl.call_anywhere({"start", "transaction"}));
  transaction.m_open = true;
  return transaction;
}

Transaction::Transaction(Transaction&& other) noexcept
    : m_folder(std::move(other.m_folder)),
      m_pachctl(std::move(other.m_pachctl)),
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

}  // namespace cluster
