# A field may be in quotes, and have commas in them then.
function split_record(record, fields,    number, character, quoted, text, place) {
  number = 0
  text = ""
  quoted = 0
  for (place = 1; place <= length(record); place++) {
    character = substr(record, place, 1)
    if (character == "\"") {
      if (quoted && substr(record, place + 1, 1) == "\"") { text = text "\""; place++ }
      else quoted = !quoted
    }
    else if (character == "," && !quoted) { fields[++number] = text; text = "" }
    else text = text character
  }
  fields[++number] = text
  return number
}

{ sub(/\r$/, "") }
NR == 1 { count = split_record($0, names); next }
$0 == "" { next }
{
  split_record($0, fields)
  for (column = 1; column <= count; column++) {
    if (fields[column] == "") continue
    values[column]++
    if (!((column, fields[column]) in seen)) { seen[column, fields[column]]; different[column]++ }
  }
}
END {
  for (column = 1; column <= count; column++) printf "%s\t%d\t%d\n", names[column], values[column], different[column]
}
