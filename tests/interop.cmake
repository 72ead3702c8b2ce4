# A minute of chatter with js-libp2p peers: skipped without Node or without the js packages (tests/interop/chatter says
# how to get them).
if(KMS_PYTHON3 AND KMS_TESTS)
  add_test(NAME interop_chatter COMMAND ${KMS_PYTHON3} ${CMAKE_CURRENT_SOURCE_DIR}/interop/chatter --minutes 1)
  set_tests_properties(interop_chatter PROPERTIES TIMEOUT 300 RUN_SERIAL TRUE LABELS system SKIP_RETURN_CODE 77
    ENVIRONMENT "KMS_BIN_DIR=${CMAKE_RUNTIME_OUTPUT_DIRECTORY};PYTHONDONTWRITEBYTECODE=1")
endif()
