# SPDX-License-Identifier: Apache-2.0
# Which packages to install: what is asked for and what these need, each from the image where it fits, else from an archive.

# What renv notes of a package: the MD5 sum of the fields that make it what it is, without white space.
renv_hash <- function(record) {
  encoding <- record["Encoding"]
  if (!is.na(encoding)) record <- iconv(record, encoding, "UTF-8", sub = "byte")
  fields <- c("Package", "Version", "Title", "Author", "Maintainer", "Description", "Depends", "Imports", "Suggests", "LinkingTo")
  if (!is.na(record["RemoteSha"]) && nchar(record["RemoteSha"]) >= 40) {
    remotes <- grep("^Remote", names(record), value = TRUE)
    fields <- c(fields, if (identical(unname(record["RemoteRef"]), "HEAD")) setdiff(remotes, "RemoteRef") else remotes)
  }
  names <- sort(intersect(fields, names(record)), method = "radix")
  text_digest(gsub("[[:space:]]", "", paste(names, record[names], sep = ": ", collapse = "\n")))
}

needs_of <- function(record) {
  needs <- read_requirements(record[c("Depends", "Imports", "LinkingTo")])
  needs <- Filter(function(need) !is.na(need$name) && need$name != "R", needs)
  names(needs) <- vapply(needs, function(need) need$name, "")
  needs
}

# What the image brings beside R itself: Debian's r-cran packages, R's recommended ones.
image_packages <- function() {
  fields <- c("Package", "Version", "Priority", "Title", "Author", "Maintainer", "Description", "Depends", "Imports", "Suggests",
              "LinkingTo", "Encoding", "RemoteSha", "RemoteRef")
  result <- list()
  for (folder in unique(normalizePath(c(.Library.site, .Library), mustWork = FALSE))) {
    for (name in list.files(folder)) {
      file <- file.path(folder, name, "DESCRIPTION")
      if (name %in% names(result) || !file.exists(file)) next
      record <- tryCatch(read.dcf(file)[1, ], error = function(e) NULL)
      if (!is.null(record)) result[[name]] <- list(path = file.path(folder, name), record = record)
    }
  }
  result
}

is_base <- function(record) identical(unname(record["Priority"]), "base")

# Gives a list by name: `path` of the image's folder or of the archive, `record` of its DESCRIPTION, `needs` (names), …
plan_packages <- function(request, cache) {
  image <- image_packages()
  base <- names(Filter(function(package) is_base(package$record), image))
  plan <- list()

  # The image's package fits when its version does, its hash if one is locked, and all that it needs fits as well.
  fits <- function(package, seen = character()) {
    own <- image[[package$name]]
    if (is.null(own) || package$source != "Repository") return(FALSE)
    if (package$name %in% base || package$name %in% seen) return(TRUE)
    if (!is.na(package$operator) && !compare(own$record["Version"], package$operator, package$version)) return(FALSE)
    if (!is.null(package$hash) && !identical(renv_hash(own$record), package$hash)) return(FALSE)
    for (need in needs_of(own$record)) {
      asked <- request$packages[[need$name]]
      if (is.null(asked)) asked <- wanted(need$name, package$place, need$operator, need$version)
      if (!fits(asked, c(seen, package$name))) return(FALSE)
    }
    TRUE
  }
  take <- function(package) {
    if (fits(package)) {
      own <- image[[package$name]]
      return(list(name = package$name, place = package$place, path = own$path, record = own$record, from = "image"))
    }
    found <- fetch_package(package, request$repositories, cache)
    archive <- read_archive(package, found$path)
    if (!is.null(package$hash) && is.null(package$url) && !identical(renv_hash(archive$record), package$hash)) {
      fail(paste0(package$place, ": ", package$name, " ", package$version, " does not match the lock file: its hash is ",
                  renv_hash(archive$record), ", not ", package$hash),
           "check the repository, or lock its packages again with renv::snapshot()")
    }
    list(name = package$name, place = package$place, path = found$path, record = archive$record, inside = archive$inside,
         from = "archive", sha = package$sha, subfolder = package$subfolder)
  }
  add <- function(package) {
    entry <- take(package)
    needs <- needs_of(entry$record)
    entry$needs <- setdiff(names(needs), base)
    check_needed_r(entry)
    plan[[package$name]] <<- entry
    for (need in needs[entry$needs]) require_package(need, entry)
  }
  require_package <- function(need, entry) {
    there <- plan[[need$name]]
    if (is.null(there)) {
      asked <- request$packages[[need$name]]
      if (is.null(asked) && request$locked && is.null(image[[need$name]])) {
        fail(paste0(entry$place, ": ", entry$name, " needs ", need$name, ", which is not locked"),
             paste0("install it and run renv::snapshot()"))
      }
      if (is.null(asked)) asked <- wanted(need$name, entry$place, need$operator, need$version)
      add(asked)
      there <- plan[[need$name]]
    }
    if (is.na(need$operator) || compare(there$record["Version"], need$operator, need$version)) return(invisible())
    fail(paste0(there$place, ": ", entry$name, " needs ", need$name, " ", need$operator, " ", need$version, ", but ",
                there$record["Version"], " is asked for"), "change one of the versions")
  }
  for (package in request$packages) {
    if (package$name %in% base) next
    if (is.null(plan[[package$name]])) add(package)
  }
  plan
}

check_needed_r <- function(entry) {
  for (need in read_requirements(entry$record["Depends"])) {
    if (!identical(need$name, "R")) next
    check_r(paste0(entry$place, ": ", entry$name, " ", entry$record["Version"]), need$operator, need$version)
  }
}
