// SPDX-License-Identifier: Apache-2.0
// uv starts git with the URL of a requirement as an argument, which every user of the machine can read. So
// the credentials are taken out of such URLs, and git gets them from a credential helper, whose secrets are
// in variables that only this user can read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "process/command.h"

namespace builder::python {

class GitCredentials {
 public:
  // Where ${NAME} in a URL is looked up, as uv does it.
  explicit GitCredentials(const process::Environment& environment) : m_environment(environment) {}

  // Whether a text contains credentials: "x @ git+https://user:password@host/x", git = "https://…".
  static bool are_in(std::string_view text);

  // Removes the credentials from the text and remembers them.
  std::string take(std::string_view text);

  // Sets up git to use the remembered credentials.
  void add_to(process::Environment& environment) const;

 private:
  struct Entry {
    std::string scope;  // "https://host:8443"
    std::string path;   // "team/repository.git"
    std::string user;
    std::string password;
    bool has_password = false;
    bool operator==(const Entry&) const = default;
  };
  const process::Environment& m_environment;
  std::vector<Entry> m_entries;
};

}  // namespace builder::python
