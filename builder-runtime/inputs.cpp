// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/inputs.h"

#include <sys/stat.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <tuple>
#include <utility>

#include "base/credentials.h"
#include "base/digest.h"
#include "base/text.h"
#include "builder-runtime/languages/source_digest.h"

namespace builder {
namespace {

constexpr std::size_t k_shown_digits = 12;

bool is_before(const Input& one, const Input& other) {
  return std::tie(one.kind, one.name, one.text, one.path) <
         std::tie(other.kind, other.name, other.text, other.path);
}

// Fields are separated by tabs, inputs by newlines.
std::string on_one_line(std::string text) {
  std::replace_if(text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7F; }, ' ');
  return text;
}

std::vector<Input> sorted(std::vector<Input> inputs) {
  std::sort(inputs.begin(), inputs.end(), is_before);
  return inputs;
}

}  // namespace

void Inputs::add_value(std::string name, std::string text) {
  m_inputs.push_back({.kind = "value", .name = std::move(name), .text = std::move(text)});
}

void Inputs::add_tool(std::string name, fs::path path, std::string text) {
  m_inputs.push_back(
      {.kind = "tool", .name = std::move(name), .text = std::move(text), .path = std::move(path)});
}

void Inputs::add_variable(std::string name, const std::string& value) {
  // The digest, since a value may be long, and private when inputs are shown.
  m_inputs.push_back(
      {.kind = "variable", .name = std::move(name), .text = base::sha256(base::without_credentials(value))});
}

base::Result<std::string> Inputs::add_file(std::string name, const fs::path& path) {
  m_seen.push_back({.path = path, .state = state_of_file(path)});
  if (m_seen.back().state == "none") return std::string();
  BASE_TRY_ASSIGN(std::string content, base::read_input_file(path));
  m_seen.back().digest = base::sha256(base::without_credentials(content));
  add_file_as(std::move(name), path, m_seen.back().digest);
  return content;
}

void Inputs::add_file_as(std::string name, const fs::path& path, std::string text) {
  m_inputs.push_back({.kind = "file", .name = std::move(name), .text = std::move(text), .path = path});
}

base::Status Inputs::add_tree(const std::string& name, const fs::path& path) {
  boost::system::error_code error;
  if (!fs::is_directory(path, error)) {
    m_seen.push_back({.path = path, .state = state_of_file(path)});
    if (!fs::is_regular_file(path, error)) return {};
    BASE_TRY_ASSIGN(std::string digest, base::sha256_of_file(path.string()));
    add_file_as(name, path, std::move(digest));
    return {};
  }
  BASE_TRY_ASSIGN(auto digest, digest_of_folder(path));
  add_folder(name, path, std::move(digest.content), std::move(digest.state));
  return {};
}

void Inputs::add_folder(std::string name, const fs::path& path, std::string digest, std::string state) {
  m_seen.push_back({.path = path, .digest = digest, .state = std::move(state), .is_folder = true});
  m_inputs.push_back({.kind = "folder", .name = std::move(name), .text = std::move(digest), .path = path});
}

void Inputs::add_files(std::string name, const fs::path& folder, std::string digest, std::string seen,
                       SeenNow seen_now) {
  m_seen.push_back({.path = folder, .state = std::move(seen), .seen_now = std::move(seen_now)});
  m_inputs.push_back({.kind = "files", .name = std::move(name), .text = std::move(digest), .path = folder});
}

void Inputs::watch_file(const fs::path& path) {
  m_seen.push_back({.path = path, .state = state_of_file(path)});
}

void Inputs::except(std::string kind, std::string name, const fs::path& path, std::string reason) {
  boost::system::error_code error;
  if (!path.empty() && !fs::exists(path, error)) return;
  m_inputs.push_back({.kind = std::move(kind),
                      .name = std::move(name),
                      .text = "",
                      .path = path,
                      .reason = std::move(reason)});
}

void Inputs::add(const Inputs& other) {
  m_inputs.insert(m_inputs.end(), other.m_inputs.begin(), other.m_inputs.end());
  m_seen.insert(m_seen.end(), other.m_seen.begin(), other.m_seen.end());
}

std::string Inputs::key() const {
  base::Sha256 key;
  for (const auto& input : sorted(m_inputs)) {
    if (!input.reason.empty()) continue;
    for (const auto& field : {input.kind, input.name, input.text}) key.update_field(field);
  }
  return key.finish();
}

base::Result<std::string> Inputs::changed() const {
  // The content as well as the state: the clock of a file system is too coarse for two changes within
  // milliseconds.
  for (const auto& seen : m_seen) {
    if (seen.is_folder) {
      BASE_TRY_ASSIGN(const auto now, digest_of_folder(seen.path));
      if (now.content != seen.digest || now.state != seen.state) return seen.path.string();
      continue;
    }
    if (seen.seen_now) {
      BASE_TRY_ASSIGN(const auto now, seen.seen_now());
      if (now != seen.state) return seen.path.string();
      continue;
    }
    if (state_of_file(seen.path) != seen.state) return seen.path.string();
    if (seen.digest.empty()) continue;
    const auto content = base::read_input_file(seen.path);
    if (!content || base::sha256(base::without_credentials(*content)) != seen.digest)
      return seen.path.string();
  }
  return std::string();
}

std::vector<ShownInput> Inputs::shown() const {
  std::vector<ShownInput> all;
  for (const auto& input : sorted(m_inputs)) {
    std::string text = base::is_digest(input.text) ? input.text.substr(0, k_shown_digits) : input.text;
    if (!input.reason.empty()) text = "not in the key: " + input.reason;
    all.push_back({.kind = on_one_line(input.kind),
                   .name = on_one_line(input.name),
                   .text = on_one_line(std::move(text)),
                   .path = on_one_line(input.path.string()),
                   .in_key = input.reason.empty()});
  }
  return all;
}

std::string Inputs::lines() const {
  std::string text;
  for (const auto& input : shown())
    text += base::join({input.kind, input.name, input.text, input.path}, "\t") + "\n";
  return text;
}

std::string state_of_file(const fs::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    // What this user may not look at is not there for the tools either.
    const bool is_missing = errno == ENOENT || errno == ENOTDIR || errno == EACCES;
    return is_missing ? "none" : "error " + std::to_string(errno);
  }
  return base::join({std::to_string(status.st_dev), std::to_string(status.st_ino),
                     std::to_string(status.st_size), std::to_string(status.st_mode),
                     std::to_string(status.st_mtim.tv_sec), std::to_string(status.st_mtim.tv_nsec),
                     std::to_string(status.st_ctim.tv_sec), std::to_string(status.st_ctim.tv_nsec)},
                    " ");
}

}  // namespace builder
