# cmake -D SOURCE=… -D FILE=… -P commit.cmake: writes the C++ file FILE with the commit and its day, and a '+' where
# the code was changed since. Empty without git, or where SOURCE is not the top folder of a checkout.
set(text "")
# In a hook these name another repository.
unset(ENV{GIT_DIR})
unset(ENV{GIT_WORK_TREE})
unset(ENV{GIT_INDEX_FILE})
set(ENV{TZ} UTC)
if(EXISTS ${SOURCE}/.git)
  execute_process(
    COMMAND git -C ${SOURCE} log -1 "--format=%H %cd" --date=format-local:%Y-%m-%d
    OUTPUT_VARIABLE answer RESULT_VARIABLE result ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(result EQUAL 0 AND answer MATCHES "^([0-9a-f]+) ([-0-9]+)$")
    # Not what git thinks is short enough to be unique: that depends on what else a clone has.
    string(SUBSTRING ${CMAKE_MATCH_1} 0 7 commit)
    set(day ${CMAKE_MATCH_2})
    # Only what the programs are made of: an edited example or document leaves them as they are.
    execute_process(
      COMMAND git -C ${SOURCE} diff --quiet HEAD -- CMakeLists.txt cmake libs builder-runtime worker-shim pachbuild
      RESULT_VARIABLE changed ERROR_QUIET)
    if(changed EQUAL 1)
      string(APPEND commit "+")
    endif()
    set(text "${commit} ${day}")
  endif()
endif()
set(content "#include \"about/commit.h\"\n\nconst char* const about::k_commit = \"${text}\";\n")
if(EXISTS ${FILE})
  file(READ ${FILE} known)
endif()
if(NOT content STREQUAL "${known}")
  file(WRITE ${FILE} "${content}")
endif()
