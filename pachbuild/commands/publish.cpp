// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/publish.h"

#include <poll.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "pachbuild/image/publish.h"
#include "pachbuild/spec/edit.h"
#include "process/interruption.h"
#include "process/runner.h"
#include "report/report.h"

namespace commands {
namespace {

using base::ErrorKind;
using nlohmann::json;
namespace fs = base::fs;

// A line of standard input; an error when a signal comes first, which nothing else would end the waiting for.
base::Result<std::string> read_line(process::Interruption& interruption) {
  std::string line;
  for (;;) {
    std::array<pollfd, 2> entries{pollfd{STDIN_FILENO, POLLIN, 0},
                                  pollfd{interruption.descriptor(), POLLIN, 0}};
    if (::poll(entries.data(), entries.size(), -1) < 0 && errno != EINTR)
      return base::fail(base::system_error("read", "standard input", errno));
    if (interruption.signal()) return base::fail(base::interrupted());
    if (entries[0].revents == 0) continue;
    char byte = 0;
    const ssize_t count = ::read(STDIN_FILENO, &byte, sizeof byte);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return base::fail(base::system_error("read", "standard input", errno));
    if (count == 0 || byte == '\n') return line;
    line += byte;
  }
}

// A line from the terminal that is not shown there. The terminal is as before afterwards, whatever happens.
base::Result<std::string> ask_password(const std::string& question, process::Interruption& interruption) {
  termios shown{};
  const bool is_terminal = ::tcgetattr(STDIN_FILENO, &shown) == 0;
  termios hidden = shown;
  hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  std::fprintf(stderr, "%s", question.c_str());
  if (is_terminal) ::tcsetattr(STDIN_FILENO, TCSANOW, &hidden);
  auto line = read_line(interruption);
  if (is_terminal) ::tcsetattr(STDIN_FILENO, TCSANOW, &shown);
  std::fprintf(stderr, "\n");
  return line;
}

const json& written(const LoadedPipeline& loaded) { return *loaded.pipeline.document.value; }

std::string field(const LoadedPipeline& loaded, const char* name) {
  const auto transform = written(loaded).value("transform", json::object());
  const auto found = transform.find(name);
  return found != transform.end() && found->is_string() ? found->get<std::string>() : "";
}

json with_image(json spec, const std::string& image) {
  spec["transform"]["image"] = image;
  return spec;
}

void set_image(LoadedPipeline& loaded, const std::string& image) {
  if (loaded.submission) {
    loaded.submission->running = std::make_shared<const json>(with_image(*loaded.submission->running, image));
  } else {
    loaded.pipeline.document.value = std::make_shared<const json>(with_image(written(loaded), image));
  }
}

class Publication {
 public:
  Publication(const PublishOptions& options, image::Tool tool)
      : m_options(options),
        m_tool(std::move(tool)),
        m_publisher(m_tool, image::Registry{options.registry, options.username, options.tag}) {}

  base::Status log_in(const std::string& password) {
    if (m_options.username.empty()) {
      return base::fail(ErrorKind::usage, "--password-stdin", "needs a name to log in with",
                        "add --username NAME");
    }
    m_tool.log_in(m_options.registry, m_options.username, password);
    return {};
  }

  base::Result<std::string> image_of(const LoadedPipeline& loaded) {
    const std::string name = field(loaded, "image").empty() ? loaded.pipeline.name : field(loaded, "image");
    if (!is_built(loaded)) return m_publisher.publish_image(name);
    const auto& places = loaded.pipeline.document.places;
    const fs::path dockerfile = fs::path(places.file()).parent_path() / field(loaded, "dockerfile");
    auto image = m_publisher.publish_dockerfile(dockerfile, name);
    if (!image && image.error().kind == ErrorKind::bad_input)
      image.error().where = places.where("/transform/dockerfile");
    return image;
  }

  [[nodiscard]] bool is_meant(const LoadedPipeline& loaded) const {
    return is_built(loaded) || (m_options.push_images && !field(loaded, "image").empty());
  }

 private:
  [[nodiscard]] bool is_built(const LoadedPipeline& loaded) const {
    return m_options.build && !field(loaded, "dockerfile").empty();
  }

