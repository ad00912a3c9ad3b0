# The Debian package, which scripts/package makes with cpack from the files that it has collected.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME ${PROJECT_NAME})
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_VENDOR "pachbuild maintainers")
set(CPACK_PACKAGE_CONTACT "pachbuild maintainers")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "edit a source file, see a Pachyderm pipeline's output")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES OFF) # a release is stripped by the linker already

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
  "Runs the pipelines of Pachyderm on this machine from source: it builds the
Python or Go program of a pipeline once, runs it for every datum as a worker
of a cluster would, and runs only what an edit has changed. It submits the
same pipelines to a cluster, without an image being built.
.
Python programs with packages need uv as well, which Debian does not have:
pipx install uv.")

# The programs are static: they need no library, and each of these only for some pipelines.
# python3: runs Python pipelines; nearly every installation has one.
# ca-certificates: Go downloads modules over HTTPS and trusts only these authorities.
# git: dependencies and versions that come from a Git repository, and Go modules without a proxy.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "python3 (>= 3.8), ca-certificates, git")
# golang-go: Go pipelines (the builder asks for no Debian version: the module says which Go it needs).
# gcc, libc6-dev: packages without a wheel, and Go programs with C in them.
# podman, docker.io: pachbuild run --runtime. jsonnet: --jsonnet. curl: pachbuild doctor --network.
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "golang-go, gcc, libc6-dev, podman | docker.io, jsonnet, curl")
include(CPack)
