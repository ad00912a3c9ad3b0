# How every target of ours is compiled and linked.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

add_library(pachbuild_options INTERFACE)
target_compile_options(pachbuild_options INTERFACE
  -Wall -Wextra -Wno-missing-field-initializers -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast
  # GCC 12 sees overlapping copies in its own std::string when it optimises (GCC bug 105651).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  $<$<BOOL:${PACHBUILD_WERROR}>:-Werror>
  # What a public build would contain of this machine's paths, and code that no one calls.
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.
  -ffunction-sections -fdata-sections
  $<$<BOOL:${PACHBUILD_STATIC}>:-fPIE>)
target_link_options(pachbuild_options INTERFACE -Wl,--gc-sections)
target_compile_definitions(pachbuild_options INTERFACE
  PACHBUILD_VERSION="${PROJECT_VERSION}"
  BOOST_ALL_NO_LIB
  # Boost.Process 1.74 includes Asio code that this silences.
  BOOST_ASIO_DISABLE_DEPRECATED_MSG)
if(PACHBUILD_SANITIZE)
  # Without four checks of the undefined-behaviour sanitizer that half of the build's time goes to: what three of them
  # find (null pointers, objects that are too small) the address sanitizer reports as well, and the processors we build
  # for read unaligned.
  target_compile_options(pachbuild_options INTERFACE
    -fsanitize=${PACHBUILD_SANITIZE} -fno-sanitize=null,object-size,vptr,alignment
    -fno-sanitize-recover=all -fno-omit-frame-pointer)
  # Both link in half the time of bfd; gold comes with it, yet warns about clang's symbols.
  target_link_options(pachbuild_options INTERFACE -fsanitize=${PACHBUILD_SANITIZE}
    -fuse-ld=$<IF:$<CXX_COMPILER_ID:GNU>,gold,lld>)
endif()

# A library of ours: everything of a program but its main() is one, so that tests link it.
# Headers are included as "folder/name.h", from the folder above.
function(pachbuild_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/..)
  target_link_libraries(${name} PUBLIC ${ARG_PUBLIC} PRIVATE pachbuild_options ${ARG_PRIVATE})
  set_property(GLOBAL APPEND PROPERTY PACHBUILD_LIBRARIES ${name})
  # What nearly every file includes is compiled once for all, and so is JSON for those that use it. The preset tsan does
  # without, so that an #include that is missing shows.
  set(precompiled <boost/filesystem/operations.hpp> <map> <memory> <optional> <string> <string_view> <tl/expected.hpp>
    <vector>)
  if(name STREQUAL base)
    target_precompile_headers(base PRIVATE ${precompiled})
  elseif(name STREQUAL build_record)
    target_precompile_headers(build_record PRIVATE ${precompiled} <nlohmann/json.hpp>)
  elseif("nlohmann_json::nlohmann_json" IN_LIST ARG_PRIVATE)
    target_precompile_headers(${name} REUSE_FROM build_record)
  else()
    target_precompile_headers(${name} REUSE_FROM base)
  endif()
endfunction()

# A program: one main.cpp over its library, stripped of debug data when it is a release.
# A release is static, and position-independent, with which comes the table that the handlers of exceptions are found by:
# without it the first exception sorts all entries of the program, for 2 to 7 ms. FIXED: at a fixed address, for a program that
# throws nothing and starts 0.05 ms sooner.
function(pachbuild_program name)
  cmake_parse_arguments(ARG "FIXED" "" "SOURCES;PRIVATE" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE pachbuild_options ${ARG_PRIVATE})
  if(PACHBUILD_STATIC)
    set(static -static-pie)
    if(ARG_FIXED)
      set(static -static)
    endif()
    # The map names what was linked in, for images/linked.py.
    target_link_options(${name} PRIVATE ${static} -s -Wl,-Map=${CMAKE_BINARY_DIR}/${name}.map)
  endif()
  install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()
