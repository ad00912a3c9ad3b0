// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "base/credentials.h"
#include "base/errors.h"
#include "base/text.h"
#include "pachbuild/doctor/checks.h"

namespace doctor {
namespace {

namespace fs = base::fs;
using process::value_of;

constexpr std::array k_proxies = {"http_proxy", "https_proxy", "all_proxy", "no_proxy"};

// Each is a file of certificates that some tool is told to trust, or, of the last, a folder of them.
constexpr std::array k_certificates = {"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE",  "CURL_CA_BUNDLE",
                                       "PIP_CERT",      "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO",
                                       "SSL_CERT_DIR"};
constexpr std::string_view k_certificate_folder = "SSL_CERT_DIR";
constexpr char k_begin[] = "-----BEGIN ";

// Debian and Ubuntu; Fedora and Red Hat; SUSE; Alpine.
constexpr std::array k_system_certificates = {"etc/ssl/certs/ca-certificates.crt",
                                              "etc/pki/tls/certs/ca-bundle.crt", "etc/ssl/ca-bundle.pem",
                                              "etc/ssl/cert.pem"};

std::string upper(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char character) { return static_cast<char>(std::toupper(character)); });
  return name;
}

// A proxy may be written without its scheme, and then has its password all the same.
std::string shown_proxy(const std::string& value) {
  constexpr std::string_view k_scheme = "http://";
  if (base::contains(value, "://")) return base::hide_credentials(value);
  return base::hide_credentials(std::string(k_scheme) + value).substr(k_scheme.size());
}

std::optional<Finding> check_proxy(const Machine& machine, const std::string& name) {
  const auto lower_value = value_of(machine.environment, name);
  const auto upper_value = value_of(machine.environment, upper(name));
  if (lower_value.empty() && upper_value.empty()) return std::nullopt;
  const auto show = name == "no_proxy" ? [](const std::string& value) { return value; } : shown_proxy;
  if (!lower_value.empty() && !upper_value.empty() && lower_value != upper_value) {
    return warning(name, show(lower_value) + ", but " + upper(name) + " is " + show(upper_value),
                   "export " + upper(name) + "=\"$" + name + "\"");
  }
  return ok(lower_value.empty() ? upper(name) : name, show(lower_value.empty() ? upper_value : lower_value));
}

std::string fix_of(const std::string& name) {
  return "unset " + name + ", or set it to a file that can be read";
}

Finding check_certificate_folder(const std::string& name, const std::string& value) {
  for (const auto& folder : base::split(value, ':')) {
    struct stat status{};
    if (::stat(folder.c_str(), &status) != 0)
      return problem(name, folder + ": " + base::system_error("read", folder, errno).what, fix_of(name));
    if (!S_ISDIR(status.st_mode)) return problem(name, folder + " is not a folder", fix_of(name));
  }
  return ok(name, value);
}

Finding check_certificate_file(const std::string& name, const std::string& value) {
  const auto content = base::read_input_file(value);
  if (!content) return problem(name, value + ": " + content.error().what, fix_of(name));
  if (!base::contains(*content, k_begin)) return problem(name, value + " has no certificates", fix_of(name));
  return ok(name, value);
}

struct Index {
  const char* check;
  std::vector<const char*> variables;  // the first that is set names it
  const char* usual;
};

const std::array<Index, 2>& indexes() {
  static const std::array<Index, 2> all = {
      Index{"Python packages",
            {"UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"},
            "https://pypi.org/simple/"},
      Index{"Go modules", {"GOPROXY"}, "https://proxy.golang.org"},
  };
  return all;
}

// The first of a list; without what it asks for, and a token that may be in that.
std::string address_of(const Machine& machine, const Index& index) {
  std::string address = index.usual;
  for (const auto* name : index.variables) {
    const auto value = value_of(machine.environment, name);
    if (value.empty()) continue;
    address = value;
    break;
  }
  address = address.substr(0, address.find_first_of(",|? "));
  // "name=https://…" of uv.
  const auto scheme = address.find("://");
  const auto equals = address.find('=');
  if (equals != std::string::npos && scheme != std::string::npos && equals < scheme)
    address.erase(0, equals + 1);
  return base::without_credentials(address);
}

std::string fix_of_silence(int code) {
  constexpr int k_proxy_not_found = 5;
  constexpr int k_certificate = 60;
  constexpr int k_certificate_file = 77;
  if (code == k_certificate || code == k_certificate_file)
    return "set SSL_CERT_FILE to a file with the certificate of the network's authority";
  if (code == k_proxy_not_found) return "correct http_proxy and https_proxy";
  return "check the network; behind a proxy set https_proxy";
}

Finding check_index(const Machine& machine, const Index& index, const std::string& curl) {
  const auto address = address_of(machine, index);
  if (!base::contains(address, "://")) return ok(index.check, address + ": none is asked");
  const auto finished = ask(machine,
                            {curl, "--silent", "--show-error", "--location", "--max-time", "10", "--output",
                             "/dev/null", "--write-out", "%{http_code}", "--", address},
                            k_check_patience);
  if (!finished) return problem(index.check, address + ": " + finished.error().what, fix_of_silence(0));
  if (!finished->ending.succeeded()) {
    return problem(index.check, address + ": " + base::last_line(finished->errors),
                   fix_of_silence(finished->ending.exit_code()));
  }
  const auto code = base::parse_number(base::trim(finished->output)).value_or(0);
  constexpr std::uint64_t k_proxy_login = 407;
  constexpr std::uint64_t k_server_fault = 500;
  const std::string what = address + " answers (HTTP " + std::to_string(code) + ")";
  if (code == k_proxy_login) return problem(index.check, what, "set a user and password in https_proxy");
  if (code >= k_server_fault) return problem(index.check, what, "try again later");
  return ok(index.check, what);
}

}  // namespace

Findings check_proxies(const Machine& machine) {
  Findings findings;
  for (const auto* name : k_proxies) {
    if (auto finding = check_proxy(machine, name)) findings.push_back(std::move(*finding));
  }
  if (findings.empty()) findings.push_back(ok("proxies", "none set"));
  return findings;
}

Findings check_certificates(const Machine& machine) {
  Findings findings;
  for (const std::string name : k_certificates) {
    const auto value = value_of(machine.environment, name);
    if (value.empty()) continue;
    findings.push_back(name == k_certificate_folder ? check_certificate_folder(name, value)
                                                    : check_certificate_file(name, value));
  }
  if (!findings.empty()) return findings;
  for (const auto* file : k_system_certificates) {
    const fs::path path = machine.root / file;
    if (::access(path.c_str(), R_OK) == 0) return {ok("certificates", path.string())};
  }
  return {warning("certificates", "none found on this machine", "sudo apt-get install ca-certificates")};
}

Findings check_indexes(const Machine& machine) {
  Findings findings;
  const auto curl = process::find_program("curl", value_of(machine.environment, "PATH"));
  if (!curl) return {warning("indexes", "cannot be checked without curl", "sudo apt-get install curl")};
  for (const auto& index : indexes()) findings.push_back(check_index(machine, index, *curl));
  return findings;
}

}  // namespace doctor
