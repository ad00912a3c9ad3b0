// SPDX-License-Identifier: Apache-2.0
// The format: packaging.python.org, "pylock.toml Specification".
#include "builder-runtime/languages/python/locks/pylock.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <iterator>
#include <set>

#include "base/credentials.h"
#include "base/inside.h"
#include "base/text.h"
#include "builder-runtime/languages/python/manifests/local_targets.h"

namespace builder::python {
namespace {

namespace fs = base::fs;
using base::ErrorKind;
using data::Value;
using Kind = Value::Kind;

constexpr char k_file[] = "file:";

// Where a package's content comes from: each of these tables has a path or a URL.
std::vector<Value*> places_of(Value& package) {
  std::vector<Value*> places;
  for (const auto* key : {"directory", "archive", "sdist"}) {
    if (package.at(key).exists()) places.push_back(&package.member(key));
  }
  if (package.at("wheels").exists()) {
    for (auto& wheel : package.member("wheels").items) places.push_back(&wheel);
  }
  return places;
}

// Turns the place of something on this machine into a path: relative in the source, else absolute.
void normalise_place(Value& place, const fs::path& folder, const fs::path& source) {
  fs::path path;
  if (const auto url = place.text("url"); url.starts_with("file:")) {
    path = path_of_target(url);
  } else if (const auto text = place.text("path"); !text.empty()) {
    path = (fs::path(text).is_absolute() ? fs::path(text) : folder / text).lexically_normal();
  } else {
    return;
  }
  if (path.filename() == ".") path = path.parent_path();
  place.remove("url");
  place.member("path") = data::text_value(base::path_below(path, source).value_or(path).string());
}

// What says when and how something was published decides nothing.
void normalise(Value& package, const fs::path& folder, const fs::path& source) {
  for (auto* place : places_of(package)) {
    normalise_place(*place, folder, source);
    for (const auto* key : {"upload-time", "size"}) place->remove(key);
    // Nothing is installed as a link to a folder that is gone after the build.
    place->remove("editable");
  }
  if (const auto index = package.text("index"); index.starts_with(k_file)) {
    const auto below = base::path_below(path_of_target(index), source);
    if (below) package.member("index") = data::text_value(k_file + below->string());
  }
}

bool is_fixed(Value package) {
  if (package.at("directory").exists() || package.at("vcs").exists()) return false;
  const auto places = places_of(package);
  return !places.empty() && std::all_of(places.begin(), places.end(), [](const Value* place) {
    return !place->at("hashes").members.empty();
  });
}

std::string exact_requirement(const Value& package) {
  const auto name = package.text("name");
  const auto folder = [](const Value& place) {
    const auto text = place.text("subdirectory");
    return text.empty() ? std::string() : "#subdirectory=" + text;
  };
  for (const auto* key : {"directory", "archive"}) {
    const Value& place = package.at(key);
    if (!place.exists()) continue;
    const auto path = place.text("path");
    if (path.empty()) return name + " @ " + place.text("url") + folder(place);
    return path.front() == '/' || path == "." ? path : "./" + path;
  }
  if (const Value& vcs = package.at("vcs"); vcs.exists()) {
    const auto url = vcs.text("url").empty() ? "file://" + vcs.text("path") : vcs.text("url");
    return name + " @ " + vcs.text("type") + "+" + url + "@" + vcs.text("commit-id") + folder(vcs);
  }
  const auto version = package.text("version");
  return version.empty() ? name : name + "==" + version;
}

std::string hashed_line(Value package) {
  std::string line = exact_requirement(package);
  if (const auto marker = package.text("marker"); !marker.empty()) line += " ; " + marker;
  std::set<std::string> hashes;
  for (const auto* place : places_of(package)) {
    for (const auto& [algorithm, digest] : place->at("hashes").members)
      hashes.insert(algorithm + ":" + digest.scalar);
  }
  for (const auto& hash : hashes) line += " --hash=" + hash;
  return base::without_credentials(line);
}

}  // namespace

base::Result<Pylock> Pylock::read(const fs::path& file, const fs::path& folder, const fs::path& source) {
  BASE_TRY_ASSIGN(const Value lock, data::read_toml(file, file.string()));
  Pylock result;
  result.m_python = lock.text("requires-python");
  boost::system::error_code error;
  const auto start = fs::canonical(folder, error);
  const auto root = fs::canonical(source, error);
  if (error) return base::fail(ErrorKind::bug, source.string(), error.message());
  for (auto package : lock.at("packages").items) {
    normalise(package, start, root);
    result.m_packages.push_back(std::move(package));
  }
  return result;
}

Pylock Pylock::fixed() const {
  Pylock result{*this};
  std::erase_if(result.m_packages, [](const Value& package) { return !is_fixed(package); });
  return result;
}

Pylock Pylock::unhashed() const {
  Pylock result{*this};
  std::erase_if(result.m_packages, [](const Value& package) { return is_fixed(package); });
  return result;
}

std::vector<std::string> Pylock::requirements() const {
  std::vector<std::string> lines;
  std::transform(m_packages.begin(), m_packages.end(), std::back_inserter(lines), hashed_line);
  return lines;
}

std::string Pylock::text() const { return text(""); }

std::string Pylock::text(const fs::path& source) const {
  Value lock;
  lock.member("lock-version") = data::text_value("1.0");
  lock.member("created-by") = data::text_value("pachbuild");
  if (!m_python.empty()) lock.member("requires-python") = data::text_value(m_python);
  Value& packages = lock.member("packages");
  packages.kind = Kind::array;
  for (auto package : m_packages) {
    for (auto* place : places_of(package)) {
      const auto path = place->text("path");
      if (path.empty() || path.front() == '/' || source.empty()) continue;
      place->member("path") = data::text_value((path == "." ? source : source / path).string());
    }
    const auto index = package.text("index");
    if (index.starts_with(k_file) && !index.starts_with("file:/") && !source.empty()) {
      const auto path = source / index.substr(std::string_view(k_file).size());
      package.member("index") = data::text_value("file://" + path.string());
    }
    packages.items.push_back(std::move(package));
  }
  return data::to_toml(lock);
}

}  // namespace builder::python
