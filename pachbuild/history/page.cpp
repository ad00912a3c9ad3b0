// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/history/page.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/json_text.h"
#include "base/text.h"
#include "pachbuild/history/page_parts.h"
#include "pachbuild/history/words.h"

namespace history {
namespace {

using Json = nlohmann::ordered_json;

// Names of any length would make the page as long as they are.
constexpr std::size_t k_longest_label = 240;
constexpr std::size_t k_longest_text = 2000;

std::string label_of(const Datum& datum) { return base::shortened(shown(datum.name.label), k_longest_label); }
std::string text_of(const std::string& text) { return base::shortened(shown(text), k_longest_text); }

Json texts_of(const std::vector<std::string>& texts) {
  Json list = Json::array();
  for (const auto& text : texts) list.push_back(text_of(text));
  return list;
}

Json phases_of(const std::vector<Phase>& phases) {
  Json list = Json::array();
  for (const auto& phase : phases) {
    list.push_back({{"kind", static_cast<int>(phase.kind)},
                    {"of", text_of(phase.of)},
                    {"begin", phase.span.begin.count()},
                    {"end", phase.span.end.count()},
                    {"bytes", phase.bytes}});
  }
  return list;
}

Json durations_json(const Durations& durations) {
  Json bins = Json::array();
  for (const auto& bin : durations.bins)
    bins.push_back(Json::array({bin.from.count(), bin.to.count(), bin.count}));
  return {{"count", durations.count},
          {"sum", durations.sum.count()},
          {"median", durations.median.count()},
          {"p95", durations.p95.count()},
          {"longest", durations.longest.count()},
          {"bins", bins}};
}

Json build_json(const Build& build) {
  Json packages = Json::array();
  for (const auto& [name, version] : build.packages)
    packages.push_back(Json::array({text_of(name), text_of(version)}));
  return {{"builder", text_of(build.builder)},
          {"platform", text_of(build.platform)},
          {"program", text_of(build.program)},
          {"artifact", text_of(build.artifact)},
          {"bytes", build.bytes},
          {"because", text_of(build.because)},
          {"packages", packages}};
}

Json failures_of(const Pipeline& pipeline) {
  Json list = Json::array();
  for (const auto& failure : pipeline.failures) {
    list.push_back({{"reason", text_of(failure.reason)},
                    {"log", shown_lines(failure.log)},
                    {"path", text_of(failure.path)},
                    {"count", failure.count}});
  }
  return list;
}

Json pipeline_json(const Run& run, const Pipeline& pipeline) {
  Json reads = Json::array();
  for (const auto& name : pipeline.reads) reads.push_back(text_of(name));
  const auto again = run_datum(run, pipeline);
  const auto shell = open_shell(run, pipeline);
  Json json = {{"name", text_of(pipeline.name)},
               {"state", static_cast<int>(pipeline.state)},
               {"reads", reads},
               {"after", pipeline.after},
               {"because", text_of(pipeline.because)},
               {"counts", pipeline.counts},
               {"phases", phases_of(pipeline.phases)},
               {"lanes", pipeline.lanes},
               {"failures", failures_of(pipeline)},
               {"warnings", texts_of(pipeline.warnings)},
               {"durations", durations_json(durations_of(lengths_of(pipeline)))},
               {"again", Json::array({again.before, again.after})},
               {"shell", Json::array({shell.before, shell.after})}};
  if (pipeline.error) {
    const auto& error = *pipeline.error;
    json["error"] = {text_of(error.where), text_of(error.what), text_of(error.hint)};
    json["log"] = shown_lines(pipeline.build_log);
  }
  if (pipeline.build) json["build"] = build_json(*pipeline.build);
  if (pipeline.end) {
    const auto& end = *pipeline.end;
    json["output"] = {{"folder", text_of(end.output)}, {"exported", end.exported}, {"partial", end.partial},
                      {"unselected", end.unselected},  {"files", end.files},       {"bytes", end.bytes}};
  }
  return json;
}

// A datum and the place of its pipeline.
struct Row {
  std::size_t pipeline = 0;
  const Datum* datum = nullptr;
};

// What a person looks for first is listed rather than the rest.
int rank_of(DatumState state) {
  switch (state) {
    case DatumState::failed:
      return 0;
    case DatumState::unfinished:
      return 1;
    case DatumState::recovered:
      return 2;
    case DatumState::succeeded:
      return 3;
    case DatumState::skipped:
      return 4;
  }
  return 4;
}

std::vector<Row> rows_of(const Run& run, std::size_t most) {
  std::vector<Row> rows;
  for (std::size_t i = 0; i < run.pipelines.size(); ++i) {
    for (const auto& datum : run.pipelines[i].datums) rows.push_back({i, &datum});
  }
  if (rows.size() > most) {
    std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
      const auto key = [](const Row& row) {
        return std::tuple(rank_of(row.datum->state), -row.datum->span.length(), row.pipeline,
                          row.datum->name.number);
      };
      return key(a) < key(b);
    });
    rows.resize(most);
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return std::pair(a.pipeline, a.datum->name.number) < std::pair(b.pipeline, b.datum->name.number);
  });
  return rows;
}

