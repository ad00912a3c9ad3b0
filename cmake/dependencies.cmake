# The libraries that we build on, from the distribution. PACHBUILD_STATIC prefers their archives.
if(PACHBUILD_STATIC)
  set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
  set(Boost_USE_STATIC_LIBS ON)
  set(OPENSSL_USE_STATIC_LIBS ON)
endif()

find_package(Boost 1.74 REQUIRED COMPONENTS filesystem)
find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto)
find_package(tl-expected 1.0 REQUIRED)
find_package(Threads REQUIRED)

# These come without a usable CMake package on Debian 12 (or with one that knows the shared library only).
function(pachbuild_find_library name library header)
  find_library(PACHBUILD_${name}_LIBRARY NAMES ${library} REQUIRED)
  find_path(PACHBUILD_${name}_INCLUDE NAMES ${header} REQUIRED)
  add_library(external::${name} INTERFACE IMPORTED)
  target_link_libraries(external::${name} INTERFACE ${PACHBUILD_${name}_LIBRARY})
  target_include_directories(external::${name} SYSTEM INTERFACE ${PACHBUILD_${name}_INCLUDE})
endfunction()
# Its headers are all that is needed; Debian's package would link the shared library, which a static program cannot.
find_path(PACHBUILD_toml_INCLUDE NAMES toml++/toml.h REQUIRED)
add_library(external::toml INTERFACE IMPORTED)
target_include_directories(external::toml SYSTEM INTERFACE ${PACHBUILD_toml_INCLUDE})
pachbuild_find_library(zstd zstd zstd.h)
pachbuild_find_library(archive archive archive.h)
# For a library of ours that is declared everywhere, though not built where worker-shim is all that is wanted.
find_package(nlohmann_json 3.11 REQUIRED)
if(PACHBUILD_SHIM_ONLY)
  return()
endif()
find_package(fmt 9 REQUIRED)
find_package(spdlog 1.10 REQUIRED)
# Compiling spdlog's and fmt's headers takes longer than any file of ours, but only a static program has to: Debian
# has no archives of them. (Its header-only spdlog links the shared fmt all the same, hence the change.)
if(PACHBUILD_STATIC)
  set_target_properties(spdlog::spdlog_header_only PROPERTIES
    INTERFACE_LINK_LIBRARIES "Threads::Threads;fmt::fmt-header-only")
  add_library(external::spdlog ALIAS spdlog::spdlog_header_only)
else()
  add_library(external::spdlog ALIAS spdlog::spdlog)
endif()
find_package(CLI11 2.1 REQUIRED)
pachbuild_find_library(yaml yaml-cpp yaml-cpp/yaml.h)
