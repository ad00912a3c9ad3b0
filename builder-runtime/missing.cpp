// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/missing.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>

#include "base/text.h"

namespace builder {
namespace {

using Row = std::pair<std::string_view, std::string_view>;

// By name; one that ends with / is a folder of headers.
constexpr std::array k_headers = std::to_array<Row>({
    {"GL/", "libgl-dev"},
    {"Python.h", "python3-dev"},
    {"X11/", "libx11-dev"},
    {"alsa/", "libasound2-dev"},
    {"archive.h", "libarchive-dev"},
    {"assert.h", "libc6-dev"},
    {"boost/", "libboost-dev"},
    {"bzlib.h", "libbz2-dev"},
    {"cairo.h", "libcairo2-dev"},
    {"cblas.h", "libopenblas-dev"},
    {"cups/", "libcups2-dev"},
    {"curl/", "libcurl4-openssl-dev"},
    {"curses.h", "libncurses-dev"},
    {"dbus/", "libdbus-1-dev"},
    {"errno.h", "libc6-dev"},
    {"ev.h", "libev-dev"},
    {"expat.h", "libexpat1-dev"},
    {"ffi.h", "libffi-dev"},
    {"fftw3.h", "libfftw3-dev"},
    {"ft2build.h", "libfreetype-dev"},
    {"gdal.h", "libgdal-dev"},
    {"geos_c.h", "libgeos-dev"},
    {"git2.h", "libgit2-dev"},
    {"glib.h", "libglib2.0-dev"},
    {"gmp.h", "libgmp-dev"},
    {"google/protobuf/", "libprotobuf-dev"},
    {"gssapi.h", "libkrb5-dev"},
    {"gssapi/", "libkrb5-dev"},
    {"hdf5.h", "libhdf5-dev"},
    {"jpeglib.h", "libjpeg-dev"},
    {"krb5.h", "libkrb5-dev"},
    {"lber.h", "libldap-dev"},
    {"ldap.h", "libldap-dev"},
    {"leveldb/", "libleveldb-dev"},
    {"libexslt/", "libxslt1-dev"},
    {"libpq-fe.h", "libpq-dev"},
    {"librdkafka/", "librdkafka-dev"},
    {"libxml/", "libxml2-dev"},
    {"libxslt/", "libxslt1-dev"},
    {"limits.h", "libc6-dev"},
    {"linux/", "linux-libc-dev"},
    {"lmdb.h", "liblmdb-dev"},
    {"lz4.h", "liblz4-dev"},
    {"lzma.h", "liblzma-dev"},
    {"magic.h", "libmagic-dev"},
    {"math.h", "libc6-dev"},
    {"mpc.h", "libmpc-dev"},
    {"mpfr.h", "libmpfr-dev"},
    {"mpi.h", "libopenmpi-dev"},
    {"mysql.h", "default-libmysqlclient-dev"},
    {"mysql/", "default-libmysqlclient-dev"},
    {"ncurses.h", "libncurses-dev"},
    {"netcdf.h", "libnetcdf-dev"},
    {"openssl/", "libssl-dev"},
    {"pcap.h", "libpcap-dev"},
    {"pcap/", "libpcap-dev"},
    {"png.h", "libpng-dev"},
    {"portaudio.h", "portaudio19-dev"},
    {"proj.h", "libproj-dev"},
    {"pulse/", "libpulse-dev"},
    {"re2/", "libre2-dev"},
    {"readline/", "libreadline-dev"},
    {"sasl/", "libsasl2-dev"},
    {"seccomp.h", "libseccomp-dev"},
    {"snappy-c.h", "libsnappy-dev"},
    {"snappy.h", "libsnappy-dev"},
    {"sndfile.h", "libsndfile1-dev"},
    {"sodium.h", "libsodium-dev"},
    {"sql.h", "unixodbc-dev"},
    {"sqlext.h", "unixodbc-dev"},
    {"sqlite3.h", "libsqlite3-dev"},
    {"stdio.h", "libc6-dev"},
    {"stdlib.h", "libc6-dev"},
    {"string.h", "libc6-dev"},
    {"sys/", "libc6-dev"},
    {"systemd/", "libsystemd-dev"},
    {"tiff.h", "libtiff-dev"},
    {"tiffio.h", "libtiff-dev"},
    {"unistd.h", "libc6-dev"},
    {"uuid/", "uuid-dev"},
    {"webp/", "libwebp-dev"},
    {"xmlsec/", "libxmlsec1-dev"},
    {"yaml.h", "libyaml-dev"},
    {"zlib.h", "zlib1g-dev"},
    {"zmq.h", "libzmq3-dev"},
    {"zstd.h", "libzstd-dev"},
});

constexpr std::array k_tools = std::to_array<Row>({
    {"autoreconf", "autoconf"},
    {"cargo", "cargo"},
    {"cc1plus", "g++"},
    {"cmake", "cmake"},
    {"curl-config", "libcurl4-openssl-dev"},
    {"g++", "g++"},
    {"gdal-config", "libgdal-dev"},
    {"gfortran", "gfortran"},
    {"git", "git"},
    {"krb5-config", "libkrb5-dev"},
    {"libtoolize", "libtool"},
    {"make", "make"},
    {"mysql_config", "default-libmysqlclient-dev"},
    {"ninja", "ninja-build"},
    {"patchelf", "patchelf"},
    {"pg_config", "libpq-dev"},
    {"pkg-config", "pkg-config"},
    {"protoc", "protobuf-compiler"},
    {"rustc", "rustc"},
    {"swig", "swig"},
    {"xml2-config", "libxml2-dev"},
    {"xslt-config", "libxslt1-dev"},
});

static_assert(std::is_sorted(k_headers.begin(), k_headers.end()));
static_assert(std::is_sorted(k_tools.begin(), k_tools.end()));

// A name is said between two texts.
using Form = std::pair<std::string_view, std::string_view>;

constexpr std::array k_header_forms = std::to_array<Form>({
    {"fatal error: ", ": No such file or directory"},  // gcc
    {"fatal error: '", "' file not found"},            // clang
});

constexpr std::array k_tool_forms = std::to_array<Form>({
    {": ", ": command not found"},                    // bash
    {": ", ": not found"},                            // other shells
    {"Error: ", " executable not found"},             // psycopg2
    {"No such file or directory: '", "'"},            // Python
    {"command '", "' failed: No such file or"},       // setuptools
    {"exec: \"", "\": executable file not found"},    // Go
    {"cannot execute '", "': execvp: No such file"},  // gcc
});

constexpr std::string_view k_linker = "cannot find -l";  // ld, gold and lld

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || base::contains("_.+-/", static_cast<char>(c));
  });
}

