# The probe of `pachbuild builder test`; docs/authoring-builders.md says what it does.
kind, *words = ARGV
case kind
when "arguments"
  File.open("/pfs/out/arguments", "wb") { |out| words.each { |word| out << word << "\0" } }
when "exit" then exit words[0].to_i
when "signal" then Process.kill(words[0].to_i, $$)
end
