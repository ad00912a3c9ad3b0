// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/starter/pip_install.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>
#include <string_view>

#include "base/relative_path.h"
#include "base/text.h"

namespace starter {
namespace {

using Kind = PipItem::Kind;

constexpr char k_user_packages[] = "/root/.local";

// What becomes of an option.
enum class Fate {
  kept,         // a line of its own in requirements.txt
  file,         // names a file with requirements
  constraints,  // the same with constraints
  editable,     // names a project
  links,        // names a folder or a page with packages
  target,       // names the folder that packages come to, which has no counterpart
  wheels,       // names the folder that wheels come to
  dropped,      // says how pip works, not what is installed
  user,         // puts packages into the user's folder
  unconverted,  // has no counterpart
};

struct Option {
  std::string_view name;
  char letter;  // '\0': there is none
  bool has_value;
  Fate fate;
  std::string_view kept_as;  // of one of uv's, which has another name in requirements.txt
};

constexpr std::array k_options = {
    Option{"--index-url", 'i', true, Fate::kept},
    Option{"--extra-index-url", '\0', true, Fate::kept},
    Option{"--default-index", '\0', true, Fate::kept, "--index-url"},
    Option{"--index", '\0', true, Fate::kept, "--extra-index-url"},
    Option{"--find-links", 'f', true, Fate::links},
    Option{"--trusted-host", '\0', true, Fate::kept},
    Option{"--no-binary", '\0', true, Fate::kept},
    Option{"--only-binary", '\0', true, Fate::kept},
    Option{"--no-index", '\0', false, Fate::kept},
    Option{"--pre", '\0', false, Fate::kept},
    Option{"--prefer-binary", '\0', false, Fate::kept},
    Option{"--require-hashes", '\0', false, Fate::kept},
    Option{"--requirement", 'r', true, Fate::file},
    Option{"--constraint", 'c', true, Fate::constraints},
    Option{"--editable", 'e', true, Fate::editable},
    Option{"--no-deps", '\0', false, Fate::unconverted},
    Option{"--no-build-isolation", '\0', false, Fate::unconverted},
    Option{"--config-settings", 'C', true, Fate::unconverted},
    Option{"--global-option", '\0', true, Fate::unconverted},
    Option{"--target", 't', true, Fate::target},
    Option{"--prefix", '\0', true, Fate::target},
    Option{"--root", '\0', true, Fate::target},
    Option{"--wheel-dir", 'w', true, Fate::wheels},
    Option{"--platform", '\0', true, Fate::unconverted},
    Option{"--upgrade", 'U', false, Fate::dropped},
    Option{"--upgrade-strategy", '\0', true, Fate::dropped},
    Option{"--force-reinstall", '\0', false, Fate::dropped},
    Option{"--ignore-installed", 'I', false, Fate::dropped},
    Option{"--no-cache-dir", '\0', false, Fate::dropped},
    Option{"--no-cache", 'n', false, Fate::dropped},
    Option{"--cache-dir", '\0', true, Fate::dropped},
    Option{"--quiet", 'q', false, Fate::dropped},
    Option{"--verbose", 'v', false, Fate::dropped},
    Option{"--yes", 'y', false, Fate::dropped},
    Option{"--user", '\0', false, Fate::user},
    Option{"--system", '\0', false, Fate::dropped},
    Option{"--compile", '\0', false, Fate::dropped},
    Option{"--no-compile", '\0', false, Fate::dropped},
    Option{"--no-input", '\0', false, Fate::dropped},
    Option{"--no-color", '\0', false, Fate::dropped},
    Option{"--no-warn-script-location", '\0', false, Fate::dropped},
    Option{"--disable-pip-version-check", '\0', false, Fate::dropped},
    Option{"--break-system-packages", '\0', false, Fate::dropped},
    Option{"--use-pep517", '\0', false, Fate::dropped},
    Option{"--root-user-action", '\0', true, Fate::dropped},
    Option{"--progress-bar", '\0', true, Fate::dropped},
    Option{"--default-timeout", '\0', true, Fate::dropped},
    Option{"--timeout", '\0', true, Fate::dropped},
    Option{"--retries", '\0', true, Fate::dropped},
    Option{"--python", 'p', true, Fate::dropped},
};

bool is_version(std::string_view text) {
  return text.find_first_not_of("0123456789.") == std::string_view::npos;
}

// The words behind "pip": of "pip3", "/usr/bin/pip3.8", "python3 -m pip" and "uv pip". Nothing otherwise.
std::optional<std::size_t> behind_pip(const std::vector<std::string>& words) {
  const std::string program = words.empty() ? "" : base::name_of(words.front());
  if (program.starts_with("pip") && is_version(std::string_view(program).substr(3))) return 1;
  if (program == "uv" && words.size() > 1 && words[1] == "pip") return 2;
  const bool is_python = program.starts_with("python") && is_version(std::string_view(program).substr(6));
  if (is_python && words.size() > 2 && words[1] == "-m" && words[2] == "pip") return 3;
  return std::nullopt;
}

// What a build installs by itself, or does without.
bool is_installer(const std::string& requirement) {
  constexpr std::array<std::string_view, 7> k_installers = {"pip",    "setuptools", "wheel", "poetry",
                                                            "pipenv", "pdm",        "uv"};
  const std::string name = requirement.substr(0, requirement.find_first_of("=<>!~[; "));
  return std::find(k_installers.begin(), k_installers.end(), name) != k_installers.end();
}

bool is_path(const std::string& word) {
  if (base::contains(word, "://") || base::contains(word, " @ ")) return false;
  return word.starts_with('.') || word.starts_with('/') || word.ends_with(".whl") ||
         word.ends_with(".tar.gz") || word.ends_with(".zip");
}

// An index of uv's may have a name: "internal=https://…".
std::string without_name(const std::string& index) {
  const auto equals = index.find('=');
  return equals < index.find("://") ? index.substr(equals + 1) : index;
}

class Words {
 public:
  Words(const std::vector<std::string>& words, std::size_t first) : m_words(words), m_next(first) {}

