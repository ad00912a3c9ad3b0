// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/checks.h"

#include <algorithm>
#include <set>

#include "base/digest.h"
#include "base/errors.h"
#include "base/text.h"
#include "builder-runtime/languages/declared/command_environment.h"
#include "builder-runtime/languages/declared/failures.h"
#include "builder-runtime/milestone.h"

namespace builder::declared {
namespace {

using base::ErrorKind;

// What a command may get of names: less than the kernel takes, and few enough for one failure to say which.
constexpr std::size_t k_most_files = 1000;
constexpr std::size_t k_most_bytes = std::size_t{96} << 10;
// Of what is remembered of a check; more is forgotten.
constexpr std::size_t k_most_remembered = 100'000;

bool uses_files(const CheckDescription& check) {
  return std::any_of(check.run.begin(), check.run.end(),
                     [](const TextTemplate& word) { return word.has("files"); });
}

// The files of one check that passed, by name and content.
class Passed {
 public:
  explicit Passed(fs::path file) : m_file(std::move(file)) {
    const auto text = base::read_file(m_file).value_or("");
    for (const auto& line : base::split(text, '\n')) {
      if (base::is_digest(line)) m_digests.insert(line);
    }
  }

  [[nodiscard]] bool has(const std::string& digest) const { return m_digests.contains(digest); }
  void add(const std::string& digest) { m_is_changed = m_digests.insert(digest).second || m_is_changed; }

  // `now` are those of the files that are there: the others go first.
  base::Status keep(const std::set<std::string>& now) {
    if (!m_is_changed) return {};
    const auto& kept = m_digests.size() > k_most_remembered ? now : m_digests;
    std::string text;
    for (const auto& digest : kept) text += digest + "\n";
    BASE_TRY(base::make_folders(m_file.parent_path(), base::k_owner_writes));
    return base::write_file(m_file, text);
  }

 private:
  fs::path m_file;
  std::set<std::string> m_digests;
  bool m_is_changed = false;
};

class Checking {
 public:
  Checking(const Facts& facts, const CheckDescription& check, const Tools& tools)
      : m_facts(facts), m_check(check), m_tools(tools) {}

  // The files of which nothing is known. `question` is all that the answers depend on but the files.
  base::Result<CheckState> prepare(const std::string& question) {
    BASE_TRY_ASSIGN(const bool applies,
                    m_check.when.empty() ? base::Result<bool>(true) : m_facts.files.has_any(m_check.when));
    if (!applies) return CheckState{};
    const auto files = chosen_files();
    BASE_TRY_ASSIGN(const auto digests, m_facts.files.digests_of(files));
    m_passed.emplace(m_tools.settings().cache / m_facts.builder->language / "checked" / question);
    for (const auto& file : files) {
      auto digest = base::sha256(file.name + '\0' + digests.at(file.name));
      m_now.insert(digest);
      if (!m_passed->has(digest)) m_unknown.emplace_back(file.name, std::move(digest));
    }
    return CheckState{files.size(), m_unknown.size()};
  }

  // Of the files that run() checks.
  void add_names(std::set<std::string>& names) const {
    for (const auto& [name, digest] : m_unknown) names.insert(name);
  }

  base::Status run() {
    if (!m_passed) return {};
    base::Errors errors;
    std::size_t at = 0;
    while (at < m_unknown.size()) {
      BASE_TRY(base::check_stop());
      const auto end = end_of_batch(at);
      const auto fault = m_check.reject ? look_at(m_unknown[at].first) : run_on(at, end);
      if (!fault) return base::fail(fault.error());
      if (*fault) {
        errors.add(**fault);
      } else {
        for (auto i = at; i < end; ++i) m_passed->add(m_unknown[i].second);
      }
      at = end;
    }
    BASE_TRY(m_passed->keep(m_now));
    if (errors.none()) return {};
    return base::fail(errors.take());
  }

 private:
  // Empty when the file is right.
  using Fault = std::optional<base::Error>;

  std::vector<SourceFile> chosen_files() const {
    auto files = m_facts.files.matching(m_check.files);
    std::erase_if(files, [&](const SourceFile& file) { return !takes_interpreter(file.name); });
    return files;
  }

  // A file that another interpreter is for is not checked by this one.
  [[nodiscard]] bool takes_interpreter(const std::string& file) const {
    for (const auto& word : m_check.run) {
      for (const auto& name : word.names()) {
        if (name.name == "interpreter" && !interpreter_among(m_facts.files, file, name.argument))
          return false;
      }
    }
    return true;
  }

  [[nodiscard]] std::size_t end_of_batch(std::size_t at) const {
    if (m_check.reject || !uses_files(m_check)) return at + 1;
    std::size_t bytes = 0;
    auto end = at;
    while (end < m_unknown.size() && end - at < k_most_files && (end == at || bytes < k_most_bytes))
      bytes += m_facts.files.path_of(m_unknown[end++].first).size() + 1;
    return end;
  }

  base::Result<Fault> look_at(const std::string& file) const {
    BASE_TRY_ASSIGN(const std::string text, m_facts.files.beginning_of(file));
    const auto match = m_check.reject->find(text);
    if (!match) return Fault();
    auto groups = match->groups;
    groups["file"] = file;
    groups["line"] = std::to_string(line_of(text, match->begin));
    groups.emplace("what", "contains text that the builder rejects");
    return Fault(error_of_groups(groups, {m_check.say, m_check.hint, ErrorKind::step_failed}, m_facts, "",
                                 m_facts.builder->language));
  }

