% The probe of `pachbuild builder test`; docs/authoring-builders.md says what it does.
words = argv();
switch words{1}
  case "arguments"
    out = fopen("/pfs/out/arguments", "wb");
    for i = 2:numel(words)
      fwrite(out, [words{i} "\0"]);
    end
    fclose(out);
  case "exit"
    exit(str2double(words{2}));
  case "signal"
    % Octave catches signals and would end with exit code 1. exec leaves them blocked until sh has waited for a child.
    exec("sh", {"-c", ["sleep 0; kill -s " words{2} " $$"]});
end