  PipInstall read() {
    while (m_next < m_words.size()) {
      const std::string& word = m_words[m_next++];
      if (word.starts_with("--")) {
        read_long(word);
      } else if (word.starts_with('-') && word.size() > 1) {
        read_letters(word);
      } else if (is_path(word)) {
        m_install.items.push_back({Kind::project, word});
      } else if (!word.empty() && !is_installer(word)) {
        m_install.items.push_back({Kind::line, word});
      }
    }
    return std::move(m_install);
  }

 private:
  void read_long(const std::string& word) {
    const auto equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const auto* const option = std::find_if(k_options.begin(), k_options.end(),
                                            [&](const Option& each) { return each.name == name; });
    if (option == k_options.end()) {
      m_install.unconverted.push_back(name);
      return;
    }
    std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
    if (option->has_value && equals == std::string::npos) value = next_word();
    take(*option, value);
  }

  // "-qU", "-rrequirements.txt"
  void read_letters(const std::string& word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
      const auto* const option = std::find_if(k_options.begin(), k_options.end(),
                                              [&](const Option& each) { return each.letter == word[i]; });
      if (option == k_options.end()) {
        m_install.unconverted.push_back(std::string("-") + word[i]);
        return;
      }
      if (option->has_value) {
        take(*option, i + 1 < word.size() ? word.substr(i + 1) : next_word());
        return;
      }
      take(*option, "");
    }
  }

  std::string next_word() { return m_next < m_words.size() ? m_words[m_next++] : std::string(); }

  void take(const Option& option, const std::string& value) {
    const std::string name(option.name);
    switch (option.fate) {
      case Fate::kept:
        if (!option.kept_as.empty()) {
          m_install.items.push_back({Kind::line, std::string(option.kept_as) + " " + without_name(value)});
        } else {
          m_install.items.push_back({Kind::line, option.has_value ? name + " " + value : name});
        }
        break;
      case Fate::file:
        m_install.items.push_back({Kind::file, value});
        break;
      case Fate::constraints:
        m_install.items.push_back({Kind::constraints, value});
        break;
      case Fate::editable:
        m_install.items.push_back(is_path(value) ? PipItem{Kind::editable, value}
                                                 : PipItem{Kind::line, "-e " + value});
        break;
      case Fate::links:
        m_install.items.push_back(base::contains(value, "://") ? PipItem{Kind::line, name + " " + value}
                                                               : PipItem{Kind::links, value});
        break;
      case Fate::target:
        m_install.folders.push_back(value);
        m_install.unconverted.push_back(name);
        break;
      case Fate::wheels:
        m_install.folders.push_back(value);
        break;
      case Fate::user:
        m_install.folders.emplace_back(k_user_packages);
        break;
      case Fate::unconverted:
        m_install.unconverted.push_back(name);
        break;
      case Fate::dropped:
        break;
    }
  }

  const std::vector<std::string>& m_words;
  std::size_t m_next;
  PipInstall m_install;
};

}  // namespace

std::string option_of(Kind kind) {
  switch (kind) {
    case Kind::file:
      return "-r ";
    case Kind::constraints:
      return "-c ";
    case Kind::editable:
      return "-e ";
    case Kind::links:
      return "--find-links ";
    case Kind::line:
    case Kind::project:
      break;
  }
  return "";
}

bool is_target_option(std::string_view name) {
  return std::any_of(k_options.begin(), k_options.end(),
                     [&](const Option& each) { return each.name == name && each.fate == Fate::target; });
}

bool is_index_variable(std::string_view name) {
  constexpr std::array<std::string_view, 6> k_names = {"PIP_INDEX_URL",      "PIP_EXTRA_INDEX_URL",
                                                       "UV_INDEX_URL",       "UV_DEFAULT_INDEX",
                                                       "UV_EXTRA_INDEX_URL", "UV_INDEX"};
  return std::find(k_names.begin(), k_names.end(), name) != k_names.end();
}

std::string read_pip_config(const std::vector<std::string>& words) {
  const auto first = behind_pip(words);
  if (!first) return "";
  std::vector<std::string> rest;
  std::copy_if(words.begin() + static_cast<std::ptrdiff_t>(*first), words.end(), std::back_inserter(rest),
               [](const std::string& word) { return !word.starts_with('-'); });
  if (rest.size() != 4 || rest[0] != "config" || rest[1] != "set") return "";
  std::string name = rest[2].substr(rest[2].find('.') + 1);
  for (char& character : name) {
    character =
        character == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(character)));
  }
  const std::string variable = "PIP_" + name;
  return is_index_variable(variable) ? variable + "=" + rest[3] : "";
}

std::optional<PipInstall> read_pip_install(const std::vector<std::string>& words) {
  auto first = behind_pip(words);
  if (!first) return std::nullopt;
  // Options before the verb are pip's own: "pip --no-cache-dir install x".
  const auto verb = std::find_if(words.begin() + static_cast<std::ptrdiff_t>(*first), words.end(),
                                 [](const std::string& word) { return !word.starts_with('-'); });
  if (verb == words.end() || (*verb != "install" && *verb != "wheel")) return std::nullopt;
  return Words(words, static_cast<std::size_t>(verb - words.begin()) + 1).read();
}

}  // namespace starter
