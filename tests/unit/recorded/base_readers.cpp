// SPDX-License-Identifier: Apache-2.0
// What all programs read: texts, records, settings, command lines.
#include "base/credentials.h"
#include "base/inside.h"
#include "base/near.h"
#include "base/text.h"
#include "builder-runtime/memory.h"
#include "builder-runtime/missing.h"
#include "builder-runtime/source/data.h"
#include "builder-runtime/source/ini.h"
#include "builder-runtime/source/source_settings.h"
#include "contract/build_record.h"
#include "contract/cache_limit.h"
#include "pachbuild/spec/duration.h"
#include "revision/revision.h"
#include "tests/unit/recorded/reader.h"
#include "worker-shim/args.h"
#include "worker-shim/record_lines.h"

namespace {

using Json = nlohmann::ordered_json;

RECORDED_READER(small_texts, input, answers) {
  const auto& text = input.line();
  if (const auto size = base::parse_size(text))
    answers.tell("size", {*size, base::format_bytes(*size), base::format_number(*size),
                          base::count_of(*size, "file")});
  if (const auto duration = spec::parse_duration(text))
    answers.tell("duration", {duration->count(), base::format_duration(*duration)});
  answers.tell("limit", contract::parse_cache_limit(text), [](const auto& limit) { return Json(limit); });
  answers.tell("shown", {base::printable(text), base::shortened(text, 10), base::quoted(text),
                         base::shell_quote(text), base::last_line(text)});
  answers.tell("other", {base::utf8_length(text), std::string(base::trim(text)), base::base64(text),
                         base::stays_inside(text)});
  answers.tell("near", {base::did_you_mean(
                            text, {"transform", "input", "parallelism_spec", "datum_tries", "Description"}),
                        base::did_you_mean(text, {}, "other")});
  answers.tell("missing", builder::missing_hint(text));
}

RECORDED_READER(credentials, input, answers) {
  const auto& text = input.line();
  answers.tell("hidden", base::hide_credentials(text));
  answers.tell("without", base::without_credentials(text));
  Json all = Json::array();
  for (const auto& one : base::credentials_in(text))
    all.push_back({one.scheme, one.user, one.password, one.host});
  answers.tell("found", all);
}

Json json_of(const builder::data::Value& value) {
  Json items = Json::array();
  for (const auto& item : value.items) items.push_back(json_of(item));
  Json members = Json::array();
  for (const auto& [key, member] : value.members) members.push_back({key, json_of(member)});
  return {builder::data::name_of(value.kind), value.scalar, value.line, items, members};
}

RECORDED_READER(data_files, input, answers) {
  const auto told = [](const auto& value) { return json_of(value); };
  answers.tell("toml", builder::data::read_toml(input.folder / "file", "file"), told);
  answers.tell("json", builder::data::read_json(input.folder / "file", "file"), told);
}

RECORDED_READER(ini_file, input, answers) {
  Json all = Json::object();
  for (const auto& [section, options] : builder::data::parse_ini(input.file("setup.cfg"))) {
    for (const auto& option : options) all[section].push_back({option.name, option.value, option.line});
  }
  answers.tell("ini", all);
}

RECORDED_READER(source_settings, input, answers) {
  answers.tell(
      "settings", builder::read_source_settings(input.folder), [](const builder::SourceSettings& all) {
        const auto& python = all.python;
        const auto& go = all.go;
        return Json{{"all", {all.places.file, all.language, all.arguments, all.environment}},
                    {"python",
                     {python.dependencies, python.groups, python.extras,
                      python.project ? Json(*python.project) : Json(), python.image_packages, python.program,
                      python.version, static_cast<int>(python.refresh), python.preload}},
                    {"go", {go.places.file, go.package, go.tags, go.ldflags, go.environment}}};
      });
}

RECORDED_READER(revision_file, input, answers) {
  const auto read = revision::parse(input.file("revision"), "revision");
  if (!read) return answers.tell_error("revision", read.error());
  answers.tell("revision", {revision::to_text(*read), revision::describe(*read)});
  for (const std::string name : {"pyproject.toml", "setup.py", "setup.cfg"})
    answers.tell(name, revision::is_asked_for(name, input.file(name)));
}

RECORDED_READER(build_record, input, answers) {
  const auto text = input.file("build.json");
  answers.tell("record", contract::parse_build_record(text, "build.json"),
               [](const auto& record) { return Json(contract::to_json(record)); });
  const auto lines = shim::read_record_lines(text);
  if (lines)
    answers.tell("lines", {lines->unpacked_bytes, lines->files, lines->builder, lines->version, lines->os,
                           lines->architecture, lines->libc, lines->interpreter, lines->command,
                           lines->has_bundle, lines->bytes});
}

RECORDED_READER(memory_group, input, answers) {
  const auto group = builder::MemoryGroup::find(input.folder / "membership", input.folder / "mount");
  const auto limit = group.limit();
  answers.tell("group", {limit ? Json(*limit) : Json(), group.kills()});
}

RECORDED_READER(shim_arguments, input, answers) {
  auto words = base::split(input.line(), ' ');
  words.insert(words.begin(), "worker-shim");
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  answers.tell("invocation", shim::parse_arguments(static_cast<int>(words.size()), arguments.data()),
               [](const shim::Invocation& all) {
                 Json rest = Json::array();
                 for (auto word = all.words; word != nullptr && *word != nullptr; ++word)
                   rest.push_back(*word);
                 const auto& supervision = all.supervision;
                 return Json{static_cast<int>(all.mode),
                             all.check,
                             all.build_folder,
                             all.environment,
                             all.install_folder,
                             all.working_folder,
                             rest,
                             supervision.asked,
                             supervision.grace.count(),
                             static_cast<int>(supervision.receiver),
                             supervision.parent_death_signal,
                             supervision.exit_code(0),
                             supervision.exit_code(143),
                             supervision.exit_code(1)};
               });
}

}  // namespace
