# Correlates the numeric columns of the tables in /pfs/tables.
source("numeric_columns.R")

for (path in list.files("/pfs/tables", full.names = TRUE)) {
  columns <- numeric_columns(path)
  found <- list()
  for (one in names(columns)) {
    for (other in setdiff(names(columns), c(one, names(found)))) {
      value <- suppressWarnings(cor(columns[[one]], columns[[other]], use = "pairwise.complete.obs"))
      if (!is.na(value)) found[[one]][[other]] <- value
    }
  }
  text <- jsonlite::toJSON(found, auto_unbox = TRUE, digits = 10, pretty = TRUE)
  writeLines(if (length(found)) text else "{}", file.path("/pfs/out", sub("[.]csv$", ".json", basename(path))))
}
