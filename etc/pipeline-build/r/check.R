# SPDX-License-Identifier: Apache-2.0
# Usage: Rscript check.R FILE…
# Parses each file, and prints FILE:LINE:COLUMN: FAULT for those that R cannot read.
Sys.setenv(LANGUAGE = "en")
fault <- function(file) tryCatch({
  parse(file, keep.source = FALSE, encoding = "UTF-8")
  NULL
}, error = function(e) strsplit(conditionMessage(e), "\n", fixed = TRUE)[[1]][1])
faults <- as.character(unlist(lapply(commandArgs(TRUE), fault)))
writeLines(faults)
quit(save = "no", status = length(faults) > 0)
