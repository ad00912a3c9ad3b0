// SPDX-License-Identifier: Apache-2.0
// Beside the folder is a note: a line for each copied file, with the digest that it was copied by, what its
// status was then, and its name.
#include "builder-runtime/languages/declared/work_copy.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/relative_path.h"
#include "base/stop.h"
#include "base/text.h"
#include "builder-runtime/inputs.h"
#include "builder-runtime/languages/declared/layer_tree.h"

namespace builder::declared {
namespace {

struct Copied {
  std::string digest;  // and "x" in front of an executable file's
  std::string state;
};
using Note = std::map<std::string, Copied>;

// Names may have line ends: they are written as digits.
std::optional<std::string> from_hex(std::string_view digits) {
  std::string text;
  if (digits.size() % 2 != 0) return std::nullopt;
  const auto value = [](char digit) {
    return digit >= '0' && digit <= '9' ? digit - '0' : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
  };
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const int high = value(digits[i]);
    const int low = value(digits[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    text += static_cast<char>(high * 16 + low);
  }
  return text;
}

Note read_note(const fs::path& file) {
  Note note;
  const auto text = base::read_file(file).value_or("");
  for (const auto& line : base::split(text, '\n')) {
    const auto parts = base::split(line, '\t');
    if (parts.size() != 3) continue;
    if (auto name = from_hex(parts[2])) note[*name] = {parts[0], parts[1]};
  }
  return note;
}

std::string text_of(const Note& note) {
  std::string text;
  for (const auto& [name, copied] : note)
    text += base::join({copied.digest, copied.state, base::to_hex(name)}, "\t") + "\n";
  return text;
}

}  // namespace

base::Result<WorkCopy> WorkCopy::open(const fs::path& folder) {
  BASE_TRY(base::make_folders(folder, base::k_owner_writes));
  BASE_TRY_ASSIGN(auto lock, base::FileLock::acquire(folder.string() + ".lock"));
  return WorkCopy(folder, std::move(lock));
}

base::Status WorkCopy::bring_up_to_date(const SourceFiles& files, const std::vector<SourceFile>& chosen) {
  BASE_TRY_ASSIGN(const auto digests, files.digests_of(chosen));
  BASE_TRY_ASSIGN(auto tree, LayerTree::open(m_folder));
  const Note former = read_note(note());
  Note now;
  for (const auto& file : chosen)
    now[file.name].digest = (file.is_executable ? "x" : "") + digests.at(file.name);
  for (const auto& [name, copied] : former) {
    if (!now.contains(name)) BASE_TRY(tree.remove_path(name));
  }
  for (const auto& file : chosen) {
    BASE_TRY(base::check_stop());
    auto& copied = now[file.name];
    const fs::path path = m_folder / file.name;
    const auto known = former.find(file.name);
    copied.state = state_of_file(path);
    if (known != former.end() && known->second.digest == copied.digest && known->second.state == copied.state)
      continue;
    BASE_TRY(tree.add_file(files.path_of(file.name), file.name, file.is_executable));
    copied.state = state_of_file(path);
  }
  return base::write_file(note(), text_of(now));
}

}  // namespace builder::declared
