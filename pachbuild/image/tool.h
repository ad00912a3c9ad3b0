// SPDX-License-Identifier: Apache-2.0
// docker, podman or buildah: builds an image and pushes it, with that tool's own configuration and
// credentials.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "process/runner.h"
#include "process/secret_folder.h"

namespace image {

class Tool {
 public:
  // "docker", "podman" or "buildah"; empty: the first of them that is on PATH. Its files are made below
  // `scratch`, and `runner`, which must live as long, runs it.
  static base::Result<Tool> find(const std::string& name, const base::fs::path& scratch,
                                 process::SystemRunner& runner);

  // Builds a Dockerfile in `context` and gives the image's id, "sha256:…". What the tool prints goes to
  // standard error.
  [[nodiscard]] base::Result<std::string> build(const base::fs::path& dockerfile,
                                                const base::fs::path& context) const;

  // The id of an image that is on this machine; an error when it is not.
  [[nodiscard]] base::Result<std::string> id_of(const std::string& image) const;

  // Pushes with this password from now on. It is never an argument, and in a file only while a push runs: in
  // a process::SecretFolder.
  void log_in(const std::string& registry, const std::string& username, const std::string& password);

  // Pushes an image under `reference` ("registry.example.com/team/map:1a2b3c") and gives the digest that the
  // registry has for it, "sha256:…".
  [[nodiscard]] base::Result<std::string> push(const std::string& id, const std::string& reference) const;

 private:
  Tool(std::string name, std::string program, base::fs::path scratch, process::SystemRunner& runner)
      : m_name(std::move(name)),
        m_program(std::move(program)),
        m_scratch(std::move(scratch)),
        m_runner(&runner) {}

  // Runs the tool with its output on standard error.
  [[nodiscard]] base::Status run(std::vector<std::string> words, const std::string& what) const;
  // Runs the tool and gives its standard output.
  [[nodiscard]] base::Result<std::string> ask(std::vector<std::string> words) const;
  // Pushes with the login, if there is one. `words` come after the options that name it.
  [[nodiscard]] base::Status push_with_login(std::vector<std::string> words,
                                             const std::string& reference) const;
  [[nodiscard]] bool is_docker() const { return m_name == "docker"; }

  std::string m_name;
  std::string m_program;
  base::fs::path m_scratch;
  process::SystemRunner* m_runner;
  std::string m_login;  // the text of the configuration for it; empty: the person's own is used
};

}  // namespace image
