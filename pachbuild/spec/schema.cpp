// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/spec/schema.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <string_view>

#include "base/near.h"
#include "base/text.h"
#include "pachbuild/spec/cron.h"
#include "pachbuild/spec/duration.h"

namespace spec {
namespace {

using nlohmann::json;

enum class Type {
  text,
  whole,
  whole32,  // of 32 bits
  count,
  number,
  boolean,
  choice,  // one of the words in the field's note, or its number
  duration,
  time,
  cron,
  texts,
  wholes,
  text_map,
  object,
  objects,
  anything
};

enum class Use {
  here,     // read by this program
  cluster,  // right, but nothing to do on one machine
  beyond,   // right, but means something that this program does not do on one machine: the note says what
  refused,  // means something that a pipeline with a build cannot do: the note says what
  never,    // Pachyderm has the field and always refuses it: the note says so
  removed,  // by Pachyderm 2.0: the note says what to do
};

struct Message;

struct Field {
  std::string_view name;
  Type type;
  Use use = Use::here;
  const Message* message = nullptr;  // of an object or objects
  std::string_view note;
};

struct Message {
  std::vector<Field> fields;
};

constexpr std::string_view k_cluster_only = "works only on a cluster";

// Each function is a message of pps.proto or pfs.proto. The order is that of the .proto file, and what
// Pachyderm 2.0 removed comes last.
const Message& project_message() {
  static const Message message{{{"name", Type::text}}};
  return message;
}

const Message& pipeline_message() {
  static const Message message{
      {{"project", Type::object, Use::here, &project_message()}, {"name", Type::text}}};
  return message;
}

const Message& secret_message() {
  static const Message message{
      {{"name", Type::text}, {"key", Type::text}, {"mount_path", Type::text}, {"env_var", Type::text}}};
  return message;
}

const Message& trigger_message() {
  static const Message message{{
      {"branch", Type::text},
      {"all", Type::boolean},
      {"rate_limit_spec", Type::cron},
      {"size", Type::text},
      {"commits", Type::whole},
      {"cron_spec", Type::cron},
  }};
  return message;
}

const Message& propagation_message() {
  static const Message message{{{"never", Type::boolean}}};
  return message;
}

const Message& pfs_message() {
  static const Message message{{
      {"project", Type::text},
      {"name", Type::text},
      {"repo", Type::text},
      {"repo_type", Type::text, Use::cluster},
      {"branch", Type::text},
      {"commit", Type::text, Use::refused, nullptr, "is not supported: an input reads a branch"},
      {"glob", Type::text},
      {"join_on", Type::text},
      {"outer_join", Type::boolean},
      {"group_by", Type::text},
      {"lazy", Type::boolean},
      {"empty_files", Type::boolean},
      {"s3", Type::boolean, Use::beyond, nullptr, k_cluster_only},
      {"trigger", Type::object, Use::cluster, &trigger_message()},
      {"propagation_spec", Type::object, Use::cluster, &propagation_message()},
      {"reference", Type::boolean, Use::cluster},
      {"from_commit", Type::text, Use::removed, nullptr, "remove it: a job reads the branch's newest commit"},
  }};
  return message;
}

const Message& cron_message() {
  static const Message message{{
      {"name", Type::text},
      {"project", Type::text},
      {"repo", Type::text},
      {"commit", Type::text},
      {"spec", Type::cron},
      {"overwrite", Type::boolean},
      {"start", Type::time},
  }};
  return message;
}

const Message& input_message() {
  static const Message message{{
      {"pfs", Type::object, Use::here, &pfs_message()},
      {"join", Type::objects, Use::here, &message},
      {"group", Type::objects, Use::here, &message},
      {"cross", Type::objects, Use::here, &message},
      {"union", Type::objects, Use::here, &message},
      {"cron", Type::object, Use::here, &cron_message()},
      {"atom", Type::anything, Use::removed, nullptr, "use \"pfs\" with the same fields"},
      {"git", Type::anything, Use::removed, nullptr, "commit the files to a repo"},
  }};
  return message;
}

const Message& parallelism_message() {
  static const Message message{{
      {"constant", Type::count},
      {"strategy", Type::text, Use::removed, nullptr, "use \"constant\""},
      {"coefficient", Type::number, Use::removed, nullptr, "use \"constant\""},
  }};
  return message;
}

const Message& gpu_message() {
  static const Message message{{{"type", Type::text}, {"number", Type::whole}}};
  return message;
}

const Message& resource_message() {
  static const Message message{{
      {"cpu", Type::number},
      {"memory", Type::text},
      {"gpu", Type::object, Use::here, &gpu_message()},
      {"disk", Type::text},
  }};
  return message;
}

const Message& datum_set_message() {
  static const Message message{
      {{"number", Type::whole}, {"size_bytes", Type::whole}, {"per_worker", Type::whole}}};
  return message;
}

const Message& scheduling_message() {
  static const Message message{{{"node_selector", Type::text_map}, {"priority_class_name", Type::text}}};
  return message;
}

const Message& metadata_message() {
  static const Message message{{{"annotations", Type::text_map}, {"labels", Type::text_map}}};
  return message;
}

const Message& toleration_message() {
  static const Message message{{
      {"key", Type::text},
      {"operator", Type::choice, Use::here, nullptr, "EMPTY EXISTS EQUAL"},
      {"value", Type::text},
      {"effect", Type::choice, Use::here, nullptr, "ALL_EFFECTS NO_SCHEDULE PREFER_NO_SCHEDULE NO_EXECUTE"},
      {"toleration_seconds", Type::whole},
  }};
  return message;
}

// The first three are Pachyderm 1.13's. The others are the build pipeline's own and mean there what they mean
// in every pipeline: those of a transform, and those of a pipeline.
const Message& build_message() {
  static const Message message{{
      {"path", Type::text},
      {"language", Type::text},
      {"image", Type::text},
      {"env", Type::text_map},
      {"secrets", Type::objects, Use::cluster, &secret_message()},
      {"image_pull_secrets", Type::texts, Use::cluster},
      {"user", Type::text, Use::cluster},
      {"memory_volume", Type::boolean, Use::cluster},
      {"resource_requests", Type::object, Use::cluster, &resource_message()},
      {"resource_limits", Type::object, Use::cluster, &resource_message()},
      {"sidecar_resource_requests", Type::object, Use::cluster, &resource_message()},
      {"sidecar_resource_limits", Type::object, Use::cluster, &resource_message()},
      {"autoscaling", Type::boolean, Use::cluster},
      {"scheduling_spec", Type::object, Use::cluster, &scheduling_message()},
      {"tolerations", Type::objects, Use::cluster, &toleration_message()},
      {"metadata", Type::object, Use::cluster, &metadata_message()},
      {"pod_spec", Type::text, Use::cluster},
      {"pod_patch", Type::text, Use::cluster},
      {"datum_timeout", Type::duration, Use::cluster},
      {"job_timeout", Type::duration, Use::cluster},
      {"datum_tries", Type::whole, Use::cluster},
  }};
  return message;
}

const Message& transform_message() {
  static const Message message{{
      {"image", Type::text},
      {"cmd", Type::texts},
      {"err_cmd", Type::texts},
      {"env", Type::text_map},
      {"secrets", Type::objects, Use::here, &secret_message()},
      {"image_pull_secrets", Type::texts, Use::cluster},
      {"stdin", Type::texts},
      {"err_stdin", Type::texts},
      {"accept_return_code", Type::wholes},
      {"debug", Type::boolean, Use::cluster},
      {"user", Type::text, Use::cluster},
      {"working_dir", Type::text},
      {"dockerfile", Type::text},
      {"memory_volume", Type::boolean, Use::cluster},
      {"datum_batching", Type::boolean},
      {"build", Type::object, Use::here, &build_message()},
  }};
  return message;
}

const Message& determined_message() {
  static const Message message{{{"workspaces", Type::texts}}};
  return message;
}

const Message& object_storage_message() {
  static const Message message{{{"url", Type::text}}};
  return message;
}

const Message& file_format_message() {
  static const Message message{
      {{"type", Type::choice, Use::here, nullptr, "UNKNOWN CSV JSON PARQUET"}, {"columns", Type::texts}}};
  return message;
}

const Message& database_secret_message() {
  static const Message message{{{"name", Type::text}, {"key", Type::text}}};
  return message;
}

const Message& database_message() {
  static const Message message{{
      {"url", Type::text},
      {"file_format", Type::object, Use::here, &file_format_message()},
      {"secret", Type::object, Use::here, &database_secret_message()},
  }};
  return message;
}

const Message& egress_message() {
  static const Message message{{
      {"URL", Type::text},
      {"object_storage", Type::object, Use::here, &object_storage_message()},
      {"sql_database", Type::object, Use::here, &database_message()},
  }};
  return message;
}

const Message& service_message() {
  static const Message message{{
      {"internal_port", Type::whole32},
      {"external_port", Type::whole32},
      {"ip", Type::text},
      {"type", Type::text},
      {"annotations", Type::anything, Use::removed, nullptr, "use \"metadata\": {\"annotations\": {…}}"},
  }};
  return message;
}

const Message& spout_message() {
  static const Message message{{
      {"service", Type::object, Use::here, &service_message()},
      {"overwrite", Type::anything, Use::removed, nullptr, "remove it: the program itself writes its files"},
      {"marker", Type::anything, Use::removed, nullptr,
       "remove it: write the position to a file of the output"},
  }};
  return message;
}

// CreatePipelineRequest.
const Message& spec_message() {
  static const Message message{{
      {"pipeline", Type::object, Use::here, &pipeline_message()},
      {"tf_job", Type::anything, Use::never, nullptr, "is not supported"},
      {"transform", Type::object, Use::here, &transform_message()},
      {"parallelism_spec", Type::object, Use::here, &parallelism_message()},
      {"egress", Type::object, Use::beyond, &egress_message(), k_cluster_only},
      {"update", Type::boolean, Use::cluster},
      {"output_branch", Type::text},
      {"s3_out", Type::boolean, Use::beyond, nullptr, k_cluster_only},
      {"resource_requests", Type::object, Use::cluster, &resource_message()},
      {"resource_limits", Type::object, Use::cluster, &resource_message()},
      {"sidecar_resource_limits", Type::object, Use::cluster, &resource_message()},
      {"input", Type::object, Use::here, &input_message()},
      {"description", Type::text},
      {"reprocess", Type::boolean, Use::cluster},
      {"service", Type::object, Use::beyond, &service_message(), k_cluster_only},
      {"spout", Type::object, Use::refused, &spout_message(),
       "is not supported with transform.build: make it a pipeline of its own, which runs in an image"},
      {"datum_set_spec", Type::object, Use::here, &datum_set_message()},
      {"datum_timeout", Type::duration},
      {"job_timeout", Type::duration},
      {"salt", Type::text, Use::cluster},
      {"datum_tries", Type::whole},
      {"scheduling_spec", Type::object, Use::cluster, &scheduling_message()},
      {"pod_spec", Type::text, Use::cluster},
      {"pod_patch", Type::text, Use::cluster},
      {"spec_commit", Type::anything, Use::cluster},
      {"metadata", Type::object, Use::cluster, &metadata_message()},
      {"reprocess_spec", Type::text},
      {"autoscaling", Type::boolean, Use::cluster},
      {"tolerations", Type::objects, Use::cluster, &toleration_message()},
      {"sidecar_resource_requests", Type::object, Use::cluster, &resource_message()},
      {"dry_run", Type::boolean, Use::cluster},
      {"determined", Type::object, Use::cluster, &determined_message()},
      {"maximum_expected_uptime", Type::duration, Use::cluster},
      {"batch", Type::anything, Use::removed, nullptr, "remove it"},
      {"cache_size", Type::text, Use::removed, nullptr, "remove it"},
      {"chunk_spec", Type::anything, Use::removed, nullptr, "use \"datum_set_spec\""},
      {"enable_stats", Type::boolean, Use::removed, nullptr, "remove it: statistics are always collected"},
      {"hashtree_spec", Type::anything, Use::removed, nullptr, "remove it"},
      {"incremental", Type::anything, Use::removed, nullptr,
       "remove it: unchanged datums are skipped anyway"},
      {"inputs", Type::anything, Use::removed, nullptr,
       "use \"input\": {\"pfs\": {…}}, or {\"cross\": […]} for several inputs"},
      {"max_queue_size", Type::whole, Use::removed, nullptr, "remove it"},
      {"resource_spec", Type::anything, Use::removed, nullptr, "use \"resource_requests\""},
      {"scale_down_threshold", Type::anything, Use::removed, nullptr, "use \"autoscaling\""},
      {"standby", Type::boolean, Use::removed, nullptr, "use \"autoscaling\""},
  }};
  return message;
}

std::string_view name_of(Type type) {
  switch (type) {
    case Type::text:
      return "a string";
    case Type::whole:
      return "a whole number";
    case Type::whole32:
      return "a whole number of at most 2147483647";
    case Type::count:
      return "a non-negative whole number";
    case Type::number:
      return "a number";
    case Type::boolean:
      return "true or false";
    case Type::duration:
      return "a duration";
    case Type::time:
      return "a time like \"2024-12-31T23:59:59Z\"";
    case Type::cron:
      return "a string";
    case Type::texts:
      return "a list of strings";
    case Type::wholes:
      return "a list of whole numbers";
    case Type::text_map:
      return "an object of strings";
    case Type::object:
      return "an object";
    case Type::objects:
      return "a list of objects";
    case Type::choice:
    case Type::anything:
      break;
  }
  return "anything";
}

bool is_one_value(Type type) {
  return type != Type::texts && type != Type::wholes && type != Type::text_map && type != Type::object &&
         type != Type::objects;
}

// What a value of another type than the one expected is. A string is shown where it could have been right.
std::string describe(const json& value, Type expected) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  if (!value.is_string()) return value.dump();
  return is_one_value(expected) ? base::quoted(value.get_ref<const std::string&>()) : "a string";
}

// As protobuf names fields in JSON: each letter after a '_' is a capital, without the '_'.
std::string camel_case(std::string_view name) {
  std::string result;
  bool capital = false;
  for (const char character : name) {
    if (character == '_') {
      capital = true;
      continue;
    }
    result += capital && character >= 'a' && character <= 'z' ? static_cast<char>(character - 'a' + 'A')
                                                              : character;
    capital = false;
  }
  return result;
}

// How the text of a list's only item, or of a command, is written as a list. Only a shell takes a command
// with signs that mean something to it.
std::string as_list(const std::string& text, bool is_command) {
  constexpr std::size_t k_longest = 200;
  if (base::trim(text).empty() || text.size() > k_longest) return R"(a list: ["first", "second"])";
  std::vector<std::string> items = {text};
  if (is_command) {
    const bool needs_shell = text.find_first_of("|&;<>()$`\\\"'*?[]#~%\n") != std::string::npos;
    items = needs_shell ? std::vector<std::string>{"sh", "-c", text} : base::words(text);
  }
  for (auto& item : items) item = json(item).dump();
  return "[" + base::join(items, ", ") + "]";
}

std::vector<std::string> names_of(const Message& message) {
  std::vector<std::string> names;
  for (const Field& field : message.fields) {
    if (field.use != Use::removed) names.emplace_back(field.name);
  }
  return names;
}

// Protobuf does not tell a field that is not there from one that has its type's zero.
bool is_set(const json& value) {
  if (value.is_array()) return !value.empty();
  return !value.is_null() && value != json(false) && value != json(0) && value != json("");
}

// The number that a text is: protojson takes "0.5" for 0.5, and nothing with a space around it.
json number_of(const json& value) {
  if (!value.is_string()) return value;
  const auto& text = value.get_ref<const std::string&>();
  if (text.empty() || base::trim(text).size() != text.size()) return value;
  const json number = json::parse(text, nullptr, false);
  return number.is_number() ? number : value;
}

// A whole number as protojson takes it: 3 and 3.0 are the same.
std::optional<json> whole_number(const json& value) {
  constexpr std::uint64_t k_largest = std::numeric_limits<std::int64_t>::max();
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > k_largest) return std::nullopt;
  if (value.is_number_integer()) return value;
  if (value.is_number_float()) {
    const auto number = value.get<double>();
    constexpr double k_limit = 9007199254740992.0;  // up to here a double holds every whole number
    if (std::trunc(number) != number || std::abs(number) > k_limit) return std::nullopt;
    return static_cast<std::int64_t>(number);
  }
  return std::nullopt;
}

