% check.m FILE…: parses each file without running it, and prints PATH:LINE:COLUMN: WORDS for each that is wrong.
function check_files(files)
  is_wrong = false;
  for i = 1:numel(files)
    try
      __parse_file__(files{i});
    catch fault
      is_wrong = true;
      fprintf(stderr, "%s:%s\n", files{i}, place_and_words(fault.message));
    end
  end
  exit(is_wrong);
end

% Of a message like
%   parse error near line 3 of file /pfs/source/main.m
%
%     syntax error
%
%   >>> x = (1
%              ^
function text = place_and_words(message)
  line = "1";
  column = 1;
  found = regexp(message, 'parse error near line (\d+)', "tokens", "once");
  if ! isempty(found), line = found{1}; end
  raw = strsplit(message, "\n");
  lines = strtrim(raw);
  said = lines(! cellfun(@isempty, lines) & cellfun(@isempty, regexp(lines, '^(parse error|>>>|\^)')));
  words = strjoin(said, " ");
  if isempty(words), words = "syntax error"; end
  at = find(strncmp(raw, ">>> ", 4), 1);
  if ! isempty(at)
    words = [words ": " strtrim(raw{at}(5:end))];
    if at < numel(raw) && any(raw{at + 1} == "^")
      column = max(1, find(raw{at + 1} == "^", 1) - 4);
    end
  end
  text = sprintf("%s:%d: %s", line, column, words);
end

check_files(argv());
