# The probe of `pachbuild builder test`; docs/authoring-builders.md says what it does.
words <- commandArgs(TRUE)
kind <- words[1]
words <- words[-1]
if (kind == "arguments") {
  file <- file("/pfs/out/arguments", "wb")
  for (word in words) {
    writeBin(charToRaw(word), file)
    writeBin(as.raw(0), file)
  }
  close(file)
} else if (kind == "exit") {
  quit(save = "no", status = as.integer(words))
} else {
  # R makes a condition of SIGINT; the program ends by it as shells tell it.
  tryCatch({
    tools::pskill(Sys.getpid(), as.integer(words))
    Sys.sleep(10)
  }, interrupt = function(condition) quit(save = "no", status = 130))
}
