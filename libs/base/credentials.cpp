// SPDX-License-Identifier: Apache-2.0
#include "base/credentials.h"

#include <algorithm>
#include <cctype>
#include <functional>

#include "base/text.h"

namespace base {
namespace {

constexpr std::string_view k_separator = "://";
constexpr std::string_view k_hidden = "***";
// "git@host" of ssh is not a secret.
constexpr std::string_view k_ssh_user = "git";
// Longer than any URL that tools print; what is longer is not kept in memory.
constexpr std::size_t k_longest_url = std::size_t{64} * 1024;

bool ends_url(char character) {
  const auto byte = static_cast<unsigned char>(character);
  return byte <= ' ' || byte == 0x7F;
}

bool is_of_scheme(char character) {
  return std::isalnum(static_cast<unsigned char>(character)) != 0 || character == '+' || character == '-' ||
         character == '.';
}

bool is_number(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char character) { return std::isdigit(character) != 0; });
}

// What ends with the first '@' that may end a user and password.
//
// A password should be percent-encoded. One that is not may have any character but white space, and then the
// URL is exactly of the kind that tools refuse and print: so where what looks like a port is no number (or
// nothing: "https://me:#x@host"), all up to the last '@' is taken for the password.
std::string_view shortest_user_info(std::string_view text) {
  const auto word = text.substr(
      0, static_cast<std::size_t>(std::find_if(text.begin(), text.end(), ends_url) - text.begin()));
  const auto authority = word.substr(0, word.find_first_of("/?#\\"));
  if (const auto sign = authority.rfind('@'); sign != std::string_view::npos) {
    // No host stands behind it: it belongs to the password, and so does what follows.
    return word.substr(0, sign + 1 == authority.size() ? word.rfind('@') : sign);
  }
  if (authority.starts_with('[')) return {};
  const auto colon = authority.find(':');
  const auto sign = word.rfind('@');
  if (sign == std::string_view::npos) return {};
  // How tools write "me:#x@host" after they have taken the colon for an empty port.
  if (colon == std::string_view::npos && word[authority.size()] == '#') return word.substr(0, sign);
  if (colon == std::string_view::npos) return {};
  auto port = authority.substr(colon + 1);
  // Quotes around a URL in a message do not belong to the port: "https://host:80".
  while (!port.empty() && contains("`'\")>,;:", port.back())) port.remove_suffix(1);
  return !port.empty() && is_number(port) ? std::string_view() : word.substr(0, sign);
}

// The user and password at the start of `text`, which is what stands behind "://". Empty when there are none.
// A user can be an address, "me@example.com:#x@host", and a password can have any number of '@': what is left
// is no user and password again. Only "git@" of ssh has no password.
std::string_view user_info(std::string_view text) {
  auto info = shortest_user_info(text);
  while (!info.empty() && info != k_ssh_user) {
    const auto next = shortest_user_info(text.substr(info.size() + 1));
    if (next.empty()) break;
    info = text.substr(0, info.size() + 1 + next.size());
  }
  return info;
}

// Whether a name is one that may be shown beside a hidden password. Some services take a token as the user.
bool is_plain_user(std::string_view user, std::string_view password) {
  constexpr std::size_t k_longest_user = 32;
  return !user.empty() && user.size() <= k_longest_user && !password.empty() && password != "x-oauth-basic" &&
         std::all_of(user.begin(), user.end(), [](unsigned char character) {
           return std::isalnum(character) != 0 || contains("._-+%", static_cast<char>(character));
         });
}

std::string hidden(std::string_view info) {
  if (info == k_ssh_user) return std::string(info);
  const auto colon = info.find(':');
  const auto user = info.substr(0, colon);
  const auto password = colon == std::string_view::npos ? std::string_view() : info.substr(colon + 1);
  return is_plain_user(user, password) ? std::string(user) + ":" + std::string(k_hidden)
                                       : std::string(k_hidden);
}

// `text` with every user info and its '@' replaced.
std::string replace_user_infos(std::string_view text,
                               const std::function<std::string(std::string_view)>& replacement) {
  std::string result;
  while (true) {
    const auto at = text.find(k_separator);
    if (at == std::string_view::npos) return result.append(text);
    result.append(text.substr(0, at + k_separator.size()));
    text.remove_prefix(at + k_separator.size());
    const auto info = user_info(text);
    if (info.empty()) continue;
    result += replacement(info);
    text.remove_prefix(info.size() + 1);
  }
}

// From where on `text` may be a URL that has not ended yet; its size when nothing is.
std::size_t start_of_unfinished(std::string_view text) {
  const auto word =
      static_cast<std::size_t>(text.rend() - std::find_if(text.rbegin(), text.rend(), ends_url));
  if (const auto at = text.find(k_separator, word); at != std::string_view::npos) return at;
  if (text.ends_with(":/")) return text.size() - 2;
  return text.ends_with(':') ? text.size() - 1 : text.size();
}

}  // namespace

std::string hide_credentials(std::string_view text) {
  return replace_user_infos(text, [](std::string_view info) { return hidden(info) + "@"; });
}

std::string without_credentials(std::string_view text) {
  return replace_user_infos(text, [](std::string_view) { return std::string(); });
}

std::string CredentialFilter::add(std::string_view piece) {
  if (m_is_overlong) {
    const auto end = std::find_if(piece.begin(), piece.end(), ends_url);
    piece.remove_prefix(static_cast<std::size_t>(end - piece.begin()));
    if (piece.empty()) return "";
    m_is_overlong = false;
  }
  m_kept += piece;
  const auto start = start_of_unfinished(m_kept);
  std::string shown = hide_credentials(std::string_view(m_kept).substr(0, start));
  m_kept.erase(0, start);
  if (m_kept.size() > k_longest_url) {
    shown += k_separator;
    shown += k_hidden;
    m_kept.clear();
    m_is_overlong = true;
  }
  return shown;
}

std::string CredentialFilter::finish() {
  std::string shown = hide_credentials(m_kept);
  m_kept.clear();
  m_is_overlong = false;
  return shown;
}

std::vector<UrlCredentials> credentials_in(std::string_view text) {
  std::vector<UrlCredentials> found;
  for (std::size_t at = 0; (at = text.find(k_separator, at)) != std::string_view::npos;) {
    const auto before = text.substr(0, at);
    const auto scheme_start = static_cast<std::size_t>(
        before.rend() - std::find_if_not(before.rbegin(), before.rend(), is_of_scheme));
    at += k_separator.size();
    const auto info = user_info(text.substr(at));
    if (info.empty()) continue;
    const auto colon = info.find(':');
    const auto rest = text.substr(at + info.size() + 1);
    const auto host_end = std::min(rest.find_first_of("/?#\\ \t\r\n\"'`<>"), rest.size());
    found.push_back({std::string(before.substr(scheme_start)), std::string(info.substr(0, colon)),
                     colon == std::string_view::npos ? "" : std::string(info.substr(colon + 1)),
                     std::string(rest.substr(0, host_end))});
    at += info.size() + 1;
  }
  return found;
}

}  // namespace base
