# kms-sim (docs/SIMULATOR.md): the simulator as a program. What it is made of is optimised, since it is run for hours.
file(GLOB sim_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/sim/program/*.cpp)
list(APPEND sim_sources ${CMAKE_CURRENT_SOURCE_DIR}/sim/world.cpp ${CMAKE_CURRENT_SOURCE_DIR}/sim/disk.cpp
  ${CMAKE_CURRENT_SOURCE_DIR}/sim/checkers.cpp)
set_source_files_properties(${CMAKE_CURRENT_SOURCE_DIR}/sim/program/crypto_memo.cpp PROPERTIES
  SKIP_UNITY_BUILD_INCLUSION ON SKIP_PRECOMPILE_HEADERS ON)
set(sim_wraps -Wl,--wrap=secp256k1_ec_pubkey_parse -Wl,--wrap=secp256k1_ec_pubkey_tweak_mul -Wl,--wrap=secp256k1_ecdsa_recover)

add_executable(kms-sim ${sim_sources})
target_link_libraries(kms-sim PRIVATE kms_dkg Threads::Threads)
target_link_options(kms-sim PRIVATE ${sim_wraps})
target_precompile_headers(kms-sim REUSE_FROM kms_base)
