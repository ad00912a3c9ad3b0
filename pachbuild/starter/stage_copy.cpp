// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/starter/stage_copy.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>

#include "base/files.h"
#include "base/relative_path.h"
#include "base/text.h"

namespace starter {
namespace {

using Kind = PipItem::Kind;

constexpr std::uint64_t k_largest_list = std::uint64_t{1} << 20;

bool has_related(const std::vector<std::string>& paths, const std::string& path) {
  return std::any_of(paths.begin(), paths.end(), [&](const std::string& each) {
    return is_in_folder(path, each) || is_in_folder(each, path);
  });
}

base::Status take_file(ImageRecipe& image, const StageCopy& copy, const std::string& path) {
  if (image.files.files().contains(path)) return {};
  return image.files.add({.files = {{"", copy.stage->files.files().at(path)}}}, "", path, false, copy.where);
}

void take_notes(ImageRecipe& image, const StageCopy& copy) {
  for (const auto& note : copy.stage->notes) {
    const auto is_same = [&](const Note& other) {
      return other.where == note.where && other.what == note.what;
    };
    if (std::none_of(image.notes.begin(), image.notes.end(), is_same)) image.notes.push_back(note);
  }
}

base::Status take_program(ImageRecipe& image, const StageCopy& copy) {
  image.is_go = true;
  for (const auto& program : copy.stage->go_programs) {
    if (program != copy.source && is_in_folder(program, copy.source))
      image.go_programs.push_back(image_path(copy.target, path_in_folder(program, copy.source)));
  }
  image.go_programs.push_back(copy.into_folder ? image_path(copy.target, base::name_of(copy.source))
                                               : copy.target);
  for (const auto& [path, file] : copy.stage->files.files()) BASE_TRY(take_file(image, copy, path));
  return {};
}

// Where the image has a file of the build context too, without the part of its path that is below what was
// asked for; empty: nowhere.
std::string counterpart_in(const ImageFiles& files, const ContextFile& wanted) {
  const std::string behind = wanted.path.empty() ? "" : "/" + wanted.path;
  for (const auto& [path, file] : files.files()) {
    boost::system::error_code error;
    if (path.ends_with(behind) && file.filename() == wanted.file.filename() &&
        base::fs::equivalent(file, wanted.file, error))
      return image_path("/", path.substr(0, path.size() - behind.size()));
  }
  return "";
}

// The files that an item names come along, unless the image has them anyway: then the item names those.
base::Status take_files_of(ImageRecipe& image, const StageCopy& copy, PipItem& item) {
  const ImageFiles& files = copy.stage->files;
  const auto entry = files.entry(item.text);
  if (entry.files.empty()) return {};
  if (auto counterpart = counterpart_in(image.files, entry.files.front()); !counterpart.empty()) {
    item.text = std::move(counterpart);
    return {};
  }
  if (item.kind != Kind::file && item.kind != Kind::constraints) {
    for (const auto& file : entry.files) BASE_TRY(take_file(image, copy, image_path(item.text, file.path)));
    return {};
  }
  std::set<std::string> lists;
  add_included_lists(files, item.text, lists);
  for (const auto& path : lists) BASE_TRY(take_file(image, copy, path));
  image.package_lists.insert(lists.begin(), lists.end());
  return {};
}

base::Status take_packages(ImageRecipe& image, const StageCopy& copy) {
  const ImageRecipe& stage = *copy.stage;
  if (!image.is_python && stage.is_python) {
    image.is_python = true;
    image.python_version = stage.python_version;
  }
  image.uses_pip = true;
  image.build_env.insert(stage.build_env.begin(), stage.build_env.end());
  image.package_folders.insert(image.package_folders.end(), stage.package_folders.begin(),
                               stage.package_folders.end());
  std::vector<std::pair<std::size_t, PipItem>> items;
  for (const auto& each : stage.pip) {
    // A stage below both is a part of both.
    const bool is_known = std::any_of(image.pip.begin(), image.pip.end(), [&](const auto& other) {
      return other.first == each.first && other.second.kind == each.second.kind;
    });
    if (is_known) continue;
    auto& [line, item] = items.emplace_back(each);
    if (item.kind != Kind::line) BASE_TRY(take_files_of(image, copy, item));
  }
  image.pip.insert(image.pip.begin(), items.begin(), items.end());
  for (const auto& list : stage.package_lists) {
    PipItem item = {Kind::file, list};
    BASE_TRY(take_files_of(image, copy, item));
  }
  return {};
}

}  // namespace

void add_included_lists(const ImageFiles& files, const std::string& first, std::set<std::string>& lists) {
  std::vector<std::string> waiting = {first};
  while (!waiting.empty()) {
    const std::string path = std::move(waiting.back());
    waiting.pop_back();
    const auto found = files.files().find(path);
    if (found == files.files().end() || !lists.insert(path).second) continue;
    const auto text = base::read_input_file(found->second, k_largest_list);
    for (const auto& line : base::split(text.value_or(""), '\n')) {
      const auto words = base::words(line);
      if (words.size() == 2 &&
          (words[0] == "-r" || words[0] == "-c" || words[0] == "--requirement" || words[0] == "--constraint"))
        waiting.push_back(image_path(base::folder_of(path), words[1]));
    }
  }
}

base::Status copy_files(ImageRecipe& image, StageCopy& copy) {
  const ImageRecipe& stage = *copy.stage;
  const auto entry = stage.files.entry(copy.source);
  copy.has_files = !entry.files.empty();
  copy.has_program =
      has_related(stage.go_programs, copy.source) && !stage.files.files().contains(copy.source);
  copy.has_packages = stage.uses_pip && has_related(stage.package_folders, copy.source);
  return image.files.add(entry, base::name_of(copy.source), copy.target, copy.into_folder, copy.where);
}

base::Status take_over(ImageRecipe& image, std::vector<StageCopy>& copies) {
  for (const auto& copy : copies) {
    if (copy.has_packages) BASE_TRY(take_packages(image, copy));
  }
  const auto& files = image.files.files();
  const bool is_python =
      image.is_python || image.uses_pip ||
      std::any_of(files.begin(), files.end(), [](const auto& file) { return file.first.ends_with(".py"); });
  for (auto& copy : copies) {
    const bool takes_program = copy.has_program && !is_python;
    if (takes_program) BASE_TRY(take_program(image, copy));
    if (copy.has_program && is_python)
      image.notes.push_back({copy.where, copy.text + ": not converted: a pipeline has one language"});
    copy.is_used = copy.has_files || copy.has_packages || takes_program;
    if (copy.is_used) take_notes(image, copy);
  }
  return {};
}

}  // namespace starter
