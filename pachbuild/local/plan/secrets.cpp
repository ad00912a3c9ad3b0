// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/plan/secrets.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <set>

#include "base/digest.h"
#include "base/errors.h"
#include "base/near.h"
#include "base/text.h"
#include "pachbuild/spec/document.h"

namespace local {
namespace {

namespace fs = base::fs;
using base::ErrorKind;
using nlohmann::json;

constexpr std::uint64_t k_largest_secret = std::uint64_t{1} << 20;  // as in Kubernetes
constexpr char k_random_file[] = "secret-key";
constexpr std::size_t k_random_bytes = 32;
constexpr char k_key_hint[] = "a key has letters, digits, '-', '_' and '.'";

// As Kubernetes takes keys: they name files.
bool is_key(const std::string& key) {
  const auto is_right = [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
           c == '_' || c == '.';
  };
  return !key.empty() && key != "." && !key.starts_with("..") &&
         std::all_of(key.begin(), key.end(), is_right);
}

base::Status add(SecretValues& values, const std::string& key, std::string value, const std::string& where) {
  if (!is_key(key)) {
    return base::fail(ErrorKind::bad_input, where, "invalid secret key " + base::quoted(key), k_key_hint);
  }
  values[key] = std::move(value);
  return {};
}

base::Result<SecretValues> read_folder(const fs::path& folder) {
  SecretValues values;
  boost::system::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const auto name = entry->path().filename().string();
    // Kubernetes keeps the files behind such names, and a link for each key.
    if (name.starts_with("..") || !fs::is_regular_file(entry->path())) continue;
    BASE_TRY_ASSIGN(auto value, base::read_input_file(entry->path(), k_largest_secret));
    BASE_TRY(add(values, name, std::move(value), entry->path().string()));
  }
  if (error) return base::fail(base::system_error("read", folder.string(), error.value()));
  return values;
}

base::Status add_manifest(SecretValues& values, const spec::Document& document) {
  const auto texts = [&](const char* field, bool is_encoded) -> base::Status {
    const auto found = document.value->find(field);
    if (found == document.value->end() || found->is_null()) return {};
    const std::string pointer = std::string("/") + field;
    if (!found->is_object())
      return base::fail(ErrorKind::bad_input, document.places.where(pointer),
                        field + std::string(" must be an object"));
    for (const auto& [key, value] : found->items()) {
      const auto where = document.places.where(spec::child_pointer(pointer, key));
      if (!value.is_string())
        return base::fail(ErrorKind::bad_input, where, pointer.substr(1) + "." + key + " must be a string");
      auto text =
          is_encoded ? base::from_base64(value.get_ref<const std::string&>()) : value.get<std::string>();
      if (!text) {
        return base::fail(ErrorKind::bad_input, where, "data." + key + " is not base64",
                          "put plain text into stringData");
      }
      BASE_TRY(add(values, key, std::move(*text), where));
    }
    return {};
  };
  BASE_TRY(texts("data", true));
  return texts("stringData", false);  // wins, as in Kubernetes
}

bool is_secret(const spec::Document& document, const std::string& name) {
  const auto& value = *document.value;
  if (!value.is_object() || value.value("kind", json()) != "Secret") return false;
  const auto metadata = value.find("metadata");
  return metadata != value.end() && metadata->is_object() && metadata->value("name", json()) == name;
}

base::Result<SecretValues> read_manifest(const std::string& name, const std::string& path,
                                         const std::string& text) {
  auto documents = spec::parse_documents(text, path);
  // Its own words may show a value.
  if (!documents) return base::fail(ErrorKind::bad_input, documents.error().where, "invalid JSON or YAML");
  const auto found = std::find_if(documents->begin(), documents->end(),
                                  [&](const auto& document) { return is_secret(document, name); });
  if (found == documents->end()) {
    return base::fail(ErrorKind::bad_input, path, "has no Secret named " + base::quoted(name),
                      "set kind: Secret and metadata.name: " + name);
  }
  SecretValues values;
  BASE_TRY(add_manifest(values, *found));
  return values;
}

// As `kubectl create secret --from-env-file` takes them.
base::Result<SecretValues> read_lines(const std::string& path, const std::string& text) {
  SecretValues values;
  std::size_t number = 0;
  for (auto line : base::split(text, '\n')) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    line.erase(0, std::min(line.find_first_not_of(" \t"), line.size()));
    if (line.empty() || line[0] == '#') continue;
    const std::string where = path + ":" + std::to_string(number);
    const auto equals = line.find('=');
    if (equals == std::string::npos) {
      return base::fail(ErrorKind::bad_input, where, "does not have the form KEY=VALUE",
                        "a Kubernetes manifest must be named *.json or *.yaml");
    }
    const std::string key = line.substr(0, equals);
    if (!is_key(key)) {
      return base::fail(ErrorKind::bad_input, where, "invalid secret key", k_key_hint);
    }
    values[key] = line.substr(equals + 1);
  }
  return values;
}

