# What a CI system runs for this builder (sh ci.sh): checks the folder on the CI's machine, builds the image and checks it.
# ENGINE is podman or docker; JUnit XML reports are written to REPORTS.
set -eu
cd "$(dirname "$0")"
engine=${ENGINE:-podman}
reports=${REPORTS:-$(mktemp -d)}
pachbuild builder test . --junit "$reports/folder.xml"
"$engine" build -t ruby-builder:1 .
pachbuild builder test ruby-builder:1 --runtime "$engine" --junit "$reports/image.xml"
