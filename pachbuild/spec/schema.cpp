// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/spec/schema.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "base/text.h"

namespace spec {
namespace {

using nlohmann::json;

enum class Type { text, whole, count, number, boolean, texts, wholes, text_map, object, objects, anything };

enum class Use {
  here,     // read by this program
  cluster,  // right, but nothing to do on one machine
  beyond,   // right, but means something that this program does not do on one machine: the note says what
  refused,  // means something that a build pipeline cannot do: the note says what
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

constexpr std::string_view k_cluster_only = "runs on a cluster only";

// Each function is a message of pps.proto. The order is that of the .proto file.
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

const Message& pfs_message() {
  static const Message message{{
      {"project", Type::text},
      {"name", Type::text},
      {"repo", Type::text},
      {"repo_type", Type::text, Use::cluster},
      {"branch", Type::text},
      {"commit", Type::text, Use::refused, nullptr, "is not possible: an input is a branch"},
      {"glob", Type::text},
      {"join_on", Type::text},
      {"outer_join", Type::boolean},
      {"group_by", Type::text},
      {"lazy", Type::boolean},
      {"empty_files", Type::boolean},
      {"s3", Type::boolean, Use::beyond, nullptr, k_cluster_only},
      {"trigger", Type::anything, Use::cluster},
      {"propagation_spec", Type::anything, Use::cluster},
      {"reference", Type::boolean, Use::cluster},
  }};
  return message;
}

const Message& cron_message() {
  static const Message message{{
      {"name", Type::text},
      {"project", Type::text},
      {"repo", Type::text},
      {"commit", Type::text},
      {"spec", Type::text},
      {"overwrite", Type::boolean},
      {"start", Type::text},
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
      {"git", Type::anything, Use::removed, nullptr, "commit the files to a repo"},
  }};
  return message;
}

const Message& parallelism_message() {
  static const Message message{{
      {"constant", Type::count},
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
      {"operator", Type::anything},
      {"value", Type::text},
      {"effect", Type::anything},
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
      {"datum_timeout", Type::text, Use::cluster},
      {"job_timeout", Type::text, Use::cluster},
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
      {"user", Type::text},
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

// CreatePipelineRequest.
const Message& spec_message() {
  static const Message message{{
      {"pipeline", Type::object, Use::here, &pipeline_message()},
      {"tf_job", Type::anything, Use::refused, nullptr, "is not supported by Pachyderm either"},
      {"transform", Type::object, Use::here, &transform_message()},
      {"parallelism_spec", Type::object, Use::here, &parallelism_message()},
      {"egress", Type::anything, Use::beyond, nullptr, k_cluster_only},
      {"update", Type::boolean, Use::cluster},
      {"output_branch", Type::text},
      {"s3_out", Type::boolean, Use::beyond, nullptr, k_cluster_only},
      {"resource_requests", Type::object, Use::cluster, &resource_message()},
      {"resource_limits", Type::object, Use::cluster, &resource_message()},
      {"sidecar_resource_limits", Type::object, Use::cluster, &resource_message()},
      {"input", Type::object, Use::here, &input_message()},
      {"description", Type::text},
      {"reprocess", Type::boolean, Use::cluster},
      {"service", Type::anything, Use::beyond, nullptr, k_cluster_only},
      {"spout", Type::anything, Use::refused, nullptr, "is not possible: a build pipeline cannot be a spout"},
      {"datum_set_spec", Type::object, Use::here, &datum_set_message()},
      {"datum_timeout", Type::text},
      {"job_timeout", Type::text},
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
      {"maximum_expected_uptime", Type::text, Use::cluster},
      {"cache_size", Type::text, Use::removed, nullptr, "remove it"},
      {"chunk_spec", Type::anything, Use::removed, nullptr, "use \"datum_set_spec\""},
      {"enable_stats", Type::boolean, Use::removed, nullptr, "remove it: statistics are always there"},
      {"hashtree_spec", Type::anything, Use::removed, nullptr, "remove it"},
      {"max_queue_size", Type::whole, Use::removed, nullptr, "remove it"},
      {"standby", Type::boolean, Use::removed, nullptr, "use \"autoscaling\""},
  }};
  return message;
}

std::string_view name_of(Type type) {
  switch (type) {
    case Type::text:
      return "text";
    case Type::whole:
      return "a whole number";
    case Type::count:
      return "a whole number that is not negative";
    case Type::number:
      return "a number";
    case Type::boolean:
      return "true or false";
    case Type::texts:
      return "a list of texts";
    case Type::wholes:
      return "a list of whole numbers";
    case Type::text_map:
      return "an object of texts";
    case Type::object:
      return "an object";
    case Type::objects:
      return "a list of objects";
    case Type::anything:
      break;
  }
  return "anything";
}

std::string describe(const json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  if (value.is_string()) return "text";
  return value.dump();
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

// Insertions, deletions and replacements of a character that make one name of the other (Levenshtein).
std::size_t edit_distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> costs(to.size() + 1);
  for (std::size_t j = 0; j <= to.size(); ++j) costs[j] = j;
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = costs[0];
    costs[0] = i + 1;
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = costs[j + 1];
      costs[j + 1] = std::min({replaced, costs[j] + 1, costs[j + 1] + 1});
    }
  }
  return costs.back();
}

// The field that a mistyped name most likely means: at most a third of it is wrong.
std::optional<std::string_view> nearest_field(const Message& message, std::string_view name) {
  constexpr std::size_t k_longest_key = 40;
  if (name.size() > k_longest_key) return std::nullopt;
  std::optional<std::string_view> nearest;
  std::size_t best = name.size() / 3 + 1;
  for (const Field& field : message.fields) {
    if (field.use == Use::removed) continue;
    const std::size_t distance = edit_distance(name, field.name);
    if (distance < best) {
      best = distance;
      nearest = field.name;
    }
  }
  return nearest;
}

// Protobuf does not tell a field that is not there from one that has its type's zero.
bool is_set(const json& value) {
  if (value.is_array()) return !value.empty();
  return !value.is_null() && value != json(false) && value != json(0) && value != json("");
}

// A whole number as protojson takes it: 3, 3.0 and "3" are the same.
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
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

class Checker {
 public:
  Checker(const Places& places, Target target)
      : m_written(places), m_target(target), m_checked{{nullptr, Places(places.file())}, {}} {}

  base::Result<CheckedDocument> check(const json& root) {
    m_checked.document.places.add("", m_written.at(""));
    BASE_TRY_ASSIGN(json value, object(spec_message(), root, "", ""));
    m_checked.document.value = std::make_shared<const json>(std::move(value));
    return std::move(m_checked);
  }

 private:
  // `written` is the pointer in the text, `pointer` that of the same value under the fields' own names.
  [[nodiscard]] tl::unexpected<base::Error> fail(const std::string& written, const std::string& what,
                                                 const std::string& hint = {}) const {
    return base::fail(base::ErrorKind::bad_input, m_written.where(written), what, hint);
  }

  [[nodiscard]] tl::unexpected<base::Error> wrong_type(Type type, const json& value,
                                                       const std::string& written,
                                                       const std::string& pointer) const {
    std::string hint;
    if (type == Type::text && value.is_primitive()) hint = "put it in quotes";
    if (type == Type::texts && value.is_string())
      hint = "write [\"sh\", \"-c\", \"…\"]: there is no shell in between";
    return fail(
        written,
        field_name(pointer) + " must be " + std::string(name_of(type)) + ", and is " + describe(value), hint);
  }

  base::Result<json> object(const Message& message, const json& value, const std::string& written,
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
      if (field == nullptr) return unknown(message, key, child_written, pointer);
      const std::string child_at = child_pointer(pointer, std::string(field->name));
      if (result.contains(field->name))
        return fail(child_written, field_name(child_at) + " is there a second time");
      BASE_TRY(check_use(*field, child, child_written, child_at));
      if (child.is_null()) continue;
      m_checked.document.places.add(child_at, m_written.at(child_written));
      BASE_TRY_ASSIGN(result[std::string(field->name)],
                      typed(*field, field->type, child, child_written, child_at));
    }
    return result;
  }

  static const Field* find(const Message& message, const std::string& key) {
    for (const Field& field : message.fields) {
      if (key == field.name || key == camel_case(field.name)) return &field;
    }
    return nullptr;
  }

  [[nodiscard]] tl::unexpected<base::Error> unknown(const Message& message, const std::string& key,
                                                    const std::string& written,
                                                    const std::string& pointer) const {
    const std::string owner = pointer.empty() ? "a pipeline spec" : field_name(pointer);
    const auto nearest = nearest_field(message, key);
    return fail(written, owner + " has no field " + base::quoted(key),
                nearest ? "did you mean " + base::quoted(*nearest) + "?" : "");
  }

  base::Status check_use(const Field& field, const json& value, const std::string& written,
                         const std::string& pointer) {
    const std::string note(field.note);
    if (field.use == Use::removed)
      return fail(written, field_name(pointer) + " was removed in Pachyderm 2.0", note);
    if (!is_set(value)) return {};
    const bool is_beyond = field.use == Use::beyond && m_target == Target::machine;
    if (field.use == Use::refused || is_beyond) return fail(written, field_name(pointer) + " " + note);
    if (field.use == Use::cluster) m_checked.cluster_fields.push_back(field_name(pointer));
    return {};
  }

  base::Result<json> typed(const Field& field, Type type, const json& value, const std::string& written,
                           const std::string& pointer) {
    switch (type) {
      case Type::text:
        return text(value, written, pointer);
      case Type::whole:
      case Type::count:
        if (auto number = whole_number(value); number && (type == Type::whole || *number >= 0))
          return *number;
        break;
      case Type::number:
        if (value.is_number()) return value;
        break;
      case Type::boolean:
        if (value.is_boolean()) return value;
        break;
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

  [[nodiscard]] base::Result<json> text(const json& value, const std::string& written,
                                        const std::string& pointer) const {
    if (!value.is_string()) return wrong_type(Type::text, value, written, pointer);
    // Names, arguments and variables end at it.
    if (value.get_ref<const std::string&>().find('\0') != std::string::npos) {
      return fail(written, field_name(pointer) + " has a NUL character");
    }
    return value;
  }

  base::Result<json> list(const Field& field, Type type, const json& value, const std::string& written,
                          const std::string& pointer) {
    json result = json::array();
    for (std::size_t i = 0; i < value.size(); ++i) {
      const std::string name = std::to_string(i);
      const std::string child_written = child_pointer(written, name);
      const std::string child_at = child_pointer(pointer, name);
      m_checked.document.places.add(child_at, m_written.at(child_written));
      BASE_TRY_ASSIGN(json item, typed(field, type, value[i], child_written, child_at));
      result.push_back(std::move(item));
    }
    return result;
  }

  base::Result<json> text_map(const json& value, const std::string& written, const std::string& pointer) {
    json result = json::object();
    for (const auto& [key, child] : value.items()) {
      const std::string child_at = child_pointer(pointer, key);
      m_checked.document.places.add(child_at, m_written.at(child_pointer(written, key)));
      BASE_TRY_ASSIGN(result[key], text(child, child_pointer(written, key), child_at));
    }
    return result;
  }

  const Places& m_written;
  const Target m_target;
  CheckedDocument m_checked;
};

}  // namespace

base::Result<CheckedDocument> check_fields(const Document& document, Target target) {
  return Checker(document.places, target).check(*document.value);
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

}  // namespace spec
