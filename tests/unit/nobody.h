// SPDX-License-Identifier: Apache-2.0
// For tests of what a person may not read: root may read everything.
#pragma once

#include <unistd.h>

// While it lives, root is the user nobody; any other user stays who they are.
class Nobody {
 public:
  Nobody() {
    constexpr uid_t k_nobody = 65534;
    if (m_user == 0 && ::seteuid(k_nobody) != 0) ::_exit(1);
  }
  Nobody(const Nobody&) = delete;
  Nobody& operator=(const Nobody&) = delete;
  ~Nobody() {
    if (m_user == 0 && ::seteuid(m_user) != 0) ::_exit(1);
  }

 private:
  uid_t m_user = ::geteuid();
};