  const PublishOptions& m_options;
  image::Tool m_tool;
  image::Publisher m_publisher;
};

// The files' other bytes stay as they are. Documents are taken from the last to the first, so that the places
// of those above stay right.
base::Status write_images(const std::vector<LoadedPipeline>& pipelines,
                          const std::map<std::size_t, std::string>& images) {
  std::map<std::string, std::string> texts;
  for (auto entry = images.rbegin(); entry != images.rend(); ++entry) {
    const auto& document = pipelines[entry->first].pipeline.document;
    const std::string& file = document.places.file();
    if (!document.places.is_written()) {
      return base::fail(ErrorKind::usage, "--write",
                        file + " is a template, and does not have the image itself",
                        "let an argument of the template name the image");
    }
    if (!texts.contains(file)) {
      BASE_TRY_ASSIGN(texts[file], base::read_file(file));
    }
    BASE_TRY_ASSIGN(texts[file], spec::with_image(texts[file], document, entry->second));
  }
  for (const auto& [file, text] : texts) {
    struct stat status{};
    const mode_t mode = ::stat(file.c_str(), &status) == 0 ? status.st_mode & 07777 : 0644;
    BASE_TRY(base::write_file(file, text, mode));
    report::info(file + ": written");
  }
  return {};
}

}  // namespace

void PublishOptions::add_to(CLI::App& verb) {
  verb.add_flag("--build", build,
                "Build the Dockerfile that transform.dockerfile names, push the image, and run in it");
  verb.add_flag("--push-images", push_images, "Push the pipelines' local images without building them");
  verb.add_option("--registry", registry, "The registry to push to (default: docker.io)")->type_name("HOST");
  verb.add_option("--username", username,
                  "The account in the registry: part of the image's name, and the login name")
      ->type_name("NAME");
  verb.add_flag("--password-stdin", password_from_input,
                "Log in with the password from standard input, for this push only");
  verb.add_option("--builder", tool, "The tool that builds and pushes (default: the first one found)")
      ->type_name("TOOL")
      ->check(CLI::IsMember({"docker", "podman", "buildah"}));
  verb.add_option("--tag", tag,
                  "The image's tag, for example a commit id (default: derived from its content)")
      ->type_name("TAG");
  verb.add_flag("--write", write, "Also write the pushed images into the spec files");
}

namespace {

base::Status publish_watched(const PublishOptions& options, const SpecOptions& specs,
                             std::vector<LoadedPipeline>& pipelines, process::Interruption& interruption) {
  process::SystemRunner runner(&interruption, {.end = process::SystemRunner::k_tool_end});
  BASE_TRY_ASSIGN(const auto scratch, scratch_folder());
  BASE_TRY_ASSIGN(auto tool, image::Tool::find(options.tool, scratch, runner));
  Publication publication(options, std::move(tool));
  const bool can_ask =
      !options.password_from_input && !options.username.empty() && ::isatty(STDIN_FILENO) != 0;
  if (options.password_from_input) {
    if (specs.spec == "-") {
      return base::fail(ErrorKind::usage, "--password-stdin", "standard input is the spec already",
                        "name a spec file");
    }
    BASE_TRY_ASSIGN(const std::string password, read_line(interruption));
    BASE_TRY(publication.log_in(password));
  }
  std::map<std::size_t, std::string> images;
  for (std::size_t i = 0; i < pipelines.size(); ++i) {
    if (!publication.is_meant(pipelines[i])) continue;
    auto image = publication.image_of(pipelines[i]);
    const bool is_refused = !image && image.error().kind == ErrorKind::step_failed && !interruption.signal();
    if (is_refused && can_ask) {
      BASE_TRY_ASSIGN(
          const std::string password,
          ask_password("Password of " + options.username + " at " + options.registry + ": ", interruption));
      BASE_TRY(publication.log_in(password));
      image = publication.image_of(pipelines[i]);
    }
    if (!image) return base::fail(std::move(image).error());
    report::info(pipelines[i].pipeline.name + ": image: " + *image);
    images[i] = *image;
  }
  if (images.empty()) {
    return base::fail(
        ErrorKind::bad_input, specs.name(),
        options.build ? "has no pipeline with transform.dockerfile" : "has no pipeline with an image",
        "name the file there, relative to the spec's folder");
  }
  if (options.write) BASE_TRY(write_images(pipelines, images));
  for (const auto& [i, image] : images) set_image(pipelines[i], image);
  return {};
}

}  // namespace

// A signal ends the tool that runs first, and then, when nothing of ours is left, this program.
base::Status publish(const PublishOptions& options, const SpecOptions& specs,
                     std::vector<LoadedPipeline>& pipelines) {
  if (!options.build && !options.push_images) return {};
  BASE_TRY_ASSIGN(auto interruption, process::Interruption::watch());
  auto done = publish_watched(options, specs, pipelines, interruption);
  std::move(interruption).pass_on();
  return done;
}

}  // namespace commands