bool is_in_range(const json& number, Type type) {
  if (type == Type::count) return number >= 0;
  using Small = std::numeric_limits<std::int32_t>;
  return type != Type::whole32 || (number >= Small::min() && number <= Small::max());
}

// One of `choices`, which have spaces between them, or its number.
bool is_choice(const json& value, std::string_view choices) {
  const auto all = base::split(choices, ' ');
  if (value.is_string()) return std::find(all.begin(), all.end(), value.get<std::string>()) != all.end();
  return value.is_number_integer();
}

// Of protobuf's Timestamp (RFC 3339).
bool is_time(const json& value) {
  constexpr std::size_t k_longest = 40;  // std::regex needs stack for each character
  static const std::regex k_form(R"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[-+]\d{2}:\d{2}))");
  return value.is_string() && value.get_ref<const std::string&>().size() <= k_longest &&
         std::regex_match(value.get_ref<const std::string&>(), k_form);
}

class Checker {
 public:
  Checker(const Places& places, Target target, bool has_build)
      : m_written(places),
        m_target(target),
        m_has_build(has_build),
        m_checked{{nullptr, places.without_positions()}, {}, {}, {}} {}

  CheckedDocument check(const json& root) {
    m_checked.document.places.add("", m_written.at(""));
    m_checked.document.value =
        std::make_shared<const json>(object(spec_message(), root, "", "").value_or(json::object()));
    return std::move(m_checked);
  }

