// SPDX-License-Identifier: Apache-2.0
// The commands that a spec with transform.build has itself. Each is started in the artifact's environment
// (packages and programs first on PATH, PACHBUILD_ENV, the variables of the source's settings), as a
// generated run.sh starts the program, without a word about it in the spec.
#pragma once

#include <string>
#include <vector>

#include "pachbuild/spec/pipeline_spec.h"

namespace spec {

using Words = std::vector<std::string>;

// Whether a pipeline runs in the image of an official builder.
bool is_official(const Transform& transform);

// Whether a command is the person's own: there is one, and it is neither the artifact's run.sh nor the shim,
// which see to the environment themselves.
bool is_own_command(const Words& command);

// Where commands run.
struct CommandPlace {
  std::string shim;  // the path of worker-shim there; empty: an image that may have none
};

// The place in the images that a cluster takes: an official builder's image has the shim.
CommandPlace image_place(const Transform& transform);

// The command with what starts it in the environment in front of it, if it is the person's own. The shim, or
// a shell for images that may have none: that one asks the artifact, and an artifact that has nothing to say
// (of another builder, of an earlier version) leaves the command as it is.
Words in_environment(Words command, const CommandPlace& place);

// The command without what in_environment() has put in front of it.
Words without_environment(Words command);

// Where the pipeline's command starts: working_dir, taken as a worker takes it; the source, where an own
// command would start in an official builder's image, which has nothing of the person's; empty: where the
// image says.
std::string folder_of_command(const Transform& transform);

}  // namespace spec