std::optional<std::string_view> name_in(std::string_view line, const Form& form) {
  const auto& [before, after] = form;
  for (auto at = line.find(before); at != std::string_view::npos; at = line.find(before, at + 1)) {
    const auto rest = line.substr(at + before.size());
    const auto name = rest.substr(0, rest.find(after));
    if (name.size() != rest.size() && is_name(name)) return name;
  }
  return std::nullopt;
}

template <std::size_t Size>
std::string_view package_of(std::string_view name, const std::array<Row, Size>& rows) {
  const auto row = std::lower_bound(rows.begin(), rows.end(), Row(name, ""));
  return row != rows.end() && row->first == name ? row->second : std::string_view();
}

// A header by its own name or by that of a folder which it is in.
std::string_view package_of_header(std::string_view name) {
  auto package = package_of(name, k_headers);
  for (auto end = name.rfind('/'); package.empty() && end != std::string_view::npos && end > 0;
       end = name.rfind('/', end - 1)) {
    package = package_of(name.substr(0, end + 1), k_headers);
  }
  return package;
}

std::string hint_for(std::string_view name, std::string_view package) {
  const std::string missing = "; " + std::string(name) + " is missing";
  if (!package.empty()) return missing + ": install the Debian package " + std::string(package);
  return missing + "; if it is not part of the project, packages.debian.org or apt-file search " +
         std::string(name) + " shows which package provides it";
}

std::string hint_in(std::string_view line) {
  for (const auto& form : k_header_forms) {
    if (const auto name = name_in(line, form)) return hint_for(*name, package_of_header(*name));
  }
  if (const auto at = line.find(k_linker); at != std::string_view::npos) {
    const auto rest = line.substr(at + k_linker.size());
    const auto name = rest.substr(0, rest.find_first_of(": \t\r"));
    if (is_name(name)) return hint_for("lib" + std::string(name) + ".so", "");
  }
  for (const auto& form : k_tool_forms) {
    const auto name = name_in(line, form).value_or("");
    if (const auto package = package_of(name, k_tools); !package.empty()) return hint_for(name, package);
  }
  return "";
}

}  // namespace

// The last word counts: what a build only tried to find, and did without, comes before what it has failed
// for.
std::string missing_hint(std::string_view words) {
  std::string hint;
  for (const auto& line : base::split(words, '\n')) {
    if (auto found = hint_in(line); !found.empty()) hint = std::move(found);
  }
  return hint;
}

}  // namespace builder
