// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdio>
#include <string>

namespace shim {

// A tar, written by hand so that it can hold what no archiver would write. Format: ustar (POSIX, pax).
class Tar {
 public:
  Tar& file(const std::string& name, const std::string& content, unsigned mode = 0644) {
    return add('0', name, {}, content, mode);
  }
  Tar& folder(const std::string& name) { return add('5', name, {}, {}, 0700); }
  Tar& link(const std::string& name, const std::string& target) { return add('2', name, target, {}, 0777); }
  Tar& hard_link(const std::string& name, const std::string& target) { return add('1', name, target, {}, 0); }
  Tar& device(const std::string& name) { return add('3', name, {}, {}, 0666); }
  // A name (key "path") or target ("linkpath") of any length and bytes for the next entry, as pax gives it.
  Tar& pax(const std::string& key, const std::string& value) {
    const std::string rest = " " + key + "=" + value + "\n";
    std::size_t length = rest.size() + 1;
    while (std::to_string(length).size() + rest.size() != length) ++length;
    return add('x', "pax", {}, std::to_string(length) + rest, 0644);
  }

  // Any entry. The header's fields for name and target hold 100 bytes.
  Tar& add(char type, const std::string& name, const std::string& target, const std::string& content,
           unsigned mode) {
    std::string header(512, '\0');
    const auto put = [&](std::size_t offset, const std::string& text) {
      header.replace(offset, text.size(), text);
    };
    const auto octal = [](std::size_t value, int digits) {
      std::array<char, 16> text{};
      std::snprintf(text.data(), text.size(), "%0*zo", digits, value);
      return std::string(text.data());
    };
    put(0, name.substr(0, 100));
    put(100, octal(mode, 7));
    put(124, octal(content.size(), 11));
    put(136, octal(0, 11));
    put(148, std::string(8, ' '));
    header[156] = type;
    put(157, target.substr(0, 100));
    put(257, "ustar");
    put(263, "00");
    std::size_t sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    put(148, octal(sum, 6) + std::string("\0 ", 2));
    m_bytes += header + content + std::string((512 - content.size() % 512) % 512, '\0');
    return *this;
  }

  [[nodiscard]] std::string bytes() const { return m_bytes + std::string(1024, '\0'); }

 private:
  std::string m_bytes;
};

}  // namespace shim
