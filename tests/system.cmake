# End-to-end tests of real kms-node processes (tests/system/*_test.py), one entry a file. They run alone, since they
# wait for clocks, but for long ones that mostly wait and hold nobody to a second. Those that hold the node to seconds or
# megabytes, or are long, are `release_only`, which sanitizer runs leave out.
if(KMS_PYTHON3 AND KMS_TESTS)
  file(GLOB system_tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/system/*_test.py)
  foreach(test ${system_tests})
    get_filename_component(name ${test} NAME_WE)
    string(REGEX REPLACE "_test$" "" name ${name})
    set(labels system)
    if(name MATCHES "^(quorum|bad_input|reshare|soak|chaos|memory|dead_members|emergency|stale_disk|sdk_package)$")
      list(APPEND labels release_only)
    endif()
    add_test(NAME system_${name} COMMAND ${KMS_PYTHON3} ${test})
    set(alone TRUE)
    if(name MATCHES "^(dead_members|absent_member|emergency|soak|stale_disk|sdk_package)$")
      set(alone FALSE)
    endif()
    set_tests_properties(system_${name} PROPERTIES TIMEOUT 600 RUN_SERIAL ${alone} LABELS "${labels}"
      SKIP_RETURN_CODE 77
      ENVIRONMENT "KMS_BIN_DIR=${CMAKE_RUNTIME_OUTPUT_DIRECTORY};KMS_BUILD_DIR=${CMAKE_BINARY_DIR};PYTHONDONTWRITEBYTECODE=1")
  endforeach()
endif()
