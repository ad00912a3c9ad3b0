# compile.sh FOLDER JOBS TEMPORARY FLAGS: makes FOLDER/NAME.oct or NAME.mex of each src/NAME.{cc,cpp,c} that defines a
# function for Octave; sources that define none are linked into each of them. Starts in the folder of src.
set -eu
export TREE="$1" FLAGS="$4"
jobs=$2 functions=$3/functions
shift 4

mkdir -p "$TREE"
: > "$functions"
for file in src/*.cc src/*.cpp src/*.c; do
  [ -f "$file" ] || continue
  if grep -qE '\b(DEFUN_DLD|DEFMETHOD_DLD|mexFunction)\b' "$file"; then
    printf '%s\0' "$file" >> "$functions"
  else
    set -- "$@" "$file"
  fi
done
[ -s "$functions" ] || exit 0

# Of its arguments the last one is the function's file, and the others are linked into it.
xargs -0 -a "$functions" -n 1 -P "$jobs" sh -euc '
  for file; do :; done
  name=${file##*/}
  name=${name%.*}
  if grep -q "\bmexFunction\b" "$file"; then
    mkoctfile --mex -s -g0 -Isrc $FLAGS -o "$TREE/$name.mex" "$@"
  else
    mkoctfile -s -g0 -Isrc $FLAGS -o "$TREE/$name.oct" "$@"
  fi' sh "$@" || exit 1
