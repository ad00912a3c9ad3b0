// SPDX-License-Identifier: Apache-2.0
// What the builder needs to know of a language: one that is compiled in (a row of languages()), or one that a
// builder.toml declares (languages/declared).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "builder-runtime/inputs.h"
#include "builder-runtime/source/source_settings.h"
#include "builder-runtime/tools.h"
#include "contract/build_record.h"

namespace builder {

namespace fs = base::fs;

struct Language;
class TableReader;

// How run.sh starts the program.
struct Start {
  std::vector<std::string> command;  // before the user's arguments; found in the bundle's bin/ first
  std::string folder;                // where the program starts; empty: where run.sh was started
  bool may_start_elsewhere = false;  // a folder that the pipeline names counts more; none is needed
  std::string interpreter;           // an absolute path that the command relies on; empty: none
  std::map<std::string, std::string>
      environment;  // what the program finds set where the pipeline does not set it
  std::map<std::string, std::string> prepend;  // what comes first in lists separated by ":"
  // What the bundle sets besides, in the form of contract::k_variables_file; "+NAME" comes first in a list.
  std::vector<std::pair<std::string, std::string>> bundle_variables;
  // What the program imports of installed packages and could find imported; Python only.
  std::vector<std::string> imports;
  // In the first words of the command, so many, contract::k_environment_mark is the folder of the bundle.
  std::size_t expanded_words = 0;
  // For a pipeline with its own command, when no program could be chosen: what run.sh says.
  struct NoProgram {
    std::string what;
    std::string hint;
    bool operator==(const NoProgram&) const = default;
  };
  std::optional<NoProgram> no_program;
  bool operator==(const Start&) const = default;
};

// What a bundle was made of.
struct MadeTree {
  std::vector<std::string> packages;      // "numpy==2.1.3"
  std::vector<std::string> requirements;  // with hashes, as a requirements file has them; Python only
  std::vector<std::string> libraries;     // that the program wants to find in the image
  std::vector<std::string> modules;       // that programs can import; Python only
};

// The bundle that another one lies on.
struct LayerBelow {
  fs::path folder;  // that has its file, as an artifact has it
  std::string digest;
};

// One bundle, and how it is made.
struct Layer {
  std::string key;                      // of everything that decides it
  bool is_remade_by_each_edit = false;  // it is packed in a hurry
  // Fills an empty folder with what the bundle holds.
  std::function<base::Result<MadeTree>(const fs::path& tree)> make;
  // The same where the bundle is laid on another one, if it needs that one to be made.
  std::function<base::Result<MadeTree>(const fs::path& tree, const LayerBelow& below)> make_over;
};

// What is to be done for a source, found out without doing it.
struct Plan {
  std::string language;
  std::string key;  // of everything that decides the artifact's bundle; empty: none is needed
  Inputs inputs;    // what that is
  contract::Platform platform;
  std::string compiler;       // with its version: "go1.26.8"; empty: there is none
  contract::Program program;  // told by every build
  Start start;
  // Asked for when no bundle is known by the key: the one bundle that is needed, or what seldom changes and,
  // to be laid on it, what does. The last one is the artifact's, whatever its own key.
  std::function<base::Result<std::vector<Layer>>()> layers;
  // What must be right before anything is made; in every build. None: nothing is looked at.
  std::function<base::Status()> checks;
  // Facts about files that are not inputs of the bundle, such as the program, that determine the artifact.
  // The same on every machine. Asked for only if Findings::names_source_inputs.
  std::function<std::vector<std::string>()> source_facts;
  // What would be made, as JSON; none: nobody can ask.
  std::function<base::Result<std::string>()> explanation;
  // Compares the program with what it will find, `modules` of the bundles; in every build, once these are
  // known. None: there is nothing to compare.
  std::function<base::Status(const std::vector<std::string>& modules)> review;
  // What the build has chosen for the user, of the packages in the bundle; told by each build, also when the
  // bundle is in the cache. None, or an empty text: nothing.
  std::function<std::string(const std::vector<std::string>& packages)> choices;
};

// A source folder that one of the languages builds, or a build.sh of its own.
struct Source {
  fs::path folder;
  std::shared_ptr<const Language> language;  // none when a build.sh decides
  bool has_build_script = false;             // and is to be used
  bool has_run_script = false;
  bool has_own_command = false;      // of the pipeline: no program has to be chosen
  bool names_source_inputs = false;  // see Findings
  SourceSettings settings;
  // What was found out by looking, as the next step takes it; none when a build.sh decides.
  std::function<base::Result<Plan>(const Tools& tools)> plan;
};

// What a look at a source has shown.
struct Findings {
  std::string summary;  // one line on what is there
  std::function<base::Result<Plan>(const Tools& tools)> plan;
  // The plan's inputs and Plan::source_facts are everything in the source that determines the artifact. The
  // rest can change without a new build.
  bool names_source_inputs = false;
};

struct Language {
  std::string name;
  std::vector<std::string> markers;  // files, each of which makes a folder one of this language
  std::string usual_file;            // that such a folder has, for a message
  // Whether a folder without any language's marker may be of this one all the same.
  std::function<base::Result<bool>(const fs::path& source)> may_be;
  // The same for what is in folders below, asked where nothing at the root is of any language; may be none.
  std::function<base::Result<bool>(const fs::path& source)> may_be_below;
  // Reads the table of the source's settings that has the language's name.
  std::function<base::Status(TableReader& table, SourceSettings& settings)> read_settings;
  // Says what is missing where something is. Starts nothing.
  std::function<base::Result<Findings>(const Source& source, const process::Environment& environment)> look;
};

// Those that are compiled in; each is complete.
const std::vector<Language>& languages();
std::vector<std::string> names_of_languages();

// Whether `path` is a regular file (or a link to one).
bool is_file(const fs::path& path);

// What every key starts with: the format of keys and bundles, this program's version, the machine.
std::string key_base(std::string_view language);

// "amd64", "arm64": the machine that this program runs on, as Go and OCI name it.
std::string architecture();

}  // namespace builder
