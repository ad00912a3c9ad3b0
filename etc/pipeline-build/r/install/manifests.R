# SPDX-License-Identifier: Apache-2.0
# What a source asks for: renv.lock, DESCRIPTION, a list of packages, or an R script that calls install.packages.

k_name <- "[A-Za-z][A-Za-z0-9.]*"
k_version <- "[0-9]+([.-][0-9]+)*"

# A package that is asked for: any version, at least one (operator ">="), or just one ("==").
wanted <- function(name, place, operator = NA, version = NA, ...) {
  list(name = name, place = place, operator = operator, version = version, source = "Repository", ...)
}

# Gives `packages` (by name), the `repositories` in which to look, and whether the list is `locked`: complete.
read_manifest <- function(source_folder, manifest) {
  path <- file.path(source_folder, manifest)
  request <- switch(sub(".*[.]", "", basename(manifest)),
                    lock = read_lock(path, manifest), txt = read_list(path, manifest), R = read_script(path, manifest),
                    read_description(path, manifest))
  names(request$packages) <- vapply(request$packages, function(package) package$name, "")
  twice <- names(request$packages)[duplicated(names(request$packages))]
  for (name in unique(twice)) request$packages <- merge_requests(request$packages, name)
  request
}

# One package, asked for in several places: the one that says most.
merge_requests <- function(packages, name) {
  same <- packages[names(packages) == name]
  exact <- unique(vapply(Filter(function(p) identical(p$operator, "=="), same), function(p) p$version, ""))
  if (length(exact) > 1) {
    fail(paste0(same[[2]]$place, ": ", name, " is requested as ", both(exact)), "keep one of the versions")
  }
  best <- order(!vapply(same, function(p) identical(p$operator, "=="), NA), vapply(same, function(p) is.na(p$operator), NA))[1]
  c(packages[names(packages) != name], same[best])
}

check_r <- function(place, operator, version) {
  if (is.na(operator) || compare(as.character(getRversion()), operator, version)) return(invisible())
  # In the words and with the code of builder-runtime, which compares the R of renv.lock.
  fail(paste0(place, ": needs R ", operator, " ", version, "; ", Sys.which("R"), " is ", getRversion()),
       paste("install a version that fits, build in an image that has one, or change", sub(":.*", "", place)), k_tool_missing)
}

compare <- function(version, operator, wanted_version) {
  order <- utils::compareVersion(version, wanted_version)
  switch(operator, ">=" = order >= 0, "==" = order == 0, ">" = order > 0, "<" = order < 0, "<=" = order <= 0, "!=" = order != 0,
         FALSE)
}

# "a, b (>= 1.0)": name, operator and version of each, as the fields of a DESCRIPTION have them.
read_requirements <- function(text) {
  text <- as.character(text[!is.na(text)])
  items <- trimws(unlist(strsplit(text, ",", fixed = TRUE)))
  lapply(items[nzchar(items)], function(item) {
    form <- paste0("^(", k_name, ")\\s*(?:\\(\\s*(>=|<=|==|!=|>|<)\\s*(", k_version, ")\\s*\\))?$")
    parts <- regmatches(item, regexec(form, item, perl = TRUE))[[1]]
    if (!length(parts)) return(list(name = NA, text = item))
    list(name = parts[2], operator = if (nzchar(parts[3])) parts[3] else NA, version = if (nzchar(parts[4])) parts[4] else NA)
  })
}

site_repositories <- function(manifest) {
  variable <- Sys.getenv("CRAN")
  urls <- if (nzchar(variable)) c(CRAN = variable) else getOption("repos")
  urls[nzchar(urls) & urls != "@CRAN@"]
}

read_lock <- function(path, manifest) {
  lock <- read_json(path, manifest)
  if (!is.list(lock) || !is.list(lock$Packages)) {
    fail(paste0(manifest, ": has no Packages"), "regenerate it with renv::snapshot()")
  }
  repositories <- unlist(lapply(lock$R$Repositories, function(entry) structure(as.character(entry$URL), names = entry$Name)))
  override <- Sys.getenv("RENV_CONFIG_REPOS_OVERRIDE")
  if (nzchar(override)) repositories <- sub("^[A-Za-z0-9._-]+=", "", strsplit(override, "[ ,;]+")[[1]])
  bioconductor <- lock$Bioconductor$Version
  if (!is.null(bioconductor)) {
    mirror <- getOption("BioC_mirror", "https://bioconductor.org")
    parts <- c("bioc", "data/annotation", "data/experiment", "workflows")
    repositories <- c(repositories, structure(paste(mirror, "packages", bioconductor, parts, sep = "/"),
                                              names = paste0("Bioconductor ", bioconductor)[rep(1, 4)]))
  }
  places <- paste0(manifest, ":", attr(lock$Packages, "lines"))
  packages <- Map(function(record, place) read_locked(record, place, repositories), lock$Packages, places)
  list(packages = unname(packages), repositories = repositories, locked = TRUE, manifest = manifest)
}

