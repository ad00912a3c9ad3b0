// SPDX-License-Identifier: Apache-2.0
// Several changes of a cluster that happen together or not at all.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "pachbuild/cluster/pachctl.h"
#include "process/secret_folder.h"

namespace cluster {

class Transaction {
 public:
  // pachctl keeps the transaction that it is in in its configuration: this one has a copy of its own, so that
  // the person's other terminals are not in it as well.
  static base::Result<Transaction> start(const Pachctl& pachctl);
  // The same in two steps. Only the second calls pachctl, with pachctl() of this.
  static base::Result<Transaction> prepare(const Pachctl& pachctl);
  base::Status begin();

  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  // What was not finished does not happen.
  ~Transaction();

  // For the calls that belong to it.
  [[nodiscard]] const Pachctl& pachctl() const { return m_pachctl; }
  base::Status finish();
  // The jobs that it starts have the same id.
  [[nodiscard]] const std::string& id() const { return m_id; }

 private:
  Transaction(process::SecretFolder folder, Pachctl pachctl)
      : m_folder(std::move(folder)), m_pachctl(std::move(pachctl)) {}

  process::SecretFolder m_folder;
  Pachctl m_pachctl;
  std::string m_id;
  bool m_open = false;
};

// Deletes the transactions that would delete one of `branches`, or make one of them the head of another: they
// are gone, and so these cannot be finished any more. Best effort.
void delete_transactions(const Pachctl& pachctl, const std::vector<std::string>& branches);

}  // namespace cluster
