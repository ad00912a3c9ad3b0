# The columns of a table of which every value is a number or absent.
numeric_columns <- function(path) {
  table <- read.csv(path, check.names = FALSE, stringsAsFactors = FALSE)
  table[vapply(table, is.numeric, NA)]
}
