# SPDX-License-Identifier: Apache-2.0
# Usage: Rscript project.R LIBRARY PACKAGE PACKAGES
#
# Installs the source, which itself is a package in the folder PACKAGE, into LIBRARY; what it needs is in the library PACKAGES.
# PACKAGE is kept from build to build: what was compiled stays as long as R, its flags and the other packages are the same.

script <- sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))
source(file.path(dirname(normalizePath(script)), "install", "fixed.R"))

arguments <- commandArgs(TRUE)
library_folder <- arguments[1]
package <- arguments[2]
packages <- arguments[3]

around <- c(Sys.glob(file.path(packages, "*", "DESCRIPTION")), Sys.getenv("R_MAKEVARS_USER"))
digests <- c(R.version.string, unname(tools::md5sum(around[file.exists(around)])))
note <- file.path(package, ".pachbuild")
same <- file.exists(note) && identical(readLines(note), digests)

name <- read.dcf(file.path(package, "DESCRIPTION"), "Package")[1]
key_file <- tempfile()
writeLines(c(name, digests), key_file)
fixed <- fixed_folder(unname(tools::md5sum(key_file)))
words <- c("CMD", "INSTALL", "--use-vanilla", "--no-docs", if (!same) "--preclean",
           "--built-timestamp=1970-01-01", "--without-keep.source", paste0("--library=", shQuote(fixed)), shQuote(package))
variables <- c(paste0("R_LIBS=", shQuote(packages)), "R_LIBS_USER=NULL", paste0("PACHBUILD_LIBRARY=", shQuote(packages)),
               "SOURCE_DATE_EPOCH=0", "LC_ALL=C.UTF-8", "LANGUAGE=en")
status <- system2(file.path(R.home("bin"), "R"), words, env = variables, stdin = "/dev/null")
if (status == 0) {
  writeLines(digests, note)
  unlink(file.path(fixed, name, c("help", "html", "doc", "demo")), recursive = TRUE)
  status <- system2("cp", c("-RLp", "--", shQuote(file.path(fixed, name)), shQuote(library_folder)))
}
unlink(fixed, recursive = TRUE)
quit(save = "no", status = status != 0)