 private:
  // A value that was checked; nothing when it is at fault.
  using Checked = std::optional<json>;

  // `written` is the pointer in the text, `pointer` that of the same value under the fields' own names.
  void fail(const std::string& written, const std::string& pointer, const std::string& what,
            const std::string& hint = {}) {
    m_checked.faults.add(pointer, m_written.at(written),
                         {base::ErrorKind::bad_input, m_written.where(written), what, hint});
  }

  Checked wrong_type(Type type, const json& value, const std::string& written, const std::string& pointer) {
    std::string hint;
    if (type == Type::text && value.is_primitive()) hint = "put it in quotes";
    if (type == Type::duration) hint = duration_hint(value.is_number() ? value.dump() : "");
    if (type == Type::texts && value.is_string())
      hint = "write " + as_list(value.get_ref<const std::string&>(), pointer.ends_with("cmd"));
    fail(written, pointer,
         field_name(pointer) + " must be " + std::string(name_of(type)) + ", not " + describe(value, type),
         hint);
    return std::nullopt;
  }

  Checked object(const Message& message, const json& value, const std::string& written,
                 const std::string& pointer) {
    if (!value.is_object()) return wrong_type(Type::object, value, written, pointer);
    json result = json::object();
    for (const auto& [key, child] : value.items()) {
      if (key == "$schema") continue;  // put there by editors; Pachyderm takes it away as well
      const std::string child_written = child_pointer(written, key);
      const Field* field = find(message, key);
      if (field == nullptr && m_target == Target::cluster && &message != &build_message()) {
        result[key] = child;
        continue;
      }
      if (field == nullptr) {
        unknown(message, key, child_written, pointer);
        continue;
      }
      const std::string child_at = child_pointer(pointer, std::string(field->name));
      if (result.contains(field->name)) {
        fail(child_written, child_at, field_name(child_at) + " appears twice");
        continue;
      }
      if (field->use == Use::removed) {
        fail(child_written, meant(message, key, pointer),
             field_name(child_at) + " was removed in Pachyderm 2.0", std::string(field->note));
        continue;
      }
      if (!check_use(*field, child, child_written, child_at) || child.is_null()) continue;
      m_checked.document.places.add(child_at, m_written.at(child_written));
      auto checked = typed(*field, field->type, child, child_written, child_at);
      if (checked) result[std::string(field->name)] = std::move(*checked);
    }
    return result;
  }

