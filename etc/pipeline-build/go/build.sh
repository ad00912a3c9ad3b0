#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the build pipeline starts (sh ./build.sh): /pfs/source is built into /pfs/out.
exec builder-runtime --language go
