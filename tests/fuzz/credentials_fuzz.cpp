// SPDX-License-Identifier: Apache-2.0
// Passwords in text: whatever stands around one in a URL, it is not shown, in one piece or in many.
#include <algorithm>

#include "base/credentials.h"
#include "builder-runtime/languages/python/manifests/git_credentials.h"
#include "tests/fuzz/target.h"

namespace {

using fuzz::require;

constexpr std::string_view k_password = "Zq9xPasswordXq9z";

bool shows(std::string_view text) { return text.find(k_password) != std::string_view::npos; }

// `text` in pieces whose sizes come from `sizes`.
std::string filtered(std::string_view text, std::string_view sizes) {
  base::CredentialFilter filter;
  std::string shown;
  for (std::size_t i = 0; !text.empty(); ++i) {
    const std::size_t size = sizes.empty() ? 1 : 1 + static_cast<unsigned char>(sizes[i % sizes.size()]) % 40;
    shown += filter.add(text.substr(0, size));
    text.remove_prefix(std::min(size, text.size()));
  }
  return shown + filter.finish();
}

void hide_in_any_text(std::string_view text) {
  const std::string hidden = base::hide_credentials(text);
  require(base::hide_credentials(hidden) == hidden);
  require(filtered(text, text) == hidden);
  // A user alone, and behind it what may be one again.
  if (text.find("://git@") != std::string_view::npos) return;
  require(base::credentials_in(base::without_credentials(text)).empty());
}

// A URL with a password, between two other texts.
void hide_a_password(std::string_view input) {
  auto parts = fuzz::parts_of_input(input, 4);
  // What ends a URL or makes it another one cannot be in a password; a number before the first slash is a
  // port.
  const auto ends = [](unsigned char byte) { return byte <= ' ' || byte == 0x7F || byte == '@'; };
  std::erase_if(parts[1], ends);
  std::erase_if(parts[2], ends);
  parts[1].erase(0, std::min(parts[1].find_first_not_of("0123456789"), parts[1].size()));
  const std::string url = "https://me:" + parts[1] + std::string(k_password) + parts[2] + "@host/path";
  const std::string text = parts[0] + " " + url + parts[3];
  require(!shows(base::hide_credentials(text)));
  require(!shows(base::without_credentials(text)));
  require(!shows(filtered(text, input)));
}

// A password as it should be written, in a URL for git.
void take_for_git(std::string_view input) {
  auto parts = fuzz::parts_of_input(input, 3);
  const process::Environment none;
  builder::python::GitCredentials credentials(none);
  std::erase_if(parts[1], [](unsigned char byte) {
    return byte <= ' ' || byte == 0x7F ||
           std::string_view("@/?#\\\"'").find(static_cast<char>(byte)) != std::string_view::npos;
  });
  const std::string text =
      parts[0] + "x @ git+https://me:" + parts[1] + std::string(k_password) + "@host/x.git" + parts[2];
  require(builder::python::GitCredentials::are_in(text));
  const std::string rest = credentials.take(text);
  require(!shows(rest));
  require(!builder::python::GitCredentials::are_in(rest));
  process::Environment environment;
  credentials.add_to(environment);
  for (const auto& [name, value] : environment) {
    require(name.ends_with("_PASSWORD") || !shows(value));
    require(value.find('\n') == std::string::npos);
  }
}

}  // namespace

FUZZ_TARGET(credentials_fuzz, input) {
  // The fuzzer finds it out.
  if (shows(input)) return;
  switch (fuzz::take_choice(input, 3)) {
    case 0:
      return hide_in_any_text(input);
    case 1:
      return hide_a_password(input);
    default:
      return take_for_git(input);
  }
}