  static const Field* find(const Message& message, const std::string& key) {
    for (const Field& field : message.fields) {
      if (key == field.name || key == camel_case(field.name)) return &field;
    }
    return nullptr;
  }

  // The field that `key` was meant for: the fault is its fault, and nobody has to hear that it is missing.
  static std::string meant(const Message& message, const std::string& key, const std::string& pointer) {
    return child_pointer(pointer, base::near_name(key, names_of(message)).value_or(key));
  }

  void unknown(const Message& message, const std::string& key, const std::string& written,
               const std::string& pointer) {
    const std::string owner = pointer.empty() ? "a pipeline spec" : field_name(pointer);
    fail(written, meant(message, key, pointer), owner + " has no field " + base::quoted(key),
         base::did_you_mean(key, names_of(message)));
  }

  bool check_use(const Field& field, const json& value, const std::string& written,
                 const std::string& pointer) {
    if (!is_set(value)) return true;
    const std::string what = field_name(pointer) + " " + std::string(field.note);
    if (field.use == Use::never || (field.use == Use::refused && m_has_build) ||
        (field.use == Use::beyond && m_target == Target::machine)) {
      fail(written, pointer, what);
      return false;
    }
    if (field.use == Use::beyond && m_target == Target::any && m_has_build)
      m_checked.notes.push_back(m_written.where(written) + ": " + what + "; `pachbuild run` refuses it");
    if (field.use == Use::cluster)
      m_checked.cluster_fields.push_back(m_written.where(written) + ": " + field_name(pointer));
    return true;
  }

