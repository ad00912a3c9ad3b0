// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/record/run_record.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/inside.h"
#include "pachbuild/local/pool/cbor.h"

namespace local {
namespace {

namespace fs = base::fs;
using Json = nlohmann::json;

// Raise it when the meaning of a record changes.
constexpr int k_version = 2;
constexpr int k_last_state = static_cast<int>(LastState::skipped);

Json to_json(const Facts& facts) { return Json::array({facts.shown, facts.hidden}); }

Facts facts_of(const Json& json) {
  Facts facts;
  json.at(0).get_to(facts.shown);
  json.at(1).get_to(facts.hidden);
  return facts;
}

// Lists instead of names: there can be a million of them.
Json to_json(const RunRecord::Datum& datum) {
  return Json::array({datum.id, datum.label, datum.key, static_cast<int>(datum.state), datum.milliseconds,
                      datum.reason, datum.failure, datum.printed});
}

RunRecord::Datum datum_of(const Json& json) {
  RunRecord::Datum datum;
  json.at(0).get_to(datum.id);
  json.at(1).get_to(datum.label);
  json.at(2).get_to(datum.key);
  datum.state = static_cast<LastState>(std::clamp(json.at(3).get<int>(), 0, k_last_state));
  json.at(4).get_to(datum.milliseconds);
  json.at(5).get_to(datum.reason);
  json.at(6).get_to(datum.failure);
  json.at(7).get_to(datum.printed);
  return datum;
}

bool is_sound(const RunRecord& record) {
  return std::all_of(record.datums.begin(), record.datums.end(), [&](const auto& datum) {
    return base::is_digest(datum.id) && base::is_digest(datum.key) && datum.reason < record.reasons.size();
  });
}

}  // namespace

std::string short_digest(std::string_view value) { return base::sha256(value).substr(0, k_short_digest); }

base::Result<LastRun> LastRun::of(const fs::path& cache, const std::string& spec_file,
                                  const std::string& name) {
  const auto folder = cache / "run" / "last";
  BASE_TRY(base::make_folders(folder, 0700));
  base::Sha256 identity;
  identity.update_field(base::resolved_path(spec_file).string());
  identity.update_field(name);
  return LastRun(folder / identity.finish().substr(0, k_short_digest));
}

std::optional<RunRecord> LastRun::load() const {
  const auto json = load_sealed(m_file, k_version);
  if (!json) return std::nullopt;
  try {
    RunRecord record;
    json->at("started").get_to(record.started);
    json->at("output").get_to(record.output);
    json->at("logs").get_to(record.logs);
    json->at("build_reason").get_to(record.build_reason);
    record.build = facts_of(json->at("build"));
    record.settings = facts_of(json->at("settings"));
    json->at("repos").get_to(record.repos);
    json->at("folders").get_to(record.folders);
    json->at("reasons").get_to(record.reasons);
    record.timed_imports = json->value("timed_imports", "");
    for (const auto& datum : json->at("datums")) record.datums.push_back(datum_of(datum));
    if (is_sound(record)) return record;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
  return std::nullopt;
}

base::Status LastRun::save(const RunRecord& record) const {
  Json datums = Json::array();
  for (const auto& datum : record.datums) datums.push_back(to_json(datum));
  BASE_TRY(save_sealed(m_file, k_version,
                       {{"started", record.started},
                        {"output", record.output},
                        {"logs", record.logs},
                        {"build_reason", record.build_reason},
                        {"build", to_json(record.build)},
                        {"settings", to_json(record.settings)},
                        {"repos", record.repos},
                        {"folders", record.folders},
                        {"reasons", record.reasons},
                        {"timed_imports", record.timed_imports},
                        {"datums", std::move(datums)}}));
  boost::system::error_code none_is_there;
  fs::remove(end_file(), none_is_there);
  return {};
}

std::optional<EarlyEnd> LastRun::early_end() const {
  const auto json = load_sealed(end_file(), k_version);
  if (!json) return std::nullopt;
  try {
    EarlyEnd end;
    json->at("time").get_to(end.time);
    json->at("why").get_to(end.why);
    return end;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

base::Status LastRun::save(const EarlyEnd& end) const {
  return save_sealed(end_file(), k_version, {{"time", end.time}, {"why", end.why}});
}

base::Result<base::FileLock> LastRun::begin() const {
  return base::FileLock::acquire(m_file.string() + ".lock", base::FileLock::Mode::shared);
}

bool LastRun::goes_on() const {
  const auto lock = base::FileLock::try_acquire(m_file.string() + ".lock");
  return lock && !lock->held();
}

}  // namespace local