  base::Result<Fault> run_on(std::size_t at, std::size_t end) const {
    std::vector<std::string> words;
    for (const auto& word : m_check.run) {
      if (word.has("files")) {
        for (auto i = at; i < end; ++i) words.push_back(m_facts.files.path_of(m_unknown[i].first).string());
      } else {
        words.push_back(word.fill([&](const Name& name) { return value_of(name, m_unknown[at].first); }));
      }
    }
    BASE_TRY_ASSIGN(words, with_program(std::move(words), m_facts, m_tools));
    const process::Command command{.arguments = std::move(words),
                                   .environment = command_environment({}, m_tools),
                                   .folder = m_facts.files.folder()};
    BASE_TRY_ASSIGN(const auto finished, m_tools.run_quietly(command));
    if (finished.ending.succeeded()) return Fault();
    return Fault(fault_of(finished, end - at == 1 ? m_unknown[at].first : ""));
  }

  [[nodiscard]] std::optional<std::string> value_of(const Name& name, const std::string& file) const {
    if (name.name == "file") return m_facts.files.path_of(file).string();
    if (name.name == "builder") return m_facts.builder->folder.string();
    if (name.name == "interpreter") return interpreter_among(m_facts.files, file, name.argument);
    return value_of_fact(m_facts, name, m_facts.files.folder().string());
  }

  // The first fault of each file. `file` is the only one that it can be; empty: there are several.
  [[nodiscard]] base::Error fault_of(const process::Finished& finished, const std::string& file) const {
    const std::string text = finished.errors + finished.output;
    base::Errors faults;
    std::set<std::string> told;
    for (std::size_t at = 0; m_check.place && at <= text.size();) {
      auto match = m_check.place->find(text, at);
      if (!match) break;
      at = std::max(match->end, match->begin + 1);
      const auto named = file.empty() ? match->groups["file"] : file;
      if (!told.insert(named).second) continue;
      faults.add(error_of_place(std::move(match->groups), finished, file));
    }
    return faults.none() ? error_of_place({}, finished, file) : faults.take();
  }

  [[nodiscard]] base::Error error_of_place(std::map<std::string, std::string> groups,
                                           const process::Finished& finished, const std::string& file) const {
    if (!groups.contains("what")) {
      const auto last = base::last_line(finished.errors + finished.output);
      groups["what"] = last.empty() ? "the check " + finished.ending.predicate() : last;
    }
    auto& place = groups["file"];
    if (place.empty()) place = file;
    return error_of_groups(groups, {m_check.say, m_check.hint, ErrorKind::step_failed}, m_facts, "",
                           m_facts.builder->language);
  }

  const Facts& m_facts;
  const CheckDescription& m_check;
  const Tools& m_tools;
  std::optional<Passed> m_passed;
  std::set<std::string> m_now;
  std::vector<std::pair<std::string, std::string>> m_unknown;  // names and digests
};

// All that a check's answers depend on, but for the files themselves.
base::Result<std::string> question_of(const Facts& facts, std::size_t number,
                                      const std::string& builder_digest,
                                      const std::vector<FoundTool>& found) {
  base::Sha256 question;
  for (const auto& field : {key_base(facts.builder->language), std::to_string(number), builder_digest})
    question.update_field(field);
  for (const auto& tool : found) question.update_field(tool.name + " " + tool.identity);
  // What its command names: the words of an error are for files that did not pass.
  for (const auto& word : facts.builder->checks[number].run) {
    for (const auto& name : word.names()) {
      if (name.name == "setting")
        question.update_field(name.argument + "=" + facts.settings.at(name.argument));
      if (name.name == "program") question.update_field(facts.program.name);
    }
  }
  for (const auto& input : facts.builder->checks[number].inputs) {
    question.update_field(input.text);
    if (input.is_value) {
      BASE_TRY_ASSIGN(const auto value, facts.files.value_of(input));
      question.update_field(canonical_text(value));
      continue;
    }
    const auto files = facts.files.matching(input.files);
    BASE_TRY_ASSIGN(const auto digests, facts.files.digests_of(files));
    question.update_field(digest_of_files(files, digests));
  }
  return question.finish();
}

}  // namespace

base::Status run_checks(const Facts& facts, const std::string& builder_digest,
                        const std::vector<FoundTool>& found, const Tools& tools) {
  Milestone milestone("check");
  std::set<std::string> checked;
  for (std::size_t i = 0; i < facts.builder->checks.size(); ++i) {
    Checking checking(facts, facts.builder->checks[i], tools);
    BASE_TRY_ASSIGN(const std::string question, question_of(facts, i, builder_digest, found));
    BASE_TRY(checking.prepare(question));
    BASE_TRY(checking.run());
    checking.add_names(checked);
  }
  if (!checked.empty()) milestone.reached(base::count_of(checked.size(), "file"));
  return {};
}

base::Result<std::vector<CheckState>> state_of_checks(const Facts& facts, const std::string& builder_digest,
                                                      const std::vector<FoundTool>& found,
                                                      const Tools& tools) {
  std::vector<CheckState> states;
  for (std::size_t i = 0; i < facts.builder->checks.size(); ++i) {
    Checking checking(facts, facts.builder->checks[i], tools);
    BASE_TRY_ASSIGN(const std::string question, question_of(facts, i, builder_digest, found));
    BASE_TRY_ASSIGN(const auto state, checking.prepare(question));
    states.push_back(state);
  }
  return states;
}

}  // namespace builder::declared
