# What the build pipeline starts in the image (sh ./build.sh): /pfs/source is built into /pfs/out, as builder.toml says.
exec builder-runtime --builder /app
