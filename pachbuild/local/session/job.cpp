// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/session/job.h"

#include <algorithm>

#include "base/digest.h"
#include "base/files.h"
#include "contract/build_record.h"
#include "contract/layout.h"
#include "pachbuild/spec/own_command.h"

namespace local {
namespace {

// Of these two build_facts() says more.
constexpr char k_source_part[] = "the source";
constexpr char k_build_part[] = "the build";

std::string digest_of(const std::vector<std::string>& list) {
  if (list.empty()) return "";
  base::Sha256 digest;
  for (const auto& item : list) digest.update_field(item);
  return digest.finish();
}

}  // namespace

Job::Job(const spec::PipelineSpec& spec, const Artifact& artifact, const std::string& image_id,
         const std::string& secrets_digest, const std::vector<std::string>& arguments) {
  const auto& transform = spec.transform;
  std::vector<std::string> codes;
  for (const auto code : transform.accept_return_code) codes.push_back(std::to_string(code));
  m_parts = {{"pipeline.name", spec.name},
             {"pipeline.project", spec.project},
             {k_source_part, artifact.source_version},
             {k_build_part, artifact.version},
             {"the image", image_id},
             {"a secret", secrets_digest},
             {"transform.cmd", digest_of(transform.cmd)},
             {"transform.stdin", digest_of(transform.stdin_lines)},
             {"transform.err_cmd", digest_of(transform.err_cmd)},
             {"transform.err_stdin", digest_of(transform.err_stdin)},
             {k_arguments_fact, digest_of(arguments)},
             {"transform.working_dir", spec::folder_of_command(transform)},
             {"transform.accept_return_code", digest_of(codes)},
             {"transform.datum_batching", transform.datum_batching ? "true" : ""}};
  for (const auto& [name, value] : transform.env) m_parts.emplace_back("variable " + name, value);
}

std::string Job::key() const {
  base::Sha256 digest;
  digest.update_field("pachbuild datum 5");  // raise it when what a datum sees changes
  for (const auto& [name, value] : m_parts) {
    digest.update_field(name);
    digest.update_field(value);
  }
  return digest.finish();
}

// What is not set is no fact: "is new" says more of it then than "changed".
Facts Job::settings() const {
  Facts facts;
  for (const auto& [name, value] : m_parts) {
    if (!value.empty() && name != k_source_part && name != k_build_part)
      facts.hidden[name] = short_digest(value);
  }
  return facts;
}

Facts build_facts(const spec::PipelineSpec& spec, const Artifact& artifact) {
  Facts facts;
  for (const auto& [path, digest] : artifact.source_files)
    facts.hidden[path] = digest.substr(0, k_short_digest);
  for (const auto& [path, digest] : artifact.builder_files)
    facts.hidden["the builder's " + path] = digest.substr(0, k_short_digest);
  for (const auto& [name, value] : spec.transform.build.env)
    facts.hidden["build variable " + name] = short_digest(value);
  const auto build = contract::parse_build_record(artifact.record, contract::k_record);
  if (!build) return facts;  // there is none, or another builder's
  facts.shown["builder-runtime"] = build->version;
  facts.shown["program"] = build->program.name;
  facts.shown["interpreter"] = build->platform.interpreter;
  for (const auto& package : build->packages) {
    const auto [name, version] = contract::name_and_version(package);
    facts.shown["package " + name] = version;
  }
  return facts;
}

}  // namespace local
