// SPDX-License-Identifier: Apache-2.0
// Nearly all of the time goes to the system's calls for many small files: so each folder is listed once and
// each file opened once, on all processors.
#include "builder-runtime/languages/source_digest.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/errors.h"
#include "base/inside.h"
#include "base/parallel.h"
#include "base/relative_path.h"
#include "base/text.h"

namespace builder {
namespace {

namespace fs = base::fs;

// Less than this is done before another thread has begun.
constexpr std::size_t k_folders_of_a_thread = 50;
constexpr std::size_t k_files_of_a_thread = 100;

struct Entry {
  std::string_view kind;
  std::string name;     // inside the source
  std::string content;  // its digest; of a link to a folder of the source, that folder's name
  bool is_shown = false;
  std::string state;  // of a file or folder, before it was read
};

struct Listing {
  std::vector<std::string> folders;
  std::vector<std::string> files;
  std::vector<std::string> links;
};

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

// Nobody can set the time of a change of the status (ctime), and each write makes it a new one.
std::string state_of(const struct stat& status) {
  return std::to_string(status.st_ino) + " " + std::to_string(status.st_size) + " " +
         std::to_string(status.st_ctim.tv_sec) + "." + std::to_string(status.st_ctim.tv_nsec);
}

// A folder's state is taken before it is listed.
std::string state_of(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 ? state_of(status) : "";
}

// What there is in one folder, by names inside the source.
base::Result<Listing> list_folder(const std::string& path, const std::string& name) {
  const std::unique_ptr<DIR, CloseFolder> folder(::opendir(path.c_str()));
  if (!folder) return base::fail(base::system_error("read", path, errno));
  Listing listing;
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(folder.get());
    if (entry == nullptr && errno != 0) return base::fail(base::system_error("read", path, errno));
    if (entry == nullptr) return listing;
    const std::string_view own = entry->d_name;
    // What git keeps changes when somebody only looks, and comes into no build (source_copy.cpp).
    if (own == "." || own == ".." || own == ".git") continue;
    unsigned type = entry->d_type;
    if (type == DT_UNKNOWN) {
      struct stat status{};
      if (::fstatat(::dirfd(folder.get()), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return base::fail(base::system_error("read", base::join_path(path, own), errno));
      type = IFTODT(status.st_mode);
    }
    if (type != DT_DIR && type != DT_REG && type != DT_LNK) {
      return base::fail(base::ErrorKind::bad_input, base::join_path(path, own),
                        "is neither a file nor a folder");
    }
    auto& names = type == DT_DIR ? listing.folders : type == DT_REG ? listing.files : listing.links;
    names.push_back(base::join_path(name, own));
  }
}

class Reading {
 public:
  Reading(std::string source, const FileChoice& is_chosen, const FileViewer& view)
      : m_source(std::move(source)), m_is_chosen(is_chosen), m_view(view) {}

  base::Result<FolderDigest> finish() {
    m_entries.push_back({"folder", "", "", false, state_of(m_source)});
    BASE_TRY(list_folders({""}, true));
    // A link may lead out of the source, to where there are more.
    for (std::size_t i = 0; i < m_links.size(); ++i) {
      const std::string name = m_links[i];
      BASE_TRY(follow(name));
    }
    BASE_TRY(base::in_parallel(
        m_entries.size(), [this](std::size_t i) { return read(m_entries[i]); }, k_files_of_a_thread));
    std::sort(m_entries.begin(), m_entries.end(),
              [](const Entry& a, const Entry& b) { return a.name < b.name; });
    base::Sha256 content;
    base::Sha256 state;
    for (const auto& entry : m_entries) {
      for (const std::string_view field :
           {entry.kind, std::string_view(entry.name), std::string_view(entry.content)})
        content.update_field(field);
      state.update_field(entry.state);
    }
    return FolderDigest{content.finish(), state.finish()};
  }

 private:
  [[nodiscard]] std::string path_of(const std::string& name) const { return base::join_path(m_source, name); }

  // These folders and all below them, a level at a time; links are left for later.
  base::Status list_folders(std::vector<std::string> level, bool is_source) {
    while (!level.empty()) {
      std::vector<Listing> listings(level.size());
      BASE_TRY(base::in_parallel(
          level.size(),
          [&](std::size_t i) -> base::Status {
            BASE_TRY_ASSIGN(listings[i], list_folder(path_of(level[i]), level[i]));
            return {};
          },
          k_folders_of_a_thread));
      level.clear();
      for (auto& listing : listings) {
        for (auto& name : listing.files) {
          const bool is_shown = is_source && m_is_chosen && m_is_chosen(name);
          m_entries.push_back({"file", std::move(name), "", is_shown});
        }
        std::sort(listing.links.begin(), listing.links.end());
        std::sort(listing.folders.begin(), listing.folders.end());
        std::move(listing.links.begin(), listing.links.end(), std::back_inserter(m_links));
        for (auto& name : listing.folders) {
          m_entries.push_back({"folder", name, "", false, state_of(path_of(name))});
          level.push_back(std::move(name));
        }
      }
    }
    return {};
  }

  base::Status follow(const std::string& name) {
    boost::system::error_code error;
    const fs::path target = fs::canonical(path_of(name), error);
    // A link to nowhere is content too: it may begin to lead somewhere.
    if (error == boost::system::errc::no_such_file_or_directory ||
        error == boost::system::errc::too_many_symbolic_link_levels ||
        error == boost::system::errc::not_a_directory) {
      m_entries.push_back({"broken link", name});
      return {};
    }
    const auto type = error ? fs::status_error : fs::status(target, error).type();
    if (error) return base::fail(base::system_error("read", path_of(name), error.value()));
    if (type == fs::regular_file) {
      m_entries.push_back({"file", name, "", m_is_chosen && is_in_source(name) && m_is_chosen(name)});
      return {};
    }
    if (type != fs::directory_file) {
      return base::fail(base::ErrorKind::bad_input, path_of(name), "is neither a file nor a folder");
    }
    if (m_root.empty()) m_root = fs::canonical(m_source);
    if (const auto inside = base::path_below(target, m_root)) {
      m_entries.push_back({"link", name, inside->string()});
      return {};
    }
    const auto [former, is_new] = m_outside.emplace(target.string(), name);
    if (!is_new) {
      m_entries.push_back({"link", name, former->second});
      return {};
    }
    m_entries.push_back({"folder", name, "", false, state_of(path_of(name))});
    return list_folders({name}, false);
  }

  // Whether no folder on the way to it is a link.
  [[nodiscard]] bool is_in_source(const std::string& name) const {
    return std::none_of(m_outside.begin(), m_outside.end(),
                        [&](const auto& outside) { return name.starts_with(outside.second + "/"); });
  }

  base::Status read(Entry& entry) const {
    if (entry.kind != "file") return {};
    const std::string path = path_of(entry.name);
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) return base::fail(base::system_error("read", path, errno));
    entry.state = state_of(status);
    if ((status.st_mode & S_IXUSR) != 0) entry.kind = "program";
    if (entry.is_shown) {
      BASE_TRY_ASSIGN(const std::string content, base::read_file(path));
      m_view(entry.name, content);
      entry.content = base::sha256(content);
      return {};
    }
    BASE_TRY_ASSIGN(entry.content, base::sha256_of_file(path));
    return {};
  }

  std::string m_source;
  const FileChoice& m_is_chosen;
  const FileViewer& m_view;
  fs::path m_root;  // the source without links; once it is needed
  std::vector<Entry> m_entries;
  std::vector<std::string> m_links;
  std::map<std::string, std::string> m_outside;  // folders outside by their paths: the first name of each
};

}  // namespace

base::Result<FolderDigest> digest_of_folder(const fs::path& folder, const FileChoice& is_chosen,
                                            const FileViewer& view) {
  return Reading(folder.string(), is_chosen, view).finish();
}

}  // namespace builder
