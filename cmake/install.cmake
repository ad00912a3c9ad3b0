# What `cmake --install` puts beside the programs. The documents keep their places, with all that they link to.
install(FILES README.md ARCHITECTURE.md CHANGELOG.md CONTRIBUTING.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY etc/pipeline-build DESTINATION ${CMAKE_INSTALL_DOCDIR}/etc)
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR} USE_SOURCE_PERMISSIONS)
install(FILES scripts/completions/pachbuild.bash
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME pachbuild)
install(FILES scripts/completions/pachbuild.zsh
        DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions RENAME _pachbuild)
install(FILES scripts/completions/pachbuild.fish
        DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
# The declared builders, where the programs look for them.
foreach(description IN LISTS descriptions)
  get_filename_component(folder ${description} DIRECTORY)
  install(DIRECTORY ${folder} DESTINATION ${CMAKE_INSTALL_DATADIR}/pachbuild/builders USE_SOURCE_PERMISSIONS)
endforeach()
