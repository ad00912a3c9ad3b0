#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the build pipeline starts (sh ./build.sh): /pfs/source is built into /pfs/out, as builder.toml says.
exec builder-runtime --builder /app