# Where to get what is not in a repository: each kind of source gives the URL of an archive.
k_archive_of <- list(
  GitHub = function(record) sprintf("%s/repos/%s/%s/tarball/%s", host_of(record, "api.github.com"), record$RemoteUsername,
                                    record$RemoteRepo, record$RemoteSha),
  GitLab = function(record) {
    project <- utils::URLencode(paste(record$RemoteUsername, record$RemoteRepo, sep = "/"), reserved = TRUE)
    sprintf("%s/api/v4/projects/%s/repository/archive.tar.gz?sha=%s", host_of(record, "gitlab.com"), project, record$RemoteSha)
  })

host_of <- function(record, default) {
  host <- if (is.null(record$RemoteHost)) default else record$RemoteHost
  if (grepl("://", host, fixed = TRUE)) host else paste0("https://", host)
}

text_or_null <- function(value) if (is.character(value)) value

read_locked <- function(record, place, repositories) {
  name <- record$Package
  if (!is.character(name) || !grepl(paste0("^", k_name, "$"), name)) fail(paste0(place, ": invalid package name"))
  version <- record$Version
  if (!is.character(version) || !grepl(paste0("^", k_version, "$"), version)) {
    fail(paste0(place, ": ", name, " has no valid version"), "regenerate the lock file with renv::snapshot()")
  }
  kind <- record$Source
  if (is.null(kind)) kind <- "unknown"
  result <- wanted(name, place, "==", version, hash = text_or_null(record$Hash), repository = text_or_null(record$Repository))
  if (kind %in% c("Repository", "CRAN", "Bioconductor")) return(result)
  archive_of <- k_archive_of[[kind]]
  if (is.null(archive_of)) {
    fail(paste0(place, ": ", name, " comes from ", kind, ", which this builder cannot install"),
         "install it from a repository, GitHub or GitLab, and run renv::snapshot()")
  }
  sha <- record$RemoteSha
  if (!is.character(sha) || !grepl("^[0-9a-f]{7,64}$", sha) || is.null(record$RemoteRepo) || is.null(record$RemoteUsername)) {
    fail(paste0(place, ": ", name, " from ", kind, " has no RemoteUsername, RemoteRepo and RemoteSha"),
         "regenerate the lock file with renv::snapshot()")
  }
  result$source <- kind
  result$url <- archive_of(record)
  result$sha <- sha
  result$subfolder <- record$RemoteSubdir
  result
}

# A line is a package, or package==version, or package>=version; "#" begins a comment.
read_list <- function(path, manifest) {
  lines <- trimws(sub("#.*", "", readLines(path, warn = FALSE, encoding = "UTF-8")))
  packages <- list()
  for (number in which(nzchar(lines))) {
    form <- paste0("^(", k_name, ")(?:\\s*(==|>=)\\s*(", k_version, "))?$")
    parts <- regmatches(lines[number], regexec(form, lines[number], perl = TRUE))[[1]]
    place <- paste0(manifest, ":", number)
    if (!length(parts)) {
      fail(paste0(place, ": invalid requirement ", dQuote(lines[number])), "write a name, name==version or name>=version")
    }
    constraint <- if (nzchar(parts[3])) parts[3:4] else c(NA, NA)
    packages[[length(packages) + 1L]] <- wanted(parts[2], place, constraint[1], constraint[2])
  }
  list(packages = packages, repositories = site_repositories(manifest), locked = FALSE, manifest = manifest)
}

