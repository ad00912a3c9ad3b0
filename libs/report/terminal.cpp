// SPDX-License-Identifier: Apache-2.0
#include "report/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include "base/text.h"

namespace report {
namespace {

std::string_view text_of(const Variable& variable, const char* name) {
  const char* const value = variable(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

template <class List>
bool is_among(std::string_view value, const List& list) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

// A path as a URI has it.
std::string uri_of(std::string_view path) {
  constexpr char k_digits[] = "0123456789ABCDEF";
  std::array<char, 256> host{};
  static_cast<void>(::gethostname(host.data(), host.size() - 1));
  std::string uri = std::string("file://") + host.data();
  for (const char character : path) {
    const auto byte = static_cast<unsigned char>(character);
    if (std::isalnum(byte) != 0 || base::contains("/-._~", character)) {
      uri += character;
    } else {
      uri += {'%', k_digits[byte >> 4U], k_digits[byte & 15U]};
    }
  }
  return uri;
}

}  // namespace

const char* own_variable(const char* name) { return std::getenv(name); }

bool is_terminal() { return ::isatty(STDERR_FILENO) == 1; }

bool has_control_sequences(const Variable& variable) {
  const auto term = text_of(variable, "TERM");
  return !term.empty() && term != "dumb";
}

bool has_colours(const Variable& variable) { return text_of(variable, "NO_COLOR").empty(); }

bool has_hyperlinks(const Variable& variable) {
  constexpr std::array<std::string_view, 8> k_programs = {"Hyper",  "iTerm.app", "terminology", "WezTerm",
                                                          "vscode", "ghostty",   "zed",         "rio"};
  constexpr std::array<std::string_view, 5> k_terms = {"xterm-kitty", "alacritty", "alacritty-direct",
                                                       "xterm-ghostty", "foot"};
  constexpr int k_first_vte = 5000;  // 0.50
  if (const char* const forced = variable("FORCE_HYPERLINK")) return std::string_view(forced) != "0";
  if (!has_control_sequences(variable)) return false;
  for (const char* const name : {"DOMTERM", "WT_SESSION", "KONSOLE_VERSION"}) {
    if (variable(name) != nullptr) return true;
  }
  const auto vte = text_of(variable, "VTE_VERSION");
  int version = 0;
  std::from_chars(vte.data(), vte.data() + vte.size(), version);
  if (version >= k_first_vte) return true;
  return is_among(text_of(variable, "TERM_PROGRAM"), k_programs) ||
         is_among(text_of(variable, "TERM"), k_terms) || text_of(variable, "COLORTERM") == "xfce4-terminal";
}

bool wraps_anew(const Variable& variable) {
  return variable("XTERM_VERSION") == nullptr && text_of(variable, "TERM") != "linux";
}

TerminalSize terminal_size() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0) return {};
  TerminalSize result;
  if (size.ws_col != 0) result.columns = size.ws_col;
  if (size.ws_row != 0) result.rows = size.ws_row;
  return result;
}

std::string link_to_file(const std::string& path, const std::string& text) {
  return "\x1b]8;;" + uri_of(path) + "\x1b\\" + text + "\x1b]8;;\x1b\\";
}

}  // namespace report
