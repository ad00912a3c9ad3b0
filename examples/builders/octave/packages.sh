# packages.sh FOLDER: what is in packages/ and classes/ gets the names that Octave looks for and PFS cannot store:
# packages/stats/robust/f.m becomes +stats/+robust/f.m, classes/table/get.m becomes @table/get.m. Starts in the source.
set -eu
tree=$1
find packages classes -type f -name '*.m' 2>/dev/null | while IFS= read -r file; do
  case $file in
    packages/*/*) to=$(printf '%s' "${file#packages/}" | sed 's,\([^/]*\)/,+\1/,g') ;;
    classes/*/*) to=@${file#classes/} ;;
    *)
      echo "error: $file: is in no package or class" >&2
      echo "hint: move it into ${file%/*}/NAME/" >&2
      exit 65
      ;;
  esac
  mkdir -p "$tree/${to%/*}"
  cp "$file" "$tree/$to"
done
