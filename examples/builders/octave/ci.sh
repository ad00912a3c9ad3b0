# What a CI system runs for this builder (sh ci.sh): checks the folder on the CI's machine, makes the image and checks that.
# ENGINE is podman or docker; the reports, JUnit's XML, are left in REPORTS.
set -eu
cd "$(dirname "$0")"
engine=${ENGINE:-podman}
reports=${REPORTS:-$(mktemp -d)}
pachbuild builder test . --junit "$reports/folder.xml"
"$engine" build -t octave-builder:1 .
pachbuild builder test octave-builder:1 --runtime "$engine" --junit "$reports/image.xml"
