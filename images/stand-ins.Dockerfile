# What stands in for the public images where nothing can be pulled (scripts/images --from-apt): what our Dockerfiles need of
# these, over a Debian that debootstrap has made. Its context is a folder with Go's folder in it.
ARG DEBIAN_IMAGE
FROM ${DEBIAN_IMAGE} AS python
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates python3 python3-pip \
 && rm -rf /var/lib/apt/lists/*

FROM ${DEBIAN_IMAGE} AS go
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates gcc git libc6-dev \
 && rm -rf /var/lib/apt/lists/*
COPY go /usr/local/go
ENV GOPATH=/go GOTOOLCHAIN=local \
    PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

FROM ${DEBIAN_IMAGE} AS shell

FROM ${DEBIAN_IMAGE} AS r
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates g++ gcc gfortran make r-base-core r-cran-jsonlite \
 && rm -rf /var/lib/apt/lists/*

FROM ${DEBIAN_IMAGE} AS node
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates g++ make nodejs npm python3 \
 && rm -rf /var/lib/apt/lists/*

FROM ${DEBIAN_IMAGE} AS rust
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates cargo gcc libc6-dev rustc \
 && rm -rf /var/lib/apt/lists/*
