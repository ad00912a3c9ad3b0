// SPDX-License-Identifier: Apache-2.0
// The two messages of the call by which a program with datum batching takes its datums one by one
// (src/worker/worker.proto of 2.12): a request with a text, a response with a list of texts.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace local {

inline constexpr char k_next_datum_path[] = "/pachyderm.worker.Worker/NextDatum";

// What went wrong with the last datum, as the program says; empty: nothing. Nothing for bytes that are no
// NextDatumRequest.
std::optional<std::string> decode_next_datum_request(std::string_view message);

// A NextDatumResponse with the variables as NAME=VALUE in their order, without those that are not UTF-8 and
// so cannot be in one.
std::string encode_next_datum_response(const std::vector<std::pair<std::string, std::string>>& variables);

}  // namespace local