  Checked typed(const Field& field, Type type, const json& value, const std::string& written,
                const std::string& pointer) {
    switch (type) {
      case Type::text:
        return text(value, written, pointer);
      case Type::whole:
      case Type::whole32:
      case Type::count:
        if (auto number = whole_number(number_of(value)); number && is_in_range(*number, type)) return number;
        break;
      case Type::number:
        if (auto number = number_of(value); number.is_number()) return number;
        break;
      case Type::boolean:
        if (value.is_boolean()) return value;
        break;
      case Type::choice:
        if (is_choice(value, field.note)) return value;
        fail(written, pointer,
             field_name(pointer) + " must be " + base::join(base::split(field.note, ' '), ", ", " or "));
        return std::nullopt;
      case Type::duration:
        return duration(value, written, pointer);
      case Type::time:
        if (is_time(value)) return value;
        break;
      case Type::cron:
        return cron(value, written, pointer);
      case Type::texts:
        if (value.is_array()) return list(field, Type::text, value, written, pointer);
        break;
      case Type::wholes:
        if (value.is_array()) return list(field, Type::whole, value, written, pointer);
        break;
      case Type::objects:
        if (value.is_array()) return list(field, Type::object, value, written, pointer);
        break;
      case Type::text_map:
        if (value.is_object()) return text_map(value, written, pointer);
        break;
      case Type::object:
        return object(*field.message, value, written, pointer);
      case Type::anything:
        return value;
    }
    return wrong_type(type, value, written, pointer);
  }

