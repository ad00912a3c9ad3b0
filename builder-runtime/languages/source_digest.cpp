// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/source_digest.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/errors.h"
#include "base/text.h"

namespace builder {
namespace {

namespace fs = base::fs;

using Identity = std::pair<dev_t, ino_t>;

class Walk {
 public:
  // `name` is the path inside the source, "" for the source itself.
  base::Status add_folder(const fs::path& folder, const std::string& name) {
    struct stat status{};
    if (::stat(folder.c_str(), &status) != 0)
      return base::fail(base::system_error("read", folder.string(), errno));
    if (!m_seen.emplace(status.st_dev, status.st_ino).second) return {};
    BASE_TRY_ASSIGN(const auto entries, sorted_names(folder));
    for (const auto& entry : entries) {
      BASE_TRY(add_entry(folder / entry, name.empty() ? entry : base::join({name, entry}, "/")));
    }
    return {};
  }

  base::Result<std::string> finish() {
    BASE_TRY(read_files());
    base::Sha256 digest;
    for (const auto& entry : m_entries) {
      for (const std::string_view field :
           {entry.kind, std::string_view(entry.name), std::string_view(*entry.digest)})
        digest.update_field(field);
    }
    return digest.finish();
  }

 private:
  struct Entry {
    std::string_view kind;
    std::string name;
    fs::path file;  // to be read; empty: there is nothing to read
    base::Result<std::string> digest = std::string();
  };

  // On all processors: for a small file nearly all of the time goes to opening it.
  base::Status read_files() {
    constexpr std::size_t k_worth_a_thread = 200;
    std::atomic<std::size_t> next = 0;
    const auto read = [&] {
      for (std::size_t i = next++; i < m_entries.size(); i = next++) {
        Entry& entry = m_entries[i];
        if (!entry.file.empty()) entry.digest = base::sha256_of_file(entry.file.string());
      }
    };
    {
      std::vector<std::jthread> others;
      const std::size_t wanted =
          std::min<std::size_t>(std::thread::hardware_concurrency(), m_entries.size() / k_worth_a_thread);
      while (others.size() + 1 < wanted) others.emplace_back(read);
      read();
    }
    for (auto& entry : m_entries) BASE_TRY(entry.digest);
    return {};
  }

  static base::Result<std::vector<std::string>> sorted_names(const fs::path& folder) {
    std::vector<std::string> names;
    boost::system::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
      names.push_back(entry->path().filename().string());
    }
    if (error) return base::fail(base::system_error("read", folder.string(), error.value()));
    std::sort(names.begin(), names.end());
    return names;
  }

  base::Status add_entry(const fs::path& path, const std::string& name) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) {
      // A link to nowhere is content too: it may begin to lead somewhere.
      if (errno != ENOENT && errno != ELOOP)
        return base::fail(base::system_error("read", path.string(), errno));
      m_entries.push_back({"broken link", name});
      return {};
    }
    if (S_ISDIR(status.st_mode)) {
      m_entries.push_back({"folder", name});
      return add_folder(path, name);
    }
    if (!S_ISREG(status.st_mode)) {
      return base::fail(base::ErrorKind::bad_input, path.string(), "is neither a file nor a folder");
    }
    m_entries.push_back({"file", name, path});
    return {};
  }

  std::vector<Entry> m_entries;
  std::set<Identity> m_seen;
};

}  // namespace

base::Result<std::string> digest_of_folder(const fs::path& folder) {
  Walk walk;
  BASE_TRY(walk.add_folder(folder, ""));
  return walk.finish();
}

}  // namespace builder
