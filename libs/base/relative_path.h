// SPDX-License-Identifier: Apache-2.0
// Paths below some folder, as text: "a/b/c", as PFS and archives hold them. Without "." and "..", and with no
// slash at either end; the folder itself is "".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace base {

// "a/b", or just one of them when the other is empty.
std::string join_path(std::string_view first, std::string_view second);

// "a/b" of "a/b/c"; "" of "c".
std::string folder_of(std::string_view path);

// "c" of "a/b/c".
std::string name_of(std::string_view path);

// "a" and "a/b" of "a/b/c".
std::vector<std::string> folders_above(std::string_view path);

// `path` as the system would read it, were there no links: without empty parts, "." and "..", which never
// leads above the beginning. "a/b" of "/a//./c/../b/".
std::string clean_path(std::string_view path);

// Whether `path` is `folder` or below it: "a" and "a/b" of "a", not "ab".
bool is_at_or_below(std::string_view path, std::string_view folder);

}  // namespace base
