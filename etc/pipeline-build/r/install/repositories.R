# SPDX-License-Identifier: Apache-2.0
# Repositories: which versions they have, and archives, each downloaded once into the cache.

sha256_of <- function(paths) {
  output <- system2("sha256sum", c("--", shQuote(paths)), stdout = TRUE)
  if (length(output) != length(paths)) fail("sha256sum: cannot read an archive in the cache", code = k_package_fails)
  sub("^\\\\?([0-9a-f]{64}).*", "\\1", output)
}

# Whether something is at a URL: "yes", "no", "refused" (a login is missing), or "unknown" (nobody answers).
ask <- function(url) {
  if (startsWith(url, "file://")) return(if (file.exists(sub("^file://", "", url))) "yes" else "no")
  status <- tryCatch(attr(curlGetHeaders(url), "status"), error = function(e) 0L)
  if (status %in% 200:299) "yes" else if (status %in% c(401L, 403L, 407L)) "refused" else if (status %in% c(404L, 410L)) "no" else "unknown"
}

unreachable <- function(place, url, answer) {
  shown <- without_password(url)
  if (answer == "refused") fail(paste0(place, ": ", shown, " refuses access"), "put the credentials into the repository's URL")
  if (answer == "no") fail(paste0(place, ": ", shown, " is not a repository of R packages"), "correct the repository's URL")
  fail(paste0(place, ": ", shown, " does not answer"), "try again, or name a mirror that can be reached", k_try_again)
}

# Whether a list without packages is one.
check_index <- function(contrib, repository, place) {
  answers <- vapply(c("PACKAGES", "PACKAGES.gz", "PACKAGES.rds"), function(file) ask(file.path(contrib, file)), "")
  if (!any(answers == "yes")) unreachable(place, repository, if (all(answers == "no")) "no" else setdiff(answers, "no")[1])
}

# All packages of a repository, read once and only when one is needed.
repository_index <- local({
  known <- list()
  function(repository, place) {
    if (is.null(known[[repository]])) {
      contrib <- utils::contrib.url(repository, "source")
      # Its warnings also come of forms of the list that need not be there.
      table <- tryCatch(suppressWarnings(utils::available.packages(contrib, filters = c("R_version", "OS_type"))),
                        error = function(e) matrix(character(), 0, 3, dimnames = list(NULL, c("Package", "Version", "MD5sum"))))
      if (!nrow(table)) check_index(contrib, repository, place)
      known[[repository]] <<- table
    }
    known[[repository]]
  }
})

versions_in <- function(repository, name, place) {
  table <- repository_index(repository, place)
  table[table[, "Package"] == name, , drop = FALSE]
}

cached_archive <- function(cache, url, file) {
  place <- file.path(cache, "archives", text_digest(url))
  dir.create(place, showWarnings = FALSE, recursive = TRUE)
  file.path(place, file)
}

# Of a text that we make; within R, which has no other digest.
text_digest <- function(text) {
  path <- tempfile()
  on.exit(unlink(path))
  writeLines(enc2utf8(text), path, useBytes = TRUE)
  unname(tools::md5sum(path))
}

# Gives TRUE, or why not as `ask` says. `md5` is what the repository says of the archive.
download <- function(url, path, md5 = NA) {
  part <- paste0(path, ".", Sys.getpid(), ".part")
  on.exit(unlink(part))
  headers <- NULL
  token <- Sys.getenv("GITHUB_PAT")
  if (nzchar(token) && startsWith(url, "https://api.github.com/")) headers <- c(Authorization = paste("token", token))
  status <- tryCatch(suppressWarnings(utils::download.file(url, part, quiet = TRUE, mode = "wb", headers = headers)),
                     error = function(e) 1L)
  if (status != 0 || !file.exists(part)) return(ask(url))
  if (!is.na(md5) && !identical(unname(tools::md5sum(part)), md5)) return("damaged")
  if (!file.rename(part, path)) return("unwritable")
  TRUE
}

# The newest version that a repository offers and the request allows, or NULL.
choose_version <- function(package, repositories) {
  best <- NULL
  for (repository in repositories) {
    rows <- versions_in(repository, package$name, package$place)
    for (number in seq_len(nrow(rows))) {
      version <- rows[number, "Version"]
      if (!is.na(package$operator) && !compare(version, package$operator, package$version)) next
      if (is.null(best) || utils::compareVersion(version, best$version) > 0) {
        best <- list(version = version, repository = repository, md5 = rows[number, "MD5sum"])
      }
    }
  }
  best
}

# The repositories in the order in which a package is looked for: that of its own record first.
repositories_for <- function(package, repositories) {
  own <- package$repository
  if (is.null(own) || is.null(names(repositories))) return(unname(repositories))
  if (grepl("://", own, fixed = TRUE)) return(unique(c(own, unname(repositories))))
  unname(c(repositories[names(repositories) %in% own], repositories[!(names(repositories) %in% own)]))
}

no_version <- function(package, repositories) {
  there <- unlist(lapply(repositories, function(repository) versions_in(repository, package$name, package$place)[, "Version"]))
  asked <- if (is.na(package$operator)) "" else if (package$operator == "==") paste0(" ", package$version)
           else paste0(" ", package$operator, " ", package$version)
  fail(paste0(package$place, ": no repository has ", package$name, asked),
       paste0(if (length(there)) paste0("there is ", both(unique(there)), "; ") else "correct the name, or add its repository; ",
              "repositories: ", both(without_password(repositories))))
}

