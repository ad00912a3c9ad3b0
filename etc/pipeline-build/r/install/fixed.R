# SPDX-License-Identifier: Apache-2.0
# R notes in what it installs where it was installed. So that the same package is the same bytes everywhere, it is installed at
# a path that its key decides, and moved from there.

# Makes an empty folder for this process alone. One of somebody else at that path means another path: other bytes, but no fault.
fixed_folder <- function(key) {
  path <- file.path("/tmp", paste0("pachbuild-r-", substr(key, 1, 16)))
  mine <- file.info(tempdir())$uid
  patience <- 50L # tenths of a second for an owner to tell its name
  repeat {
    if (dir.create(path, showWarnings = FALSE, mode = "0700")) {
      writeLines(as.character(Sys.getpid()), file.path(path, "owner"))
      return(path)
    }
    there <- file.info(path, extra_cols = TRUE)
    if (is.na(there$uid)) next
    if (there$uid != mine || !isTRUE(there$isdir)) {
      path <- tempfile("library")
      dir.create(path, mode = "0700")
      return(path)
    }
    owner <- suppressWarnings(tryCatch(as.integer(readLines(file.path(path, "owner"))), error = function(e) integer()))
    if (!length(owner)) patience <- patience - 1L
    if (patience == 0L || (length(owner) && !tools::pskill(owner, 0L))) unlink(path, recursive = TRUE)
    else Sys.sleep(0.1)
  }
}
