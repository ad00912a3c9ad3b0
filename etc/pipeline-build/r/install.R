# SPDX-License-Identifier: Apache-2.0
# Usage: Rscript install.R LIBRARY CACHE SOURCE MANIFEST
#
# Installs the packages that SOURCE/MANIFEST asks for, and what these need, into the folder LIBRARY. CACHE keeps archives and
# installed packages: one that another environment has already is copied. Ends with an exit code of builder-runtime and, as the
# last lines, "error: PLACE: FAULT" and "hint: FIX".

script <- sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))
folder <- file.path(dirname(normalizePath(script)), "install")
for (part in c("errors.R", "json.R", "manifests.R", "repositories.R", "plan.R", "fixed.R", "library.R")) source(file.path(folder, part))

main <- function(library_folder, cache, source_folder, manifest) {
  options(warn = 1, timeout = 600, keep.source = FALSE, useFancyQuotes = FALSE)
  request <- read_manifest(source_folder, manifest)
  dir.create(cache, showWarnings = FALSE, recursive = TRUE)
  packages <- plan_packages(request, cache)
  install_packages(packages, library_folder, cache)
}

arguments <- commandArgs(TRUE)
if (length(arguments) != 4) fail("install.R needs LIBRARY CACHE SOURCE MANIFEST", code = 64L)
main(arguments[1], arguments[2], arguments[3], arguments[4])
