# SPDX-License-Identifier: Apache-2.0
# Usage: Rscript project.R LIBRARY PACKAGE PACKAGES
# Installs the source, which itself is a package in the folder PACKAGE, into LIBRARY; what it needs is in the library PACKAGES.
arguments <- commandArgs(TRUE)
words <- c("CMD", "INSTALL", "--use-vanilla", "--no-docs", "--no-lock", "--no-staged-install", "--preclean", "--clean",
           "--built-timestamp=1970-01-01", "--without-keep.source", paste0("--library=", shQuote(arguments[1])),
           shQuote(arguments[2]))
variables <- c(paste0("R_LIBS=", shQuote(arguments[3])), "R_LIBS_USER=NULL", paste0("PACHBUILD_LIBRARY=", shQuote(arguments[3])),
               "SOURCE_DATE_EPOCH=0", "LC_ALL=C.UTF-8", "LANGUAGE=en")
status <- system2(file.path(R.home("bin"), "R"), words, env = variables, stdin = "/dev/null")
name <- read.dcf(file.path(arguments[2], "DESCRIPTION"), "Package")[1]
unlink(file.path(arguments[1], name, c("help", "html", "doc", "demo")), recursive = TRUE)
quit(save = "no", status = status != 0)
