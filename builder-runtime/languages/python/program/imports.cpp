// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/program/imports.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "base/digest.h"
#include "base/errors.h"
#include "base/text.h"
#include "builder-runtime/languages/language.h"
#include "builder-runtime/languages/python/packaging/record.h"
#include "builder-runtime/languages/python/packaging/requirement.h"
#include "builder-runtime/languages/python/program/read_imports.h"
#include "cache/builder_cache.h"
#include "contract/layout.h"

namespace builder::python {
namespace {

using base::ErrorKind;

// Of read_imports.py.
constexpr int k_invalid = 1;
constexpr int k_no_function = 2;

// Import names that are not their distribution's. Each distribution is PyPI's best known of the name.
const std::map<std::string_view, std::string_view>& known_distributions() {
  static const std::map<std::string_view, std::string_view> names = {
      {"Bio", "biopython"},
      {"Crypto", "pycryptodome"},
      {"Cryptodome", "pycryptodomex"},
      {"MySQLdb", "mysqlclient"},
      {"OpenGL", "PyOpenGL"},
      {"OpenSSL", "pyOpenSSL"},
      {"PIL", "pillow"},
      {"RPi", "RPi.GPIO"},
      {"Xlib", "python-xlib"},
      {"absl", "absl-py"},
      {"apt", "python-apt"},
      {"attr", "attrs"},
      {"barcode", "python-barcode"},
      {"bs4", "beautifulsoup4"},
      {"bson", "pymongo"},
      {"cairo", "pycairo"},
      {"community", "python-louvain"},
      {"consul", "python-consul"},
      {"corsheaders", "django-cors-headers"},
      {"cv2", "opencv-python"},
      {"dateutil", "python-dateutil"},
      {"dbus", "dbus-python"},
      {"decouple", "python-decouple"},
      {"discord", "discord.py"},
      {"dns", "dnspython"},
      {"docx", "python-docx"},
      {"dotenv", "python-dotenv"},
      {"editor", "python-editor"},
      {"environ", "django-environ"},
      {"faiss", "faiss-cpu"},
      {"ffmpeg", "ffmpeg-python"},
      {"fitz", "PyMuPDF"},
      {"frontmatter", "python-frontmatter"},
      {"gi", "PyGObject"},
      {"git", "GitPython"},
      {"github", "PyGithub"},
      {"google.protobuf", "protobuf"},
      {"googleapiclient", "google-api-python-client"},
      {"grpc", "grpcio"},
      {"grpc_tools", "grpcio-tools"},
      {"haiku", "dm-haiku"},
      {"hydra", "hydra-core"},
      {"imblearn", "imbalanced-learn"},
      {"jose", "python-jose"},
      {"jwt", "PyJWT"},
      {"kafka", "kafka-python"},
      {"ldap", "python-ldap"},
      {"magic", "python-magic"},
      {"markdown_it", "markdown-it-py"},
      {"memcache", "python-memcached"},
      {"mpl_toolkits", "matplotlib"},
      {"multipart", "python-multipart"},
      {"nacl", "PyNaCl"},
      {"nmap", "python-nmap"},
      {"osgeo", "GDAL"},
      {"paho", "paho-mqtt"},
      {"pkg_resources", "setuptools"},
      {"pptx", "python-pptx"},
      {"psycopg2", "psycopg2-binary"},
      {"pythoncom", "pywin32"},
      {"pythonjsonlogger", "python-json-logger"},
      {"pywintypes", "pywin32"},
      {"pyximport", "Cython"},
      {"rest_framework", "djangorestframework"},
      {"ruamel", "ruamel.yaml"},
      {"serial", "pyserial"},
      {"skbio", "scikit-bio"},
      {"skimage", "scikit-image"},
      {"sklearn", "scikit-learn"},
      {"skopt", "scikit-optimize"},
      {"slugify", "python-slugify"},
      {"snappy", "python-snappy"},
      {"socketio", "python-socketio"},
      {"socks", "PySocks"},
      {"speech_recognition", "SpeechRecognition"},
      {"stdnum", "python-stdnum"},
      {"telegram", "python-telegram-bot"},
      {"tree", "dm-tree"},
      {"ulid", "python-ulid"},
      {"umap", "umap-learn"},
      {"usb", "pyusb"},
      {"websocket", "websocket-client"},
      {"whisper", "openai-whisper"},
      {"win32api", "pywin32"},
      {"win32com", "pywin32"},
      {"wx", "wxPython"},
      {"yaml", "PyYAML"},
      {"z3", "z3-solver"},
      {"zmq", "pyzmq"},
      {"zoneinfo", "backports.zoneinfo"},
  };
  return names;
}

// Of a folder, as read_imports.py says it.
std::string state_of_folder(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return "none";
  constexpr std::int64_t k_second = 1'000'000'000;  // nanoseconds
  return std::to_string(status.st_mtim.tv_sec * k_second + status.st_mtim.tv_nsec);
}

std::vector<std::vector<std::string>> groups_of(const std::string& text) {
  std::vector<std::vector<std::string>> groups;
  if (text.empty()) return groups;
  for (const auto& group : base::split(text, ';')) groups.push_back(base::split(group, ','));
  return groups;
}

std::optional<OutsideImport> parse_outside(const std::vector<std::string>& fields) {
  constexpr std::string_view k_image = "image:";
  constexpr std::size_t k_fields = 6;
  if (fields.size() != k_fields) return std::nullopt;
  OutsideImport import{.file = fields[5], .name = fields[2], .unless = groups_of(fields[3])};
  const auto [end, error] =
      std::from_chars(fields[1].data(), fields[1].data() + fields[1].size(), import.line);
  if (error != std::errc()) return std::nullopt;
  import.is_on_path = fields[4] == "path";
  import.is_own = fields[4] == "own";
  if (fields[4].starts_with(k_image)) import.image = fields[4].substr(k_image.size());
  return import;
}

// What read_imports.py printed.
struct Reading {
  Imports imports;
  std::vector<std::pair<fs::path, std::string>> digests;
  std::vector<std::string> absent;
  std::vector<std::pair<std::string, std::string>> folders;
};

std::optional<Reading> parse_reading(const std::string& text) {
  Reading reading;
  for (const auto& line : base::split(text, '\n')) {
    const auto fields = base::split(line, '\t');
    if (fields[0] == "file" && fields.size() == 3) {
      reading.imports.files.emplace_back(fields[2]);
      reading.digests.emplace_back(fields[2], fields[1].substr(0, fields[1].find('!')));
    } else if (fields[0] == "absent" && fields.size() == 2) {
      reading.absent.push_back(fields[1]);
    } else if (fields[0] == "folder" && fields.size() == 3) {
      reading.folders.emplace_back(fields[2], fields[1]);
    } else if (fields[0] == "outside") {
      auto import = parse_outside(fields);
      if (!import) return std::nullopt;
      reading.imports.outside.push_back(std::move(*import));
    }
  }
  return reading;
}

// Whether everything that was read is as it was.
bool is_current(const Reading& reading, const fs::path& source) {
  boost::system::error_code error;
  return std::all_of(reading.digests.begin(), reading.digests.end(),
                     [&](const auto& file) {
                       const auto text = base::read_input_file(source / file.first);
                       return text && base::sha256(*text) == file.second;
                     }) &&
         std::none_of(reading.absent.begin(), reading.absent.end(),
                      [&](const std::string& stem) {
                        return fs::exists(source / (stem + ".py"), error) || fs::exists(source / stem, error);
                      }) &&
         std::all_of(reading.folders.begin(), reading.folders.end(),
                     [](const auto& folder) { return state_of_folder(folder.first) == folder.second; });
}

std::vector<std::string> folders_on_path(const process::Environment& environment) {
  std::vector<std::string> folders;
  for (const auto& folder : base::split(value_of(environment, "PYTHONPATH"), ':')) {
    const bool is_odd = folder.find_first_of("\t\n") != std::string::npos;
    if (folder.starts_with('/') && !is_odd) folders.push_back(folder);
  }
  return folders;
}

// SOURCE PROGRAM MODULE FUNCTION ROOTS PATHS
std::vector<std::string> arguments_of(const fs::path& source, const Entry& entry, const Tools& tools) {
  boost::system::error_code error;
  const fs::path program = entry.file.empty() ? fs::path() : entry.file.lexically_relative(source);
  // A program's own folder, the source for what is started there, and src for what is installed from it.
  std::vector<std::string> roots = {entry.root.string()};
  const auto add = [&](const std::string& root) {
    if (std::find(roots.begin(), roots.end(), root) == roots.end()) roots.push_back(root);
  };
  if (!entry.module.empty()) add("");
  if (fs::is_directory(source / "src", error)) add("src");
  return {source.string(),        program.string(),
          entry.module,           entry.function,
          base::join(roots, ":"), base::join(folders_on_path(tools.settings().environment), ":")};
}

base::Error explain_failure(const process::Finished& finished, const Entry& entry) {
  if (finished.ending.code() == k_no_function) {
    return {ErrorKind::bad_input, entry.place,
            "module " + entry.module + " has no function " + base::quoted(entry.function), ""};
  }
  if (finished.ending.code() == k_invalid) {
    return {ErrorKind::step_failed, entry.file.string(), "is not valid Python", "see Python's output above"};
  }
  return {ErrorKind::step_failed, entry.file.string(),
          "cannot be read by Python: " + finished.ending.describe(), ""};
}

bool is_below(const std::string& name, const std::string& package) {
  return name.starts_with(package) && (name.size() == package.size() || name[package.size()] == '.');
}

// Whether an import of `name` finds something: a package that has it, or a namespace that has others.
bool has_module(const std::vector<std::string>& modules, const std::string& name) {
  return std::any_of(modules.begin(), modules.end(), [&](const std::string& module) {
    return is_below(name, module) || is_below(module, name);
  });
}

// What a distribution brings: the first part of a name, and of a namespace that others have a part of, more.
std::string package_of(const std::string& name, const std::vector<std::string>& modules) {
  constexpr std::string_view k_namespaces[] = {"google", "azure", "ruamel"};
  constexpr std::size_t k_depth = 3;
  auto parts = base::split(name, '.');
  const bool is_known =
      std::find(std::begin(k_namespaces), std::end(k_namespaces), parts.front()) != std::end(k_namespaces);
  if (!is_known && !has_module(modules, parts.front())) return parts.front();
  const bool is_deep = !is_known || parts.front() == "azure" || (parts.size() > 1 && parts[1] == "cloud");
  parts.resize(std::min(parts.size(), is_deep ? k_depth : k_depth - 1));
  return base::join(parts, ".");
}

// Whether the package was installed from the source: then all its modules are known.
bool is_built(const std::string& name, const std::vector<std::string>& modules) {
  return std::find(modules.begin(), modules.end(), name.substr(0, name.find('.')) + ".__init__") !=
         modules.end();
}

bool is_module_file(const std::string& name) { return name.ends_with(".py") || name.ends_with(".so"); }

// Names of modules and of folders with modules anywhere in the source: programs extend their import path.
std::set<std::string> modules_anywhere(const fs::path& source) {
  constexpr int k_most = 20'000;
  std::set<std::string> names;
  boost::system::error_code error;
  int count = 0;
  for (fs::recursive_directory_iterator entry(source, error), end; entry != end && count < k_most;
       entry.increment(error), ++count) {
    const std::string name = entry->path().filename().string();
    if (name.front() == '.' || fs::exists(entry->path() / "pyvenv.cfg", error)) {
      entry.disable_recursion_pending();
      continue;
    }
    if (!is_module_file(name)) continue;
    names.insert(name.substr(0, name.find('.')));
    names.insert(entry->path().parent_path().filename().string());
  }
  return names;
}

// The distribution that has a module, by the image's own records of what is installed.
std::string distribution_in(const fs::path& site_packages, const std::string& module) {
  std::string file = module;
  std::replace(file.begin(), file.end(), '.', '/');
  boost::system::error_code error;
  for (fs::directory_iterator entry(site_packages, error), end; entry != end; entry.increment(error)) {
    if (entry->path().extension() != ".dist-info") continue;
    const auto record = base::read_input_file(entry->path() / "RECORD");
    if (!record) continue;
    const auto paths = paths_of_record(*record);
    const bool has_it = std::any_of(paths.begin(), paths.end(), [&](const std::string& path) {
      return path.starts_with(file + "/") || path == file + ".py";
    });
    if (!has_it) continue;
    const std::string metadata = base::read_input_file(entry->path() / "METADATA").value_or("");
    for (const auto& line : base::split(metadata, '\n')) {
      if (line.starts_with("Name:")) return std::string(base::trim(line.substr(line.find(':') + 1)));
    }
  }
  return "";
}

void add_names(const fs::path& folder, const std::string& prefix, int depth,
               std::vector<std::string>& names) {
  constexpr int k_deepest_folder = 4;
  boost::system::error_code error;
  for (fs::directory_iterator entry(folder, error), end; entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (is_module_file(name)) {
      names.push_back(prefix + name.substr(0, name.find('.')));
    } else if (name.find_first_of(".-") == std::string::npos && name != "__pycache__" &&
               fs::is_directory(entry->status())) {
      const auto has = [&](const char* file) { return fs::exists(entry->path() / file); };
      if (has("__init__.py") || has("__init__.pyc") || depth == k_deepest_folder) {
        names.push_back(prefix + name);
      } else {
        const auto before = names.size();
        add_names(entry->path(), prefix + name + ".", depth + 1, names);
        // A package whose __init__ is compiled is one for whoever imports it.
        const bool is_compiled = std::find(names.begin() + static_cast<std::ptrdiff_t>(before), names.end(),
                                           prefix + name + ".__init__") != names.end();
        if (is_compiled) {
          names.resize(before);
          names.push_back(prefix + name);
        }
      }
    }
  }
}

// The folders that a .pth file adds to the import path.
std::vector<fs::path> folders_of_path_files(const fs::path& site_packages) {
  std::vector<fs::path> folders;
  boost::system::error_code error;
  for (fs::directory_iterator entry(site_packages, error), end; entry != end; entry.increment(error)) {
    if (entry->path().extension() != ".pth") continue;
    for (const auto& line : base::split(base::read_input_file(entry->path()).value_or(""), '\n')) {
      const std::string path(base::trim(line));
      if (path.empty() || path.front() == '#' || path.starts_with("import ")) continue;
      if (fs::is_directory(site_packages / path, error)) folders.push_back(site_packages / path);
    }
  }
  return folders;
}

}  // namespace

base::Result<Imports> read_imports(const fs::path& source, const Entry& entry, const Interpreter& interpreter,
                                   const Tools& tools) {
  const auto question = arguments_of(source, entry, tools);
  base::Sha256 key;
  key.update_field(interpreter.identity + " " + interpreter.path);
  key.update_field(k_read_imports);
  for (const auto& argument : question) key.update_field(argument);
  const fs::path folder = tools.settings().cache / "python" / "imports";
  const fs::path memory = folder / key.finish();
  // What an earlier build found out, behind its digest.
  std::string known = is_file(memory) ? base::read_input_file(memory).value_or("") : "";
  const std::string digest = known.substr(0, known.find('\n'));
  known.erase(0, std::min(known.size(), digest.size() + 1));
  if (base::sha256(known) != digest) known.clear();
  if (!known.empty()) {
    auto reading = parse_reading(known);
    if (reading && is_current(*reading, source)) return std::move(reading->imports);
  }

  BASE_TRY_ASSIGN(const auto workspace, caches::make_workspace(tools.settings().cache));
  const fs::path list = workspace.path() / "known";
  BASE_TRY(base::write_file(list, known));
  const base::UniqueFd input(::open(list.c_str(), O_RDONLY | O_CLOEXEC));
  if (!input) return base::fail(base::system_error("read", list.string(), errno));
  std::vector<std::string> arguments = {interpreter.path, "-I", "-S", "-W", "ignore", "-c", k_read_imports};
  arguments.insert(arguments.end(), question.begin(), question.end());
  BASE_TRY_ASSIGN(const auto finished, tools.run({.arguments = std::move(arguments),
                                                  .environment = {{"LC_ALL", "C.UTF-8"}},
                                                  .folder = "/",
                                                  .standard_input = input.get()}));
  if (!finished.ending.succeeded()) return base::fail(explain_failure(finished, entry));
  auto reading = parse_reading(finished.output);
  if (!reading) return base::fail(ErrorKind::bug, "read_imports.py", "returned an unexpected answer");
  BASE_TRY(base::make_folders(folder, base::k_owner_writes));
  BASE_TRY(base::write_file(memory, base::sha256(finished.output) + "\n" + finished.output));
  return std::move(reading->imports);
}

std::vector<std::string> importable_names(const fs::path& site_packages) {
  std::vector<std::string> names;
  add_names(site_packages, "", 0, names);
  for (const auto& folder : folders_of_path_files(site_packages)) add_names(folder, "", 0, names);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::vector<OutsideImport> missing_imports(const Imports& imports, const Visible& visible,
                                           const fs::path& source) {
  const auto is_there = [&](const OutsideImport& import) {
    if (import.is_own && is_built(import.name, visible.modules)) {
      return std::any_of(visible.modules.begin(), visible.modules.end(),
                         [&](const std::string& module) { return is_below(module, import.name); });
    }
    // What the command line itself names runs here, whatever it finds elsewhere.
    const bool has_image = visible.has_image_packages && (!visible.is_this_machine || import.file.empty());
    return import.is_on_path || (has_image && !import.image.empty()) ||
           has_module(visible.modules, import.name) ||
           // setuptools brings what the standard library has lost.
           (import.name.starts_with("distutils") && has_module(visible.modules, "_distutils_hack"));
  };
  const auto is_missing = [&](const std::string& name) {
    const auto import = std::find_if(imports.outside.begin(), imports.outside.end(),
                                     [&](const OutsideImport& other) { return other.name == name; });
    if (import != imports.outside.end()) return !is_there(*import);
    return !has_module(visible.modules, name);
  };
  std::vector<OutsideImport> missing;
  for (const auto& import : imports.outside) {
    if (is_there(import) || !std::all_of(import.unless.begin(), import.unless.end(), [&](const auto& group) {
          return std::any_of(group.begin(), group.end(), is_missing);
        })) {
      continue;
    }
    const bool is_known = std::any_of(missing.begin(), missing.end(), [&](const OutsideImport& other) {
      return other.is_own || import.is_own
                 ? other.name == import.name
                 : package_of(other.name, visible.modules) == package_of(import.name, visible.modules);
    });
    if (!is_known) missing.push_back(import);
  }
  if (missing.empty()) return missing;
  const auto anywhere = modules_anywhere(source);
  std::erase_if(missing, [&](const OutsideImport& import) {
    return !import.file.empty() && !import.is_own &&
           anywhere.contains(import.name.substr(0, import.name.find('.')));
  });
  return missing;
}

std::string distribution_of(const std::string& package) {
  const auto& known = known_distributions();
  for (std::string name = package;; name.resize(name.rfind('.'))) {
    if (const auto found = known.find(name); found != known.end()) return std::string(found->second);
    if (!base::contains(name, '.')) break;
  }
  std::string name = package;
  std::replace(name.begin(), name.end(), '_', '-');
  std::replace(name.begin(), name.end(), '.', '-');
  return name;
}

std::string describe(const OutsideImport& import, const Visible& visible) {
  if (import.is_own && is_built(import.name, visible.modules)) {
    return import.file + ":" + std::to_string(import.line) + ": imports " + import.name +
           ", which neither the source nor its build provides";
  }
  if (import.is_own) {
    return import.file + ":" + std::to_string(import.line) + ": imports " + import.name +
           ", which is not in the source; if the build generates it, install the project as well (" +
           (visible.manifest.ends_with(".txt") ? "add . to " + visible.manifest
                                               : "[build-system] in pyproject.toml, or setup.py") +
           ")";
  }
  const std::string package = package_of(import.name, visible.modules);
  std::string distribution = import.image.empty() ? "" : distribution_in(import.image, package);
  if (distribution.empty()) distribution = distribution_of(package);
  const std::string start =
      import.file + ":" + std::to_string(import.line) + ": imports " + package + ", which ";
  const bool is_of_machine = !import.image.empty() && visible.is_this_machine;
  const std::string who = is_of_machine ? "only this machine has" : "is not installed";
  if (visible.manifest.empty()) return start + who + "; add " + distribution + " to requirements.txt";
  for (const auto& name : {distribution, distribution_of(package)}) {
    const auto option = visible.optional.find(normalised_name(name));
    if (option == visible.optional.end()) continue;
    return start + "is not installed; add " + option->second + " in pachbuild.toml";
  }
  const std::string add = "; add " + distribution + " to " + visible.manifest;
  if (is_of_machine || import.image.empty() || visible.has_image_packages) return start + who + add;
  return start + "only this image provides" + add + ", or set python.image_packages = true in pachbuild.toml";
}

}  // namespace builder::python
