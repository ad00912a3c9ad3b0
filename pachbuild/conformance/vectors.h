// SPDX-License-Identifier: Apache-2.0
// The arguments that a probe has to get byte for byte.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace conformance {

using Words = std::vector<std::string>;

// Some always the same, some made of what shells, option parsers and text files stumble over; the same seed
// gives the same. All are UTF-8.
std::vector<Words> text_vectors(std::uint32_t seed);

// With bytes that are not UTF-8: in some languages a program cannot have such arguments.
std::vector<Words> byte_vectors(std::uint32_t seed);

}  // namespace conformance
