# SPDX-License-Identifier: Apache-2.0
# How the installer speaks: progress and errors go to standard error, in the form that builder-runtime has for its own.

# The exit codes of builder-runtime that say whose fault it was.
k_package_fails <- 1L   # a package does not install
k_manifest_wrong <- 65L # the manifest asks for what cannot be
k_tool_missing <- 69L   # the image lacks something
k_try_again <- 75L      # a repository does not answer

fail <- function(what, hint = NULL, code = k_manifest_wrong) {
  text <- paste0("error: ", what)
  if (!is.null(hint)) text <- c(text, paste0("hint: ", hint))
  writeLines(text, stderr())
  quit(save = "no", status = code)
}

tell <- function(...) writeLines(paste0(...), stderr())

# URLs of repositories may carry a password.
without_password <- function(url) sub("://[^/@]*@", "://***@", url)

both <- function(words) paste(words, collapse = ", ")