# Where the archive of a package is in the cache, after downloading it when it is not there yet; and its version.
fetch_package <- function(package, repositories, cache) {
  if (!is.null(package$url)) return(fetch_url(package, cache))
  repositories <- repositories_for(package, repositories)
  if (!length(repositories)) {
    fail(paste0(package$place, ": no repository is set"),
         "set CRAN to the URL of a mirror in transform.build.env, or options(repos = …) in the image's Rprofile.site")
  }
  if (identical(package$operator, "==")) return(fetch_version(package, repositories, cache))
  best <- choose_version(package, repositories)
  if (is.null(best)) no_version(package, repositories)
  found <- fetch_from(package, best$version, best$repository, cache, best$md5, FALSE)
  if (is.null(found)) no_version(package, repositories)
  found
}

fetch_version <- function(package, repositories, cache) {
  for (repository in repositories) {
    remote <- !startsWith(repository, "file:")
    path <- cached_archive(cache, repository, paste0(package$name, "_", package$version, ".tar.gz"))
    # What a repository has under one version stays the same; a folder of this machine may still change.
    if (remote && file.exists(path)) return(list(path = path, version = package$version))
    rows <- versions_in(repository, package$name, package$place)
    current <- which(vapply(rows[, "Version"], function(version) compare(version, "==", package$version), NA))
    version <- if (length(current)) rows[current[1], "Version"] else package$version
    md5 <- if (length(current)) rows[current[1], "MD5sum"] else NA
    found <- fetch_from(package, version, repository, cache, md5, TRUE)
    if (!is.null(found)) return(found)
  }
  no_version(package, repositories)
}

# From the current packages of a repository, or else from its archive of older ones. NULL when it has none.
fetch_from <- function(package, version, repository, cache, md5, older) {
  file <- paste0(package$name, "_", version, ".tar.gz")
  path <- cached_archive(cache, repository, file)
  fits <- file.exists(path) && (is.na(md5) || identical(unname(tools::md5sum(path)), unname(md5)))
  if (fits && !startsWith(repository, "file:")) return(list(path = path, version = version))
  if (fits && !is.na(md5)) return(list(path = path, version = version))
  contrib <- utils::contrib.url(repository, "source")
  urls <- c(file.path(contrib, file), if (older) file.path(contrib, "Archive", package$name, file))
  for (url in urls) {
    tell("downloading ", file)
    answer <- download(url, path, unname(md5))
    if (isTRUE(answer)) return(list(path = path, version = version))
    if (answer == "damaged") {
      fail(paste0(package$place, ": ", file, " from ", without_password(repository), " is damaged: its MD5 sum is not that of the ",
                  "repository's list"), "try again, or use another mirror", k_try_again)
    }
    if (answer == "unwritable") fail(paste0("the cache cannot be written: ", path), code = k_package_fails)
    if (answer != "no") unreachable(package$place, repository, answer)
  }
  NULL
}

fetch_url <- function(package, cache) {
  path <- cached_archive(cache, package$url, paste0(package$name, "-", package$sha, ".tar.gz"))
  if (file.exists(path)) return(list(path = path, version = package$version))
  tell("downloading ", package$name, " from ", package$source)
  answer <- download(package$url, path)
  if (isTRUE(answer)) return(list(path = path, version = package$version))
  shown <- without_password(sub("^([a-z]+://[^/]*).*", "\\1", package$url))
  if (answer == "unknown") {
    fail(paste0(package$place, ": ", package$name, " comes from ", package$source, ", and ", shown, " does not answer"),
         "try again where it can be reached, or lock a version from a repository", k_try_again)
  }
  fail(paste0(package$place, ": ", shown, " has no commit ", package$sha, " of ", package$name),
       "check that it is pushed; for a private one set GITHUB_PAT in transform.build.env")
}

# Unpacks an archive's DESCRIPTION: the record, and the folder in the archive that is the package.
read_archive <- function(package, path) {
  broken <- function() {
    unlink(path)
    fail(paste0(package$place, ": the archive of ", package$name, " is damaged"), "try again", k_try_again)
  }
  folder <- tempfile("archive")
  dir.create(folder)
  on.exit(unlink(folder, recursive = TRUE))
  inside <- package$name
  if (!is.null(package$url)) {
    entries <- suppressWarnings(tryCatch(utils::untar(path, list = TRUE, tar = "tar"), error = function(e) character()))
    sub_folder <- if (is.null(package$subfolder)) "" else paste0(package$subfolder, "/")
    found <- grep(paste0("^[^/]+/\\Q", sub_folder, "\\EDESCRIPTION$"), entries, value = TRUE, perl = TRUE)
    if (!length(found)) fail(paste0(package$place, ": ", package$name, " has no DESCRIPTION there"))
    inside <- dirname(found[1])
  }
  status <- suppressWarnings(utils::untar(path, file.path(inside, "DESCRIPTION"), exdir = folder, tar = "tar",
                                          extras = "2>/dev/null"))
  file <- file.path(folder, inside, "DESCRIPTION")
  if (status != 0 || !file.exists(file)) broken()
  record <- tryCatch(read.dcf(file)[1, ], error = function(e) broken())
  if (!identical(unname(record["Package"]), package$name)) {
    fail(paste0(package$place, ": the archive of ", package$name, " holds ", record["Package"]))
  }
  list(record = record, inside = inside)
}
