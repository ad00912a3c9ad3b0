// SPDX-License-Identifier: Apache-2.0
#include <boost/filesystem/operations.hpp>
#include <map>

#include "base/text.h"
#include "pachbuild/cluster/pachctl.h"
#include "pachbuild/doctor/checks.h"

namespace doctor {
namespace {

// "2.12" of "2.12.0".
std::string release_of(const std::string& version) {
  const auto first = version.find('.');
  return first == std::string::npos ? version : version.substr(0, version.find('.', first + 1));
}

// "pachctl  2.12.0" and "pachd  2.12.0", a line each below headings.
std::map<std::string, std::string> versions_in(const std::string& answer) {
  std::map<std::string, std::string> versions;
  for (const auto& line : base::split(answer, '\n')) {
    const auto words = base::words(line);
    if (words.size() == 2) versions[words[0]] = words[1];
  }
  return versions;
}

Finding check_versions(const std::string& answer) {
  const auto versions = versions_in(answer);
  const auto client = versions.find("pachctl");
  const auto server = versions.find("pachd");
  if (server == versions.end()) return ok("version", "it answers");
  if (client == versions.end() || release_of(client->second) == release_of(server->second))
    return ok("version", "Pachyderm " + server->second);
  return warning("version", "Pachyderm " + server->second + ", but pachctl is " + client->second,
                 "install pachctl " + server->second);
}

}  // namespace

Findings check_cluster(const Machine& machine, const std::string& context) {
  boost::system::error_code error;
  const auto found =
      cluster::Pachctl::find({context, ""}, base::fs::temp_directory_path(error), *machine.runner);
  if (!found) return {};  // check_tools() tells it
  const auto pachctl = found->limited_to(k_check_patience / 2);
  Findings findings;
  if (!context.empty()) {
    findings.push_back(ok("context", context));
  } else if (const auto active = pachctl.call_anywhere({"config", "get", "active-context"})) {
    findings.push_back(ok("context", std::string(base::trim(*active))));
  } else {
    findings.push_back(problem("context", active.error().what, "pachctl connect grpc://HOST:PORT"));
    return findings;
  }
  const auto answer = pachctl.call_anywhere({"version", "--timeout", "5s"});
  findings.push_back(answer ? check_versions(*answer)
                            : problem("version", "the cluster does not answer: " + answer.error().what,
                                      "pachctl version, pachctl config get active-context"));
  return findings;
}

}  // namespace doctor
