// SPDX-License-Identifier: Apache-2.0
// What Go writes into every program about its making.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace builder::go {

// The modules in a program, sorted: "golang.org/x/net v0.30.0". `file` is the program's bytes; nothing for
// what Go 1.18 or later did not make.
std::optional<std::vector<std::string>> modules_in(std::string_view file);

}  // namespace builder::go
