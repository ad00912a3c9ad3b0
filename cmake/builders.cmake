# In the build tree, as where they are installed: share/pachbuild/builders beside bin, with a link to each declared
# builder.
set(builders ${CMAKE_BINARY_DIR}/share/pachbuild/builders)
file(REMOVE_RECURSE ${builders})
file(MAKE_DIRECTORY ${builders})
file(GLOB descriptions CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/etc/pipeline-build/*/builder.toml)
foreach(description IN LISTS descriptions)
  get_filename_component(folder ${description} DIRECTORY)
  get_filename_component(name ${folder} NAME)
  file(CREATE_LINK ${folder} ${builders}/${name} SYMBOLIC)
endforeach()
