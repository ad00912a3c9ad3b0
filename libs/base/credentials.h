// SPDX-License-Identifier: Apache-2.0
// Finds credentials in URLs (scheme://user:password@host), to hide them in logs and to remove them from
// files. All other code uses this.
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
  // The text that can be shown now. A URL is kept back until its end is known.
  [[nodiscard]] std::string add(std::string_view piece);
  // The rest.
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

// The credentials of every URL in `text` that has any, in order.
std::vector<UrlCredentials> credentials_in(std::string_view text);

}  // namespace base
