// SPDX-License-Identifier: Apache-2.0
// Credentials in URLs (scheme://user:password@host): the one place that finds them, to hide them from whoever
// reads a log and to take them out of what is kept.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace base {

// `text` with the password of every URL as "***": "https://me:***@host/". A user that is itself the secret,
// as tokens are, is hidden as well.
std::string hide_credentials(std::string_view text);

// `text` with neither user nor password in its URLs: "https://host/".
std::string without_credentials(std::string_view text);

// Hides credentials in a text that comes in pieces of any size.
class CredentialFilter {
 public:
  // What may be shown now. The end of a URL may be kept back until it is known where it ends.
  [[nodiscard]] std::string add(std::string_view piece);
  // What was kept back.
  [[nodiscard]] std::string finish();

 private:
  std::string m_kept;
  bool m_is_overlong = false;  // inside of a URL that is too long to be kept: the rest of it is not shown
};

// A URL's user and password, as they are written (percent-encoded).
struct UrlCredentials {
  std::string scheme;  // "https", "git+https"
  std::string user;
  std::string password;  // empty when there is none
  std::string host;      // with the port, as written
  bool operator==(const UrlCredentials&) const = default;
};

// Those of every URL in `text` that has some, in its order.
std::vector<UrlCredentials> credentials_in(std::string_view text);

}  // namespace base
