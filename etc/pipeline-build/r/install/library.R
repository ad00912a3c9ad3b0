# SPDX-License-Identifier: Apache-2.0
# Puts packages into a library. What was compiled once is kept in the cache, by all that decides it, and copied from there.

# All that a compiled package depends on beside archives: R, its flags, the compilers, the system.
toolchain_digest <- function() {
  files <- c(file.path(R.home("etc"), "Makeconf"), Sys.getenv("R_MAKEVARS_USER"), "/etc/os-release")
  texts <- lapply(files[file.exists(files)], readLines, warn = FALSE)
  versions <- vapply(c("gcc", "g++", "gfortran"), function(tool) {
    if (!nzchar(Sys.which(tool))) return("")
    paste(suppressWarnings(system2(tool, "-dumpfullversion", stdout = TRUE, stderr = FALSE)), collapse = " ")
  }, "")
  text_digest(c("installed packages 1", R.version.string, R.version$platform, versions, unlist(texts)))
}

# Names in an order in which each comes after those that it needs.
ordered <- function(plan) {
  done <- character()
  while (length(done) < length(plan)) {
    ready <- Filter(function(name) all(plan[[name]]$needs %in% c(done, setdiff(plan[[name]]$needs, names(plan)))),
                    setdiff(names(plan), done))
    if (!length(ready)) {
      left <- setdiff(names(plan), done)
      fail(paste0(plan[[left[1]]]$place, ": packages depend on each other in a cycle: ", both(left)))
    }
    done <- c(done, sort(ready, method = "radix"))
  }
  done
}

# A key for each package: its archive, the toolchain, and the keys of all that it needs.
package_keys <- function(plan) {
  toolchain <- toolchain_digest()
  archives <- Filter(function(entry) entry$from == "archive" && is.null(entry$sha), plan)
  digests <- character()
  if (length(archives)) digests[names(archives)] <- sha256_of(vapply(archives, function(entry) entry$path, ""))
  keys <- character()
  for (name in ordered(plan)) {
    entry <- plan[[name]]
    own <- if (entry$from == "image") c("image", entry$path, entry$record[c("Version", "Built")])
           else if (is.null(entry$sha)) digests[[name]] else c(entry$sha, entry$subfolder)
    keys[name] <- text_digest(c(toolchain, name, own, keys[intersect(sort(entry$needs), names(keys))]))
  }
  keys
}

copy_package <- function(from, library_folder, name) {
  output <- suppressWarnings(system2("cp", c("-RLp", "--", shQuote(from), shQuote(file.path(library_folder, name))),
                                     stdout = TRUE, stderr = TRUE))
  if (length(output)) fail(paste0("cp: ", output[1]), code = k_package_fails)
  unlink(file.path(library_folder, name, c("help", "html", "doc", "demo")), recursive = TRUE)
}

# Installs one package from its archive into the cache. Gives the lines that R printed when it fails.
install_into_cache <- function(entry, key, place, library_folder) {
  part <- fixed_folder(key)
  on.exit(unlink(part, recursive = TRUE))
  if (dir.exists(place)) return(NULL) # another build was faster
  what <- entry$path
  if (!is.null(entry$sha)) {
    unpacked <- file.path(part, "source")
    dir.create(unpacked)
    utils::untar(entry$path, exdir = unpacked, tar = "tar")
    what <- file.path(unpacked, entry$inside)
  }
  made <- file.path(part, "library")
  dir.create(made)
  output <- file.path(part, "output")
  words <- c("CMD", "INSTALL", "--use-vanilla", "--no-docs", "--built-timestamp=1970-01-01",
             "--without-keep.source", paste0("--library=", shQuote(made)), shQuote(what))
  variables <- c(paste0("R_LIBS=", shQuote(library_folder)), "R_LIBS_SITE=NULL", "R_LIBS_USER=NULL",
                 paste0("PACHBUILD_LIBRARY=", shQuote(library_folder)), "SOURCE_DATE_EPOCH=0", "LC_ALL=C.UTF-8")
  status <- system2(file.path(R.home("bin"), "R"), words, stdout = output, stderr = output, stdin = "/dev/null", env = variables)
  if (status != 0) return(readLines(output, warn = FALSE))
  # Beside its place first, since the cache may be another file system; then whole or not at all.
  beside <- paste0(place, ".", Sys.getpid(), ".part")
  on.exit(unlink(beside, recursive = TRUE), add = TRUE)
  copied <- suppressWarnings(system2("cp", c("-RLp", "--", shQuote(file.path(made, entry$name)), shQuote(beside)),
                                     stdout = TRUE, stderr = TRUE))
  if (length(copied)) return(copied)
  if (!suppressWarnings(file.rename(beside, place)) && !dir.exists(place)) return("cannot write the cache")
  NULL
}