read_description <- function(path, manifest) {
  fields <- tryCatch(read.dcf(path), error = function(e) fail(paste0(manifest, ": ", conditionMessage(e))))
  if (nrow(fields) != 1) fail(paste0(manifest, ": must be one record, without empty lines between its fields"))
  field <- function(name) if (name %in% colnames(fields)) fields[1, name] else NA
  lines <- readLines(path, warn = FALSE)
  place_of <- function(pattern) {
    line <- grep(pattern, lines, perl = TRUE)
    if (length(line)) paste0(manifest, ":", line[1]) else manifest
  }
  if (!is.na(field("Remotes"))) {
    fail(paste0(place_of("^Remotes:"), ": Remotes is for packages outside of repositories"),
         "lock their versions with renv::snapshot(); this builder installs what renv.lock says")
  }
  packages <- list()
  for (item in read_requirements(c(field("Depends"), field("Imports"), field("LinkingTo")))) {
    if (is.na(item$name)) fail(paste0(manifest, ": invalid requirement ", dQuote(item$text)))
    place <- place_of(paste0("(?<![A-Za-z0-9.])\\Q", item$name, "\\E(?![A-Za-z0-9.])"))
    if (item$name == "R") check_r(place, item$operator, item$version)
    else packages[[length(packages) + 1L]] <- wanted(item$name, place, item$operator, item$version)
  }
  more <- field("Additional_repositories")
  repositories <- c(site_repositories(manifest), if (!is.na(more)) trimws(strsplit(more, ",", fixed = TRUE)[[1]]))
  list(packages = packages, repositories = repositories, locked = FALSE, manifest = manifest)
}

# An R script that installs packages is read and never run: its calls of install.packages have to name them.
read_script <- function(path, manifest) {
  parsed <- tryCatch(parse(path, keep.source = TRUE, encoding = "UTF-8"),
                     error = function(e) fail(paste0(manifest, sub("^[^:]*", "", strsplit(conditionMessage(e), "\n")[[1]][1]))))
  packages <- list()
  repositories <- site_repositories(manifest)
  known <- list()  # variables that hold names
  place <- manifest

  # The names that an expression stands for; of a selection (x[…], setdiff(x, y)) all that it selects from.
  names_in <- function(expression) {
    if (is.character(expression)) return(expression)
    if (is.symbol(expression)) return(known[[as.character(expression)]])
    if (!is.call(expression)) return(NULL)
    what <- as.character(expression[[1]])[1]
    if (what == "c") {
      parts <- lapply(as.list(expression)[-1], names_in)
      return(if (any(vapply(parts, is.null, NA))) NULL else unlist(parts, use.names = FALSE))
    }
    if (what %in% c("[", "setdiff", "(", "unique", "sort")) names_in(expression[[2]])
  }
  add <- function(names, version = NULL) {
    for (name in names) {
      if (!grepl(paste0("^", k_name, "$"), name)) fail(paste0(place, ": invalid package name ", dQuote(name)))
      packages[[length(packages) + 1L]] <<-
        if (is.null(version)) wanted(name, place) else wanted(name, place, "==", version)
    }
  }
  unclear <- function(call) {
    fail(paste0(place, ": cannot tell which packages ", paste(deparse(call, 60)[1]), " installs without running it"),
         "name them as strings, or list them in packages.txt")
  }
  install_call <- function(call) {
    words <- tryCatch(match.call(function(pkgs, lib, repos, ...) NULL, call), error = function(e) call)
    names <- names_in(words$pkgs)
    if (is.null(names)) unclear(call)
    if (is.character(words$repos)) repositories <<- unique(c(words$repos, repositories))
    add(names)
  }
  visit <- function(expression) {
    if (!is.call(expression)) return(invisible())
    head <- expression[[1]]
    what <- if (is.call(head) && as.character(head[[1]]) %in% c("::", ":::")) as.character(head[[3]]) else as.character(head)[1]
    if (what %in% c("<-", "=") && is.symbol(expression[[2]])) {
      names <- names_in(expression[[3]])
      if (!is.null(names)) known[[as.character(expression[[2]])]] <<- names
    } else if (what == "for") {
      known[[as.character(expression[[2]])]] <<- names_in(expression[[3]])
    } else if (what == "install.packages") {
      return(install_call(expression))
    } else if (what == "install_version" && is.character(expression[[2]]) && length(expression) > 2 &&
               is.character(expression[[3]])) {
      return(add(expression[[2]], expression[[3]]))
    } else if (grepl("^install_(github|gitlab|git|bitbucket|url|bioc|svn|version)$", what)) {
      fail(paste0(place, ": ", what, " installs packages that are not in a repository"),
           "lock the versions with renv::snapshot(); this builder installs what renv.lock says")
    } else if (what %in% c("lapply", "sapply", "vapply", "walk") && length(expression) > 2 &&
               identical(expression[[3]], quote(install.packages))) {
      names <- names_in(expression[[2]])
      if (is.null(names)) unclear(expression)
      return(add(names))
    }
    for (part in as.list(expression)) if (!missing(part)) visit(part)
  }
  sources <- attr(parsed, "srcref")
  for (number in seq_along(parsed)) {
    place <- paste0(manifest, ":", sources[[number]][1])
    visit(parsed[[number]])
  }
  list(packages = packages, repositories = repositories, locked = FALSE, manifest = manifest)
}
