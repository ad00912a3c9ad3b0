// SPDX-License-Identifier: Apache-2.0
// The packages of the source itself, where they are installed. Programs import them as after `uv sync`, that
// is, from their place in the source, so that they find the files around them, but with what the build has
// made: compiled modules, generated files, a version written into a module.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"

namespace builder::python {

// A distribution that was installed from a folder of the source.
struct SourceDistribution {
  base::fs::path information;  // its .dist-info
  base::fs::path project;      // the folder, relative to the source; empty: the source itself
};

// A package or module that one of these distributions installs and whose code is in the source as well.
struct SourcePackage {
  std::string name;     // "counting", "acme.tools" where acme is a namespace
  base::fs::path path;  // relative to the folder of imports: "counting", "acme/tools", "counting.py"
  base::fs::path root;  // the folder of imports in the source, relative to it: "", "src"
  // The files in the environment that are not the source's own bytes make the difference: without any, a
  // package at the source's root is imported from the source itself.
  bool is_mirrored = false;
  std::vector<std::string> files;  // of a module, relative to site-packages
};

// Which these are. Nothing is changed.
base::Result<std::vector<SourcePackage>> find_source_packages(
    const base::fs::path& site_packages, const base::fs::path& source,
    const std::vector<SourceDistribution>& distributions);

// The modules that a distribution installs: "counting.cli".
base::Result<std::vector<std::string>> modules_of_distribution(const base::fs::path& information);

// Puts the module into `site_packages` that makes Python import these packages from where they are.
base::Status add_source_finder(const base::fs::path& site_packages,
                               const std::vector<SourcePackage>& packages);

// Makes the folder `source` of the environment: the source again, in links to /pfs/source, but with the
// packages that are mirrored as they were installed. What is installed of them moves there.
base::Status make_source_mirror(const base::fs::path& environment, const base::fs::path& site_packages,
                                const base::fs::path& source, const std::vector<SourcePackage>& packages);

}  // namespace builder::python