// A column each: a list of objects would name them again and again.
Json columns_of(const std::vector<Row>& rows) {
  std::string ids;
  std::string states;
  Json pipelines = Json::array();
  Json numbers = Json::array();
  Json labels = Json::array();
  Json begins = Json::array();
  Json lengths = Json::array();
  Json lanes = Json::array();
  Json files = Json::array();
  Json bytes = Json::array();
  Json failures = Json::array();
  Json because = Json::array();
  Json reasons = Json::array();
  std::map<std::string, std::size_t> places;  // of the reasons, which many datums share
  for (const auto& [pipeline, datum] : rows) {
    ids += (ids.empty() ? "" : " ") + datum->name.id;
    states += std::to_string(static_cast<int>(datum->state));
    pipelines.push_back(pipeline);
    numbers.push_back(datum->name.number);
    labels.push_back(label_of(*datum));
    begins.push_back(datum->span.begin.count());
    lengths.push_back(datum->span.length().count());
    lanes.push_back(datum->lane);
    files.push_back(datum->files);
    bytes.push_back(datum->bytes);
    failures.push_back(datum->failure ? Json(*datum->failure) : Json(-1));
    auto reason = base::shortened(shown(datum->because), k_longest_label);
    const auto [known, is_new] = places.try_emplace(reason, reasons.size());
    if (is_new) reasons.push_back(std::move(reason));
    because.push_back(known->second);
  }
  return {{"ids", ids},        {"states", states}, {"pipelines", pipelines}, {"numbers", numbers},
          {"labels", labels},  {"begins", begins}, {"lengths", lengths},     {"lanes", lanes},
          {"files", files},    {"bytes", bytes},   {"failures", failures},   {"because", because},
          {"reasons", reasons}};
}

Json data_of(const Run& run, std::size_t most_rows) {
  const auto rows = rows_of(run, most_rows);
  std::size_t unlisted = 0;
  std::size_t never_started = 0;
  std::vector<Moment> lengths;
  Json pipelines = Json::array();
  for (const auto& pipeline : run.pipelines) {
    for (const auto count : pipeline.counts) unlisted += count;
    unlisted -= pipeline.never_started;
    never_started += pipeline.never_started;
    const auto own = lengths_of(pipeline);
    lengths.insert(lengths.end(), own.begin(), own.end());
    pipelines.push_back(pipeline_json(run, pipeline));
  }
  Json repos = Json::array();
  for (const auto& repo : run.repos) repos.push_back(Json::array({text_of(repo.name), text_of(repo.folder)}));
  return {{"version", run.version},
          {"command", run_again(run)},
          {"started", run.started},
          {"elapsed", run.elapsed.count()},
          {"code", run.exit_code},
          {"signal", run.signal.value_or(0)},
          {"workers", run.workers},
          {"window", time_with_datums(run).count()},
          {"runtime", run.runtime},
          {"repos", repos},
          {"phases", phases_of(run.phases)},
          {"warnings", texts_of(run.warnings)},
          {"durations", durations_json(durations_of(lengths))},
          {"pipelines", pipelines},
          {"rows", columns_of(rows)},
          {"unlisted", unlisted - rows.size()},
          {"neverStarted", never_started}};
}

// JSON that no HTML parser takes for the end of the element that it is in.
std::string json_in_html(const Json& json) {
  std::string text = base::json_text(json);
  base::replace_all(text, "<", "\\u003c");
  return text;
}

std::string html_text(std::string text) {
  base::replace_all(text, "&", "&amp;");
  base::replace_all(text, "<", "&lt;");
  base::replace_all(text, ">", "&gt;");
  base::replace_all(text, "\"", "&quot;");
  return text;
}

// What a Content-Security-Policy calls the text of an element: only that one is executed, or applied.
std::string policy_hash(const std::string& text) {
  base::Sha256 digest;
  digest.update(text);
  const auto hexadecimal = digest.finish();
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hexadecimal.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hexadecimal.substr(i, 2), nullptr, 16));
  return "'sha256-" + base::base64(bytes) + "'";
}

std::string title_of(const Run& run) {
  constexpr std::size_t k_named = 3;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < std::min(k_named, run.pipelines.size()); ++i)
    names.push_back(text_of(run.pipelines[i].name));
  std::string title = base::join(names, ", ");
  if (run.pipelines.size() > k_named)
    title += " and " + std::to_string(run.pipelines.size() - k_named) + " more";
  return title;
}

}  // namespace

std::string page_of(const Run& run, std::size_t most_rows) {
  const std::string style = k_page_style;
  const std::string script = k_page_script;
  const std::string title = html_text(title_of(run));
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
         "style-src " +
         policy_hash(style) + "; script-src " + policy_hash(script) +
         "; base-uri 'none'; form-action 'none'\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         "<meta name=\"color-scheme\" content=\"light dark\">\n"
         "<link rel=\"icon\" href=\"data:,\">\n"
         "<title>" +
         title + " · pachbuild run</title>\n<style>" + style +
         "</style>\n</head>\n<body>\n"
         "<noscript>This report of pachbuild needs JavaScript. It loads nothing from the "
         "network.</noscript>\n"
         "<main id=\"page\"></main>\n<script type=\"application/json\" id=\"data\">" +
         json_in_html(data_of(run, most_rows)) + "</script>\n<script>" + script +
         "</script>\n</body>\n</html>\n";
}

}  // namespace history
