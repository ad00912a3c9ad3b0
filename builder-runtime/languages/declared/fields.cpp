// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/fields.h"

namespace builder::declared {
namespace {

const Shape& detect_shape() {
  static const Shape shape = {
      "[detect]",
      "How a source of this language is recognised, and which of its files is the program.",
      {{"any", Form::texts,
        "A source is of this language if one of these is there. Default: what `program` lists.",
        Kind::reference},
       {"program", Form::texts,
        "Where the program may be, the best place first: the first that is there is `{program}`. A pattern "
        "has "
        "to fit exactly one file; a reference into a file names the program.",
        Kind::reference},
       {"ignore", Form::texts,
        "Files and folders that are not part of the source: a name means all of that name, a path with a `/` "
        "is "
        "matched whole. Version control's own folders never are part of it.",
        Kind::file_pattern},
       {"variable", Form::text,
        "A variable of `transform.build.env` that names the program of this pipeline. It counts more than "
        "`program` in the source's settings, which counts more than what is found."}}};
  return shape;
}

const Shape& tool_shape() {
  static const Shape shape = {
      "[tools.NAME]",
      "A program that the image has to have on PATH. A missing one ends the build with exit code 69.",
      {{"run", Form::command,
        "Asks the tool for its version, once per installed file; a script in each build. The first word is "
        "the "
        "tool. Without it only the tool's presence and content count."},
       {"version", Form::text,
        "Finds the version in the answer: the group `version`, else the first group, else all that matches. "
        "Default: the first line. This text counts, and nothing else of the answer.",
        Kind::pattern},
       {"wants", Form::texts,
        "Where the source says which version it needs: the first that is there counts, of a file its first "
        "line. A name in front is skipped: `ruby-3.1.2`. Text without a version (`lts/iron`) is not "
        "compared.",
        Kind::reference},
       {"compare",
        Form::text,
        "How the two are compared: `prefix` (as many parts as are given are equal), `minor` (the first two "
        "parts "
        "are equal), `at-least`, or `semver-range` (`^18.2 || >=20 <23`).",
        Kind::plain,
        false,
        {"prefix", "minor", "at-least", "semver-range"}},
       {"hint", Form::text, "What to do when the tool is missing or of another version."},
       {"needed_by", Form::text,
        "The tool is needed only if a file of the source matches this, in its first MiB.", Kind::pattern}}};
  return shape;
}

const Shape& check_shape() {
  static const Shape shape = {
      "[[check]]",
      "Looks at files before anything is made. A file that passed is checked again only when it, the "
      "builder, a "
      "tool, one of `inputs` or a setting that `run` names has changed.",
      {{"files", Form::texts, "Which files are checked.", Kind::file_pattern, true},
       {"run", Form::command,
        "A command that fails if a file is wrong: with `{file}` once for each, with `{files}` for many at "
        "once. "
        "Either `run` or `reject` is needed.",
        Kind::text_template},
       {"reject", Form::text, "What must not be in a file, in its first MiB.", Kind::pattern},
       {"inputs", Form::texts, "What else the check depends on.", Kind::reference},
       {"when", Form::texts, "The check is made only if one of these is there.", Kind::reference},
       {"place", Form::text,
        "Finds the faults in what the command prints: the groups `file`, `line`, `column` and `what`. The "
        "first of each file is reported.",
        Kind::pattern},
       {"say", Form::text,
        "The error, which is printed behind its place: the group `file` with line and column, else the file "
        "that "
        "is checked, else the language. A beginning that repeats the place is left out. Default: `{what}`, "
        "else "
        "the last line that the command printed.",
        Kind::text_template},
       {"hint", Form::text, "What to do about it.", Kind::text_template}}};
  return shape;
}

const Shape& packages_shape() {
  static const Shape shape = {
      "[layer.packages]",
      "Tells what was installed, for build.json and `pachbuild inspect`.",
      {{"files", Form::texts, "Files of the layer; without a match, of the source.", Kind::file_pattern,
        true},
       {"match", Form::text, "Each match is a package, with the groups `name` and `version`.", Kind::pattern},
       {"name", Form::text,
        "Instead of `match`, where each file is JSON or TOML and describes a package: its name.",
        Kind::pointer},
       {"version", Form::text, "Its version.", Kind::pointer}}};
  return shape;
}

const Shape& layer_shape() {
  static const Shape shape = {
      "[[layer]]",
      "One bundle, kept by a key of what it is made of. At most two names: what seldom changes, then what an "
      "edit "
      "changes, laid over the first. The steps are made in the order of this table.",
      {{"name", Form::text,
        "What errors and the log call it: `packages`. Default: `program`. Layers of one name are "
        "alternatives: the "
        "first that is to be made counts.",
        Kind::word},
       {"when", Form::texts, "The layer is made only if one of these is there and not empty.",
        Kind::reference},
       {"manifest", Form::texts,
        "The first of these files that is there is `{manifest}`, and an input; without any there is no "
        "layer.",
        Kind::plain},
       {"inputs", Form::texts,
        "What the layer is made of. A reference into a file counts instead of the whole file.",
        Kind::reference},
       {"image", Form::texts,
        "Files of the image that count, by content: absolute paths, in which `*` and `?` stand for "
        "characters but "
        "`/`."},
       {"variables", Form::texts,
        "Variables of the build that the commands see and that count, as names or as beginnings of names "
        "with a "
        "`*`. Locations, credentials and network settings are passed on in any case, and never count; so are "
        "those that `transform.build.env` sets, which count."},
       {"tools", Form::texts,
        "Which of `[tools]` count. Default: all that are needed, if the layer has `run`, else none."},
       {"needs", Form::text_table,
        "Files of the source that must be there, with the hint for when they are not."},
       {"path",
        Form::text,
        "`fixed`: `{tree}` and `{work}` have the same path in every build, on every machine, for tools that "
        "write "
        "it into what they make. `{work}` then is a new copy for each key.",
        Kind::plain,
        false,
        {"fixed"}},
       {"work",
        Form::text,
        "`copy`: `{work}` is a copy of the layer's input files that is kept. Files whose content changed are "
        "written anew, with the time of the change, and the others stay untouched.",
        Kind::plain,
        false,
        {"copy"}},
       {"folders", Form::texts,
        "Folders to make in the layer: paths, as in all keys that do not mention patterns."},
       {"copy", Form::texts_table,
        "Files, folders or patterns of the source, and the folders of the layer that they are copied to; "
        "`\".\"` "
        "is the whole source, or the top of the layer. What is copied is an input. `{builder}/boot.rb` is a "
        "file of the builder's folder."},
       {"folder", Form::text, "Where the commands run. Default: `{work}` if there is one, else `{tree}`.",
        Kind::text_template},
       {"environment", Form::text_table, "Variables for the commands.", Kind::text_template},
       {"run", Form::commands, "The command that makes the layer, or several, one after the other.",
        Kind::text_template},
       {"take", Form::texts_table,
        "Files and links of `{work}` that the commands made, as patterns, and the folders of the layer that "
        "they "
        "are copied to.",
        Kind::plain},
       {"keep", Form::texts, "Of the layer's files only these stay.", Kind::file_pattern},
       {"remove", Form::texts, "Files and folders of the layer that do not stay.", Kind::file_pattern},
       {"program", Form::text,
        "Which files of the layer are programs. The one that runs is also called `bin/main`: the one that is "
        "chosen (`variable` in `[detect]`, or the source's settings), else the only one.",
        Kind::file_pattern},
       {"executable", Form::texts, "Files of the layer that become executable; others keep their modes.",
        Kind::file_pattern},
       {"link", Form::text_table,
        "Symbolic links: their paths in the layer, and where they lead: `{source}` (/pfs/source of the "
        "running "
        "pipeline), or a path in the layer.",
        Kind::text_template},
       {"packages", Form::table, "What was installed.", Kind::plain, false, {}, &packages_shape()}}};
  return shape;
}

const Shape& start_shape() {
  static const Shape shape = {
      "[start]",
      "How the program is started for a datum. `{source}` is /pfs/source, `{env}` the folder of the unpacked "
      "layers, whose `bin` comes first on PATH.",
      {{"command", Form::command, "The program, before the arguments of the pipeline.", Kind::text_template,
        true},
       {"folder", Form::text,
        "Where it starts: `{source}` or below. A `working_dir` of the pipeline counts more. Default: where "
        "the "
        "pipeline starts it.",
        Kind::text_template},
       {"environment", Form::text_table, "Variables that are set where the pipeline does not set them.",
        Kind::text_template},
       {"prepend", Form::texts_table,
        "Variables that are lists separated by `:` (PATH, R_LIBS, NODE_PATH), and what is put in front of "
        "them. One whose parts have another separator (RUBYOPT, NODE_OPTIONS) goes into `environment`.",
        Kind::text_template}}};
  return shape;
}

const Shape& error_shape() {
  static const Shape shape = {
      "[[error]]",
      "Puts what a failing command of a layer printed into words that help. The first that matches counts. A "
      "command "
      "can do so itself: last lines `error: …` and `hint: …` on standard error, and 1, 65, 69, 73, 74 or 75 "
      "as its exit "
      "code, are taken as they are. For a missing header or tool, a hint names the Debian package that has "
      "it, if it is a common one; for others, and for a library that the linker does not find, the hint says "
      "how to find the package. The output of programs that run for a datum is not examined.",
      {{"match", Form::text,
        "Looked for in the command's output. The groups `file`, `line` and `column` are the place of the "
        "error.",
        Kind::pattern, true},
       {"say", Form::text,
        "The error, which is printed behind its place: the group `file`, else the layer's manifest, else the "
        "layer's name. A beginning that repeats the place is left out. Default: the group "
        "`what`.",
        Kind::text_template},
       {"hint", Form::text, "What to do about it.", Kind::text_template},
       {"code",
        Form::number,
        "The exit code: 1 the source's fault (default), 65 a wrong source, 69 something is missing in the "
        "image, "
        "75 may work when tried again.",
        Kind::plain,
        false,
        {"1", "65", "69", "75"}}}};
  return shape;
}

}  // namespace

const Shape& file_shape() {
  static const Shape shape = {
      "builder.toml",
      "The top of the file.",
      {{"schema", Form::number, "The version of this format.", Kind::plain, true, {"1"}},
       {"language", Form::text,
        "The builder's name: lower-case letters, digits and `-`, beginning with a letter. It is that of its "
        "folder, where it is installed.",
        Kind::word, true},
       {"summary", Form::text, "What it builds, in one line.", Kind::plain, true},
       {"settings", Form::text_table,
        "Settings of the builder and their defaults. A source changes them in pachbuild.toml, in the table "
        "that "
        "has the language's name; templates use them as `{setting:NAME}`."},
       {"detect", Form::table, "How a source is recognised.", Kind::plain, true, {}, &detect_shape()},
       {"tools",
        Form::named,
        "The programs that are needed, by name.",
        Kind::plain,
        false,
        {},
        &tool_shape()},
       {"check", Form::tables, "What is checked before.", Kind::plain, false, {}, &check_shape()},
       {"layer", Form::tables, "What is made.", Kind::plain, false, {}, &layer_shape()},
       {"start", Form::table, "How the program is started.", Kind::plain, true, {}, &start_shape()},
       {"error", Form::tables, "Words for errors.", Kind::plain, false, {}, &error_shape()}}};
  return shape;
}

}  // namespace builder::declared