  Checked text(const json& value, const std::string& written, const std::string& pointer) {
    if (!value.is_string()) return wrong_type(Type::text, value, written, pointer);
    // Names, arguments and variables end at it.
    if (value.get_ref<const std::string&>().find('\0') == std::string::npos) return value;
    fail(written, pointer, field_name(pointer) + " has a NUL character");
    return std::nullopt;
  }

  // Pachyderm 2 takes seconds only. What 1.x took as well ("1h30m") is put into them where this program
  // writes the spec that Pachyderm reads, and refused where it does not.
  Checked duration(const json& value, const std::string& written, const std::string& pointer) {
    if (!value.is_string()) return wrong_type(Type::duration, value, written, pointer);
    const auto& text = value.get_ref<const std::string&>();
    if (text.empty() && m_has_build) return std::nullopt;
    const auto duration = parse_duration(text);
    if (!duration) {
      fail(written, pointer, invalid_value(m_written, pointer, "duration", text), duration_hint(text));
      return std::nullopt;
    }
    const std::string seconds = in_seconds(*duration);
    if (m_has_build || is_in_seconds(text)) return m_has_build ? json(seconds) : value;
    fail(written, pointer, field_name(pointer) + " " + base::quoted(text) + " is not in seconds",
         "write " + base::quoted(seconds));
    return std::nullopt;
  }

