# With js-libp2p peers, our p2p-peer in both roles: the self-test of the js harness, case by case, and a minute of chatter.
# Skipped without Node or without the js packages (tests/interop/run and chatter say how to get them).
if(KMS_TESTS)
  add_test(NAME interop_selftest COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/interop/run --installed)
  set_tests_properties(interop_selftest PROPERTIES TIMEOUT 300 RUN_SERIAL TRUE LABELS system SKIP_RETURN_CODE 77
    ENVIRONMENT "KMS_BIN_DIR=${CMAKE_RUNTIME_OUTPUT_DIRECTORY}")
endif()
if(KMS_PYTHON3 AND KMS_TESTS)
  add_test(NAME interop_chatter COMMAND ${KMS_PYTHON3} ${CMAKE_CURRENT_SOURCE_DIR}/interop/chatter --minutes 1)
  set_tests_properties(interop_chatter PROPERTIES TIMEOUT 300 RUN_SERIAL TRUE LABELS system SKIP_RETURN_CODE 77
    ENVIRONMENT "KMS_BIN_DIR=${CMAKE_RUNTIME_OUTPUT_DIRECTORY};PYTHONDONTWRITEBYTECODE=1")
endif()