base::Result<SecretValues> read_secret(const std::string& name, const std::string& path,
                                       const std::string& where) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    const auto error = base::system_error("read", path, errno);
    return base::fail(ErrorKind::usage, where, error.what, base::did_you_mean_file(path));
  }
  if (S_ISDIR(status.st_mode)) return read_folder(path);
  BASE_TRY_ASSIGN(const auto text, base::read_input_file(path, k_largest_secret));
  const auto extension = fs::path(path).extension().string();
  const bool is_manifest = extension == ".json" || extension == ".yaml" || extension == ".yml";
  return is_manifest ? read_manifest(name, path, text) : read_lines(path, text);
}

// The random bytes of this cache, made by whoever needs them first.
base::Result<std::string> random_bytes(const fs::path& cache) {
  const fs::path path = cache / k_random_file;
  boost::system::error_code ignored;
  if (!fs::exists(path, ignored)) {
    std::array<char, k_random_bytes> bytes{};
    if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
      return base::fail(base::system_error("make", path.string(), errno));
    const fs::path fresh = cache / (k_random_file + ("." + std::to_string(::getpid())));
    BASE_TRY(base::write_file(fresh, {bytes.data(), bytes.size()}, 0600));
    const bool is_first = ::link(fresh.c_str(), path.c_str()) == 0;
    const int error_number = errno;
    BASE_TRY(base::remove_tree(fresh));
    if (!is_first && error_number != EEXIST)
      return base::fail(base::system_error("create", path.string(), error_number));
  }
  BASE_TRY_ASSIGN(auto bytes, base::read_input_file(path, k_largest_secret));
  if (bytes.size() == k_random_bytes) return bytes;
  return base::fail(ErrorKind::io, path.string(), "is damaged", "remove it");
}

struct MissingSecret {
  std::string name;
  std::vector<std::string> keys;  // that are needed of it; none: all that it has
};

}  // namespace

base::Result<Secrets> load_secrets(const std::vector<std::string>& options) {
  Secrets secrets;
  for (const auto& option : options) {
    const std::string where = "--secret " + option;
    const auto equals = option.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == option.size()) {
      return base::fail(ErrorKind::usage, where, "does not have the form NAME=PATH",
                        "for example --secret db=db.env");
    }
    const std::string name = option.substr(0, equals);
    if (secrets.contains(name))
      return base::fail(ErrorKind::usage, where, "names secret " + name + " a second time");
    BASE_TRY_ASSIGN(secrets[name], read_secret(name, option.substr(equals + 1), where));
  }
  return secrets;
}

base::Status check_secrets(const std::vector<const spec::PipelineSpec*>& specs, const Secrets& secrets) {
  std::string where;  // of the first that is missing
  std::vector<std::string> names;
  std::vector<MissingSecret> missing;
  for (const auto* spec : specs) {
    for (std::size_t i = 0; i < spec->transform.secrets.size(); ++i) {
      const auto& secret = spec->transform.secrets[i];
      names.push_back(secret.name);
      const auto found = secrets.find(secret.name);
      const bool is_there =
          found != secrets.end() && (secret.key.empty() || found->second.contains(secret.key));
      if (is_there) continue;
      if (missing.empty()) where = spec->places.where("/transform/secrets/" + std::to_string(i));
      auto known = std::find_if(missing.begin(), missing.end(),
                                [&](const MissingSecret& one) { return one.name == secret.name; });
      if (known == missing.end()) known = missing.insert(known, {secret.name, {}});
      auto& keys = known->keys;
      if (!secret.key.empty() && std::find(keys.begin(), keys.end(), secret.key) == keys.end())
        keys.push_back(secret.key);
    }
  }
  for (const auto& [name, values] : secrets) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    return base::fail(ErrorKind::usage, "--secret " + name, "no pipeline reads secret " + base::quoted(name),
                      base::did_you_mean(name, names));
  }
  if (missing.empty()) return {};
  std::vector<std::string> shown;
  std::vector<std::string> options;
  for (const auto& [name, keys] : missing) {
    const std::string of_keys =
        " (key" + std::string(keys.size() == 1 ? " " : "s ") + base::join(keys, ", ") + ")";
    shown.push_back(name + (keys.empty() ? "" : of_keys));
    if (!secrets.contains(name)) options.push_back("--secret " + name + "=PATH");
  }
  return base::fail(
      ErrorKind::usage, where,
      (missing.size() == 1 ? "no value was given for secret " : "no values were given for the secrets ") +
          base::join(shown, ", "),
      options.empty() ? "add the key to the file or folder that --secret names"
                      : "add " + base::join(options, " ") +
                            "; PATH is a folder with a file per key, a Kubernetes manifest, or a file with "
                            "KEY=VALUE lines");
}

base::Result<std::string> digest_of_secrets(const spec::PipelineSpec& spec, const Secrets& secrets,
                                            const fs::path& cache) {
  if (spec.transform.secrets.empty()) return std::string();
  BASE_TRY_ASSIGN(const auto random, random_bytes(cache));
  base::Sha256 digest;
  digest.update_field(random);
  for (const auto& secret : spec.transform.secrets) {
    for (const auto& field : {secret.name, secret.key, secret.mount_path, secret.env_var})
      digest.update_field(field);
    const auto& values = secrets.at(secret.name);
    digest.update_field(std::to_string(values.size()));
    for (const auto& [key, value] : values) {
      if (secret.mount_path.empty() && key != secret.key) continue;
      digest.update_field(key);
      digest.update_field(value);
    }
  }
  return digest.finish();
}

}  // namespace local
