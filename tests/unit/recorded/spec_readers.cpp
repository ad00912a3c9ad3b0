// SPDX-License-Identifier: Apache-2.0
// Specs, globs and ignore files.
#include "base/text.h"
#include "glob/glob.h"
#include "pachbuild/source/ignore.h"
#include "pachbuild/spec/edit.h"
#include "pachbuild/spec/pipeline_spec.h"
#include "tests/unit/recorded/reader.h"

namespace spec {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Input& input) {
  if (input.kind != Input::Kind::repo) {
    Json parts = Json::array();
    for (const auto& part : input.parts) parts.push_back(json_of(part));
    return {static_cast<int>(input.kind), parts};
  }
  const auto& repo = input.repo;
  Json all = {repo.project, repo.name,     repo.is_named,   repo.repo, repo.branch,      repo.glob,
              repo.join_on, repo.group_by, repo.outer_join, repo.lazy, repo.empty_files, repo.pointer};
  if (repo.cron) all.push_back({repo.cron->spec, repo.cron->overwrite});
  return all;
}

Json json_of(const PipelineSpec& spec) {
  const auto& transform = spec.transform;
  Json secrets = Json::array();
  for (const auto& secret : transform.secrets)
    secrets.push_back({secret.name, secret.key, secret.mount_path, secret.env_var});
  const auto count = [](const auto& duration) { return duration ? Json(duration->count()) : Json(); };
  const auto images = images_of(transform, "registry/");
  return {{"name", {spec.project, spec.name, spec.description}},
          {"build",
           {transform.build.language, transform.build.image, transform.build.path,
            transform.build.folder.string(), transform.build.env}},
          {"images", {transform.image, images.builder, images.pipeline}},
          {"commands", {transform.cmd, transform.stdin_lines, transform.err_cmd, transform.err_stdin}},
          {"env", transform.env},
          {"secrets", secrets},
          {"other",
           {transform.accept_return_code, transform.user, transform.working_dir, transform.dockerfile,
            transform.datum_batching}},
          {"input", json_of(spec.input)},
          {"numbers",
           {spec.output_branch, spec.parallelism, count(spec.datum_timeout), count(spec.job_timeout),
            spec.datum_tries.value_or(-1), spec.datum_set_spec.number, spec.datum_set_spec.size_bytes,
            spec.datum_set_spec.per_worker, spec.reprocess_spec}},
          {"told", {spec.cluster_fields, spec.notes, spec.warnings}},
          {"places",
           {spec.places.where("/transform/cmd"), spec.places.where("/input"),
            spec.places.where("/pipeline/name")}},
          {"fields", spec.fields ? spec.fields->dump() : ""}};
}

Json json_of(const std::vector<ClusterPipeline>& pipelines) {
  Json all = Json::array();
  for (const auto& one : pipelines) {
    all.push_back({one.name, one.document.value->dump(), one.document.warnings, one.notes,
                   one.spec ? json_of(*one.spec) : Json()});
  }
  return all;
}

// The language of the file is that of the text: JSON or YAML.
RECORDED_READER(pipeline_spec, input, answers) {
  const std::string file = (input.folder / "p.yaml").string();
  const auto text = input.file("p.yaml");
  answers.tell("machine", read_pipeline(text, file), [](const PipelineSpec& spec) { return json_of(spec); });
  const auto told = [](const auto& pipelines) { return json_of(pipelines); };
  answers.tell("cluster", read_for_cluster(text, file, Target::cluster), told);
  answers.tell("any", read_for_cluster(text, file, Target::any), told);
  answers.tell("specs", load_pipelines({{file}, {}, {}}), [](const auto& specs) {
    Json all = Json::array();
    for (const auto& spec : specs) all.push_back(json_of(spec));
    return all;
  });
  const auto documents = parse_documents(text, "p.yaml");
  if (!documents) return answers.tell_error("documents", documents.error());
  Json all = Json::array();
  for (const auto& document : *documents) {
    const auto& value = *document.value;
    all.push_back({to_yaml(value), document.warnings});
    if (!value.is_object() || !value.contains("transform") || !value["transform"].is_object() ||
        value["transform"].empty())
      continue;
    answers.tell("with image", with_image(text, document, "registry/image:1"),
                 [](const auto& changed) { return Json(changed); });
  }
  answers.tell("documents", all);
}

// "GLOB TEXT TEMPLATE"
RECORDED_READER(globs, input, answers) {
  auto words = base::split(input.line(), ' ');
  words.resize(3);
  answers.tell("clean", glob::clean_input_glob(words[0]));
  if (const auto checked = glob::check_template(words[2]); !checked)
    answers.tell_error("template", checked.error());
  for (const auto separator : {glob::Separator::slash, glob::Separator::none}) {
    const std::string name = separator == glob::Separator::slash ? "with slashes" : "without";
    const auto compiled = glob::Glob::compile(words[0], separator);
    if (!compiled) {
      answers.tell_error(name, compiled.error());
      continue;
    }
    const auto captures = compiled->capture(words[1]);
    answers.tell(name, {compiled->matches(words[1]), captures ? Json(*captures) : Json(),
                        compiled->replace(words[1], words[2])});
  }
}

RECORDED_READER(ignore_file, input, answers) {
  const auto rules = source::IgnoreRules::parse(input.file(".pachignore"), ".pachignore");
  if (!rules) return answers.tell_error("rules", rules.error());
  for (const auto& path : base::split(input.file("paths"), '\n')) {
    auto verdict = rules->judge_top();
    Json of_folders = Json::array();
    for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      const auto folder = path.substr(0, slash);
      verdict = rules->judge_folder(folder, verdict);
      of_folders.push_back(rules->leaves_out_all(folder, verdict));
    }
    const auto file = rules->judge_file(path, verdict);
    const auto origin = rules->origin_of(file);
    answers.tell(path, {rules->leaves_out(file), origin.line, origin.text, of_folders});
  }
}

}  // namespace
}  // namespace spec
