#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Starts the artifact in /pfs/build with all arguments as they are. Every artifact has a run.sh of its own, which
# builder-runtime writes; this one is for starting it by hand in this image.
exec worker-shim "$@"