# Debian's package of what is missing, where the package's own configure script says so.
debian_hint <- function(lines) {
  named <- regmatches(lines, regexec("deb: *([a-z0-9][a-z0-9.+-]+)", lines))
  named <- unique(vapply(Filter(length, named), function(parts) parts[2], ""))
  if (length(named)) return(paste0("add to the builder's image: apt-get install ", paste(named, collapse = " ")))
  tools <- regmatches(lines, regexec("(?:make|sh)(?:\\[[0-9]+\\])?: (?:[0-9]+: )?([A-Za-z0-9+_-]+): (?:not found|No such file)", lines))
  tools <- unique(vapply(Filter(length, tools), function(parts) parts[2], ""))
  if (length(tools)) paste0(both(tools), " is missing in the builder's image") else NULL
}

install_failed <- function(entry, lines) {
  writeLines(lines, stderr())
  version <- entry$record["Version"]
  fail(paste0(entry$place, ": ", entry$name, " ", version, " cannot be installed"), debian_hint(lines), k_package_fails)
}

install_packages <- function(plan, library_folder, cache) {
  if (!length(plan)) return(invisible())
  dir.create(library_folder, showWarnings = FALSE, recursive = TRUE)
  library_folder <- normalizePath(library_folder)
  store <- file.path(cache, "packages")
  dir.create(store, showWarnings = FALSE, recursive = TRUE)
  keys <- package_keys(plan)
  waiting <- names(keys)
  running <- list()  # jobs by name
  done <- character()
  limit <- max(1L, parallel::detectCores(), na.rm = TRUE)

  finish <- function(name, how) {
    entry <- plan[[name]]
    copy_package(if (entry$from == "image") entry$path else file.path(store, keys[[name]]), library_folder, name)
    tell("+ ", name, " ", entry$record["Version"], how)
    done <<- c(done, name)
  }
  collect <- function() {
    results <- parallel::mccollect(running, wait = FALSE, timeout = 60)
    for (number in seq_along(results)) {
      name <- names(results)[number]
      lines <- if (inherits(results[[number]], "try-error")) as.character(results[[number]]) else results[[number]]$lines
      running[[name]] <<- NULL
      if (!is.null(lines)) {
        for (job in running) tools::pskill(job$pid)
        install_failed(plan[[name]], lines)
      }
      if (!dir.exists(file.path(store, keys[[name]]))) install_failed(plan[[name]], "R CMD INSTALL was killed")
      finish(name, "")
    }
  }
  while (length(waiting) || length(running)) {
    ready <- Filter(function(name) all(intersect(plan[[name]]$needs, names(plan)) %in% done), waiting)
    for (name in ready) {
      place <- file.path(store, keys[[name]])
      if (plan[[name]]$from == "image") {
        waiting <- setdiff(waiting, name)
        finish(name, " (the image's)")
      } else if (dir.exists(place)) {
        waiting <- setdiff(waiting, name)
        Sys.setFileTime(place, Sys.time())
        finish(name, " (installed before)")
      } else if (length(running) < limit) {
        waiting <- setdiff(waiting, name)
        running[[name]] <- local({
          entry <- plan[[name]]
          to <- place
          parallel::mcparallel(list(lines = install_into_cache(entry, basename(to), to, library_folder)), name = name)
        })
      }
    }
    if (length(running)) collect()
  }
}
