# Fuzz targets of the glob and the spec parser; tests/fuzz/CMakeLists.txt includes this file.
#   cmake --preset fuzz && cmake --build --preset fuzz --target fuzz_glob fuzz_spec
#   build/fuzz/bin/fuzz_spec -max_total_time=60
foreach(library base glob pachbuild_spec)
  # So that the fuzzer sees which code an input reaches.
  target_compile_options(${library} PRIVATE -fsanitize=fuzzer-no-link)
endforeach()
foreach(subject glob spec)
  add_executable(fuzz_${subject} ${CMAKE_CURRENT_LIST_DIR}/${subject}_fuzz.cpp)
  target_link_libraries(fuzz_${subject} PRIVATE pachbuild_options)
  target_compile_options(fuzz_${subject} PRIVATE -fsanitize=fuzzer)
  target_link_options(fuzz_${subject} PRIVATE -fsanitize=fuzzer)
endforeach()
target_link_libraries(fuzz_glob PRIVATE glob)
target_link_libraries(fuzz_spec PRIVATE pachbuild_spec)
