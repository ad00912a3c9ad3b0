# SPDX-License-Identifier: Apache-2.0
# Reads JSON without a package, since a bare R has none, and knows the line of each key.

k_token <- '"[^"\\\\]*+(?:\\\\.[^"\\\\]*+)*+"|[][{}:,]|[^][{}:,"\\s]++|"'

# Objects become lists with names and an attribute "lines", arrays lists without, null becomes NULL in neither: NA.
read_json <- function(path, name) {
  text <- paste(readLines(path, warn = FALSE, encoding = "UTF-8"), collapse = "\n")
  at <- gregexpr(k_token, text, perl = TRUE, useBytes = TRUE)[[1]]
  if (at[1] < 0) fail(paste0(name, ": the file is empty"))
  tokens <- regmatches(text, list(at))[[1]]
  Encoding(tokens) <- "UTF-8"
  newlines <- gregexpr("\n", text, fixed = TRUE, useBytes = TRUE)[[1]]
  lines <- findInterval(as.integer(at), newlines[newlines > 0]) + 1L
  next_token <- 1L

  broken <- function() {
    line <- if (next_token > length(lines)) lines[length(lines)] else lines[next_token]
    fail(paste0(name, ":", line, ": invalid JSON"), "restore the file, or regenerate it with its tool")
  }
  peek <- function() if (next_token > length(tokens)) broken() else tokens[next_token]
  take <- function() {
    token <- peek()
    next_token <<- next_token + 1L
    token
  }
  expect <- function(token) if (identical(peek(), token)) take() else broken()
  # Elements until the closing token, with commas between them.
  each <- function(close, read_element) {
    if (identical(peek(), close)) return(take())
    repeat {
      read_element()
      if (identical(peek(), close)) return(take())
      expect(",")
    }
  }
  read_string <- function() {
    token <- peek()
    if (!startsWith(token, "\"") || nchar(token, "bytes") < 2) broken()
    take()
    unescape_json(substr(token, 2, nchar(token) - 1))
  }
  read_object <- function(depth) {
    object <- list()
    places <- integer()
    each("}", function() {
      places[length(places) + 1L] <<- lines[next_token]
      key <- read_string()
      expect(":")
      object[length(object) + 1L] <<- list(read_value(depth + 1L))
      names(object)[length(object)] <<- key
    })
    structure(object, lines = places)
  }
  read_array <- function(depth) {
    array <- list()
    each("]", function() array[length(array) + 1L] <<- list(read_value(depth + 1L)))
    array
  }
  read_value <- function(depth) {
    if (depth > 50L) broken()
    token <- peek()
    if (startsWith(token, "\"")) return(read_string())
    if (identical(token, "{")) {
      take()
      return(read_object(depth))
    }
    if (identical(token, "[")) {
      take()
      return(read_array(depth))
    }
    value <- switch(token, true = TRUE, false = FALSE, null = NA, suppressWarnings(as.numeric(token)))
    if (is.na(value) && token != "null") broken()
    take()
    value
  }
  value <- read_value(0L)
  if (next_token <= length(tokens)) broken()
  value
}

unescape_json <- function(text) {
  if (!grepl("\\", text, fixed = TRUE)) return(text)
  pieces <- regmatches(text, gregexpr("\\\\u[0-9A-Fa-f]{4}|\\\\.|[^\\\\]+", text, perl = TRUE))[[1]]
  named <- c("\\n" = "\n", "\\t" = "\t", "\\r" = "\r", "\\b" = "\b", "\\f" = "\f")
  unescape <- function(piece) {
    if (!startsWith(piece, "\\")) return(piece)
    if (nchar(piece) == 6L) return(intToUtf8(strtoi(substr(piece, 3, 6), 16L)))
    if (piece %in% names(named)) named[[piece]] else substr(piece, 2, 2)
  }
  paste(vapply(pieces, unescape, ""), collapse = "")
}