  [[nodiscard]] std::string duration_hint(const std::string& text) const {
    const auto meant = meant_duration(text);
    if (meant.empty()) return m_has_build ? R"(write "90s" or "1h30m")" : R"(write "90s")";
    return "write " + base::quoted(m_has_build ? meant : in_seconds(*parse_duration(meant)));
  }

  Checked cron(const json& value, const std::string& written, const std::string& pointer) {
    if (!value.is_string()) return wrong_type(Type::text, value, written, pointer);
    const auto& text = value.get_ref<const std::string&>();
    if (text.empty()) return value;
    auto fault = fault_of_cron(text);
    if (!fault) return value;
    fail(written, pointer, field_name(pointer) + " " + base::quoted(text) + ": " + fault->what, fault->hint);
    return std::nullopt;
  }

  Checked list(const Field& field, Type type, const json& value, const std::string& written,
               const std::string& pointer) {
    json result = json::array();
    bool is_right = true;
    for (std::size_t i = 0; i < value.size(); ++i) {
      const std::string name = std::to_string(i);
      const std::string child_written = child_pointer(written, name);
      const std::string child_at = child_pointer(pointer, name);
      m_checked.document.places.add(child_at, m_written.at(child_written));
      auto item = typed(field, type, value[i], child_written, child_at);
      is_right = is_right && item.has_value();
      if (item) result.push_back(std::move(*item));
    }
    return is_right ? Checked(std::move(result)) : std::nullopt;
  }

  Checked text_map(const json& value, const std::string& written, const std::string& pointer) {
    json result = json::object();
    for (const auto& [key, child] : value.items()) {
      const std::string child_at = child_pointer(pointer, key);
      m_checked.document.places.add(child_at, m_written.at(child_pointer(written, key)));
      if (auto item = text(child, child_pointer(written, key), child_at)) result[key] = std::move(*item);
    }
    return result;
  }

  const Places& m_written;
  const Target m_target;
  const bool m_has_build;
  CheckedDocument m_checked;
};

}  // namespace

CheckedDocument check_fields(const Document& document, Target target) {
  return Checker(document.places, target, has_build(*document.value)).check(*document.value);
}

bool has_build(const json& value) {
  if (!value.is_object()) return false;
  const auto transform = value.find("transform");
  return transform != value.end() && transform->is_object() && transform->contains("build");
}

std::string field_name(const std::string& pointer) {
  std::string name;
  for (const std::string& part : base::split(pointer, '/')) {
    if (part.empty()) continue;
    if (part.find_first_not_of("0123456789") == std::string::npos) {
      name += "[" + part + "]";
    } else {
      name += (name.empty() ? "" : ".") + part;
    }
  }
  return name;
}

std::string field_fault(const Places& places, const std::string& pointer, const std::string& what) {
  const std::string name = places.is_word(pointer) ? "" : field_name(pointer);
  return name.empty() ? what : name + " " + what;
}

std::string invalid_value(const Places& places, const std::string& pointer, std::string_view kind,
                          std::string_view value) {
  const std::string name = places.is_word(pointer) ? "" : field_name(pointer) + ": ";
  return name + "invalid " + std::string(kind) + " " + base::quoted(value);
}

}  // namespace spec
