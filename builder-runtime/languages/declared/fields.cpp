// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/fields.h"

namespace builder::declared {
namespace {

const Shape& detect_shape() {
  static const Shape shape = {
      "[detect]",
      "How a source of this language is recognised, and which of its files is the program.",
      {{"any", Form::texts,
        "A source is of this language if one of these exists. Default: the list of `program`.",
        Kind::reference},
       {"program", Form::texts,
        "Where the program may be, the best place first: the first existing one is `{program}`. A pattern "
        "must match exactly one file; a reference into a file names the program, which must be in the source "
        "unless commands of a layer without a manifest may make it.",
        Kind::reference},
       {"ignore", Form::texts,
        "Files and folders that are not part of the source: a name stands for all files and folders with "
        "that name; a path with a `/` is matched as a whole. Folders of version control are never part of "
        "it.",
        Kind::file_pattern},
       {"variable", Form::text,
        "A variable of `transform.build.env` that names the program of this pipeline. It takes precedence "
        "over `program` in the source's settings, which takes precedence over detection."}}};
  return shape;
}

const Shape& tool_shape() {
  static const Shape shape = {
      "[tools.NAME]",
      "A program that must be on the image's PATH. If it is missing, the build ends with exit code 69.",
      {{"run", Form::command,
        "Asks the tool for its version, once per installed file; a script is asked in each build. The first "
        "word is the tool. Without `run`, only the tool's presence and content are part of the key."},
       {"version", Form::text,
        "Finds the version in the output: the group `version`, else the first group, else the whole match. "
        "Default: the first line. Only this text is part of the key.",
        Kind::pattern},
       {"wants", Form::texts,
        "Where the source states which version it needs: the first existing reference is used; for a file, "
        "its first line. A leading name is skipped: `ruby-3.1.2`. Text without a version (`lts/iron`) is not "
        "compared.",
        Kind::reference},
       {"compare",
        Form::text,
        "How the two are compared: `prefix` (the given parts must be equal), `minor` (the first two parts "
        "must be equal), `at-least`, or `semver-range` (`^18.2 || >=20 <23`).",
        Kind::plain,
        {},
        {"prefix", "minor", "at-least", "semver-range"}},
       {"hint", Form::text, "What to do if the tool is missing or does not work."},
       {"needed_by", Form::text,
        "The tool is needed only if a file of the source matches this, in its first MiB.", Kind::pattern}}};
  return shape;
}

const Shape& check_shape() {
  static const Shape shape = {
      "[[check]]",
      "Checks files before anything is built. A file that passed is checked again only if the file, the "
      "builder, a tool, one of `inputs` or a setting named in `run` has changed.",
      {{"files", Form::texts, "Which files are checked.", Kind::file_pattern,
        "files = [\"PATTERN\", …] to [[check]]"},
       {"run", Form::command,
        "A command that fails if a file is faulty: with `{file}` it runs once per file, with `{files}` for "
        "many at once. Either `run` or `reject` is required.",
        Kind::text_template},
       {"reject", Form::text, "A pattern that must not match in a file's first MiB.", Kind::pattern},
       {"inputs", Form::texts, "Other inputs of the check.", Kind::reference},
       {"when", Form::texts, "The check runs only if one of these exists.", Kind::reference},
       {"place", Form::text,
        "Finds the faults in the command's output: the groups `file`, `line`, `column` and `what`. The "
        "first of each file is reported.",
        Kind::pattern},
       {"say", Form::text,
        "The error, which is printed after its place: the group `file` with line and column, else the "
        "checked file, else the language. If the text starts with the place, the repetition is left out. "
        "Default: `{what}`, else the last line of the command's output.",
        Kind::text_template},
       {"hint", Form::text, "What to do about it.", Kind::text_template}}};
  return shape;
}

const Shape& packages_shape() {
  static const Shape shape = {
      "[layer.packages]",
      "Lists the installed packages, for build.json and `pachbuild inspect`.",
      {{"files", Form::texts, "Files of the layer; without a match, of the source.", Kind::file_pattern,
        "files = [\"PATTERN\", …] to [layer.packages]"},
       {"match", Form::text, "Each match is a package, with the groups `name` and `version`.", Kind::pattern},
       {"name", Form::text,
        "Instead of `match`, if each file is JSON or TOML and describes one package: its name.",
        Kind::pointer},
       {"version", Form::text, "Its version.", Kind::pointer}}};
  return shape;
}

const Shape& layer_shape() {
  static const Shape shape = {
      "[[layer]]",
      "One bundle, cached by a key of its inputs. There are at most two names: first the layer that seldom "
      "changes, then the layer that an edit changes, on top of the first. The steps run in the order of "
      "this table.",
      {{"name", Form::text,
        "Its name in errors and in the log, for example `packages`. Default: `program`. Layers with the same "
        "name are alternatives: the first one that applies is built.",
        Kind::word},
       {"when", Form::texts, "The layer is built only if one of these exists and is not empty.",
        Kind::reference},
       {"manifest", Form::texts,
        "The first existing one of these files is `{manifest}`, and an input; if none exists, the layer is "
        "not built.",
        Kind::plain},
       {"inputs", Form::texts,
        "The layer's inputs. For a reference into a file, the value is the input instead of the whole file.",
        Kind::reference},
       {"image", Form::texts,
        "Files of the image whose content is part of the key: absolute paths, in which `*` and `?` stand for "
        "characters other than `/`."},
       {"variables", Form::texts,
        "Variables of the build that the commands see and that are part of the key: names, or prefixes "
        "followed by `*`. Locations, credentials and network settings are always passed on and are never "
        "part of a key. Variables set in `transform.build.env` are also passed on, and are part of the key."},
       {"tools", Form::texts,
        "The entries of `[tools]` that are part of the key. Default: all that are needed if the layer has "
        "`run`, else none."},
       {"needs", Form::text_table,
        "Files that the source must contain, each with a hint for when it is missing."},
       {"path",
        Form::text,
        "`fixed`: `{tree}` and `{work}` have the same path in every build, on every machine, for tools that "
        "write it into their output. `{work}` is then a new copy for each key.",
        Kind::plain,
        {},
        {"fixed"}},
       {"work",
        Form::text,
        "`copy`: `{work}` is a copy of the layer's input files that is kept between builds. Files whose "
        "content changed are rewritten, with the time of the change; the others stay untouched.",
        Kind::plain,
        {},
        {"copy"}},
       {"folders", Form::texts,
        "Folders to create in the layer: paths, as in all keys that do not mention patterns."},
       {"copy", Form::texts_table,
        "Files, folders or patterns of the source, and the folders in the layer to copy them to; `\".\"` is "
        "the whole source, or the top of the layer. Copied files are inputs. `{builder}/boot.rb` is a file "
        "in the builder's folder."},
       {"folder", Form::text, "Where the commands run. Default: `{work}` if there is one, else `{tree}`.",
        Kind::text_template},
       {"environment", Form::text_table, "Variables for the commands.", Kind::text_template},
       {"run", Form::commands,
        "The command that builds the layer, or several commands, which run one after the other.",
        Kind::text_template},
       {"take", Form::texts_table,
        "Files and links in `{work}` that the commands created, as patterns, and the folders in the layer to "
        "copy them to.",
        Kind::plain},
       {"keep", Form::texts, "Only these files of the layer are kept.", Kind::file_pattern},
       {"remove", Form::texts, "Files and folders to remove from the layer.", Kind::file_pattern},
       {"program", Form::text,
        "The files of the layer that are programs. The one that runs is also called `bin/main`: the one "
        "chosen by `variable` in `[detect]` or by the source's settings, else the only one.",
        Kind::file_pattern},
       {"executable", Form::texts, "Files of the layer to make executable; others keep their modes.",
        Kind::file_pattern},
       {"link", Form::text_table,
        "Symbolic links: their paths in the layer, and their targets: `{source}` (/pfs/source of the "
        "running "
        "pipeline), or a path in the layer.",
        Kind::text_template},
       {"packages", Form::table, "The installed packages.", Kind::plain, {}, {}, &packages_shape()}}};
  return shape;
}

const Shape& start_shape() {
  static const Shape shape = {
      "[start]",
      "How the program is started for a datum. `{source}` is /pfs/source, and `{env}` is the folder of the "
      "unpacked layers, whose `bin` comes first on PATH.",
      {{"command", Form::command, "The program, before the arguments of the pipeline.", Kind::text_template,
        "command = [\"PROGRAM\", …] to [start]"},
       {"folder", Form::text,
        "The working folder: `{source}` or a folder below it. The pipeline's `working_dir` takes precedence. "
        "Default: the folder in which the pipeline starts it.",
        Kind::text_template},
       {"environment", Form::text_table, "Variables to set unless the pipeline sets them.",
        Kind::text_template},
       {"prepend", Form::texts_table,
        "Variables that are lists separated by `:` (PATH, R_LIBS, NODE_PATH), and what to prepend to them. "
        "Variables with another separator (RUBYOPT, NODE_OPTIONS) belong in `environment`.",
        Kind::text_template}}};
  return shape;
}

const Shape& error_shape() {
  static const Shape shape = {
      "[[error]]",
      "Turns the output of a layer's failing command into a helpful error. The first match is used. A "
      "command can also do this itself: if the last lines on standard error are `error: …` and `hint: …`, "
      "and the exit code is 1, 65, 69, 73, 74 or 75, they are used as they are. For a missing header or "
      "tool, a hint names the Debian package that provides it, if it is a common one; for others, and for a "
      "library that the linker does not find, the hint explains how to find the package. The output of "
      "programs that run for a datum is not examined.",
      {{"match", Form::text,
        "Searched for in the command's output. The groups `file`, `line` and `column` are the place of the "
        "error.",
        Kind::pattern, "match = 'PATTERN' to [[error]]"},
       {"say", Form::text,
        "The error, which is printed after its place: the group `file`, else the layer's manifest, else "
        "`layer NAME`. If the text starts with the place, the repetition is left out. Default: the group "
        "`what`.",
        Kind::text_template},
       {"hint", Form::text, "What to do about it.", Kind::text_template},
       {"code",
        Form::number,
        "The exit code: 1 a fault in the source (default), 65 not a valid source, 69 something is missing in "
        "the image, 75 may succeed if tried again.",
        Kind::plain,
        {},
        {"1", "65", "69", "75"}}}};
  return shape;
}

}  // namespace

const Shape& file_shape() {
  static const Shape shape = {
      "builder.toml",
      "The top of the file.",
      {{"schema", Form::number, "The version of this format.", Kind::plain, "schema = 1", {"1"}},
       {"language", Form::text,
        "The builder's name: lowercase letters, digits and `-`, starting with a letter. An installed "
        "builder's folder has the same name.",
        Kind::word, "language = \"NAME\""},
       {"summary", Form::text, "A description of what it builds, in one line.", Kind::plain,
        "summary = \"WHAT IT BUILDS\""},
       {"settings", Form::text_table,
        "Settings of the builder and their defaults. A source changes them in pachbuild.toml, in the table "
        "with the language's name; templates use them as `{setting:NAME}`."},
       {"detect",
        Form::table,
        "How a source is recognised.",
        Kind::plain,
        "a [detect] table that identifies a source",
        {},
        &detect_shape()},
       {"tools", Form::named, "The required programs, by name.", Kind::plain, {}, {}, &tool_shape()},
       {"check", Form::tables, "Checks that run before the build.", Kind::plain, {}, {}, &check_shape()},
       {"layer", Form::tables, "The bundles to build.", Kind::plain, {}, {}, &layer_shape()},
       {"start",
        Form::table,
        "How the program is started.",
        Kind::plain,
        "a [start] table with the command of the program",
        {},
        &start_shape()},
       {"error", Form::tables, "Texts for errors.", Kind::plain, {}, {}, &error_shape()}}};
  return shape;
}

}  // namespace builder::declared
