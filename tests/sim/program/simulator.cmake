# kms-sim (docs/SIMULATOR.md): the simulator as a program. What it is made of is optimised, since it is run for hours.
# kms-sim-broken: the same, but single checks of dkg/ and node/ can be taken out (dkg/break.h).
file(GLOB sim_sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/sim/program/*.cpp)
list(APPEND sim_sources ${CMAKE_CURRENT_SOURCE_DIR}/sim/world.cpp ${CMAKE_CURRENT_SOURCE_DIR}/sim/disk.cpp
  ${CMAKE_CURRENT_SOURCE_DIR}/sim/checkers.cpp ${CMAKE_CURRENT_SOURCE_DIR}/sim/ceremony_machine.cpp
  ${CMAKE_CURRENT_SOURCE_DIR}/sim/node_machine.cpp)
# The one file of the two programs that differs.
set(sim_controls_source ${CMAKE_CURRENT_SOURCE_DIR}/sim/program/controls.cpp)
list(REMOVE_ITEM sim_sources ${sim_controls_source})
add_library(kms_simulator OBJECT ${sim_sources})
target_link_libraries(kms_simulator PUBLIC kms_node Boost::json Threads::Threads)
target_precompile_headers(kms_simulator REUSE_FROM kms_base)
kms_merge(kms_simulator)

function(kms_simulator name)
  add_executable(${name} ${sim_controls_source} $<TARGET_OBJECTS:kms_simulator> ${ARGN})
  target_link_options(${name} PRIVATE -Wl,--wrap=secp256k1_ec_pubkey_parse -Wl,--wrap=secp256k1_ec_pubkey_tweak_mul
    -Wl,--wrap=secp256k1_ecdsa_recover)
  target_precompile_headers(${name} REUSE_FROM kms_base)
  kms_merge(${name})
endfunction()

kms_simulator(kms-sim)
target_link_libraries(kms-sim PRIVATE kms_node Boost::json Threads::Threads)

# Files that ask what is taken out; the others are those of the libraries: the linker takes no file from an archive that
# defines what it has already. A merged archive has more in it than one file: there all files are compiled again, those of
# a folder in bunches.
if(KMS_SIM_CONTROLS)
  set(broken_sources)
  foreach(folder dkg node node/delegation)
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cpp)
    set(count 0)
    foreach(source ${sources})
      file(STRINGS ${source} asks REGEX "is_broken")
      if(asks OR KMS_MERGE)
        list(APPEND broken_sources ${source})
        math(EXPR bunch "${count} / 16")
        math(EXPR count "${count} + 1")
        string(MAKE_C_IDENTIFIER "broken_${folder}_${bunch}" group)
        set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${group})
      endif()
    endforeach()
  endforeach()
  kms_simulator(kms-sim-broken ${broken_sources})
  if(KMS_MERGE)
    set_target_properties(kms-sim-broken PROPERTIES UNITY_BUILD_MODE GROUP)
    target_link_libraries(kms-sim-broken PRIVATE kms_registry kms_net Boost::json tomlplusplus::tomlplusplus
      Threads::Threads)
  else()
    target_link_libraries(kms-sim-broken PRIVATE kms_node Boost::json Threads::Threads)
  endif()
  target_compile_definitions(kms-sim-broken PRIVATE KMS_SIM_BROKEN)
endif()

# The same seeds each time; .ci/run adds 300 that no commit had before. Sanitizers make them ten times slower.
set(sim_runs 80)
set(sim_seconds 30)
if(KMS_SANITIZE)
  set(sim_runs 40)
  set(sim_seconds 20)
endif()
add_test(NAME kms_sim COMMAND kms-sim --runs ${sim_runs} --seed 1 --threads 1 --for ${sim_seconds})
add_test(NAME kms_sim_attacks COMMAND kms-sim --attack all --runs 3 --seed 1 --members 4..7 --threads 1 --for 1)
add_test(NAME kms_sim_regressions COMMAND kms-sim --replay ${CMAKE_CURRENT_SOURCE_DIR}/sim/regressions.txt)
add_test(NAME kms_sim_golden COMMAND kms-sim --golden ${CMAKE_CURRENT_SOURCE_DIR}/sim/golden)
add_test(NAME kms_sim_exhaustive COMMAND kms-sim --exhaustive --threads 1)
add_test(NAME kms_sim_repeats COMMAND ${CMAKE_COMMAND} -DSIMULATOR=$<TARGET_FILE:kms-sim>
  -P ${CMAKE_CURRENT_SOURCE_DIR}/sim/program/repeats.cmake)
set(sim_tests kms_sim kms_sim_attacks kms_sim_exhaustive kms_sim_golden kms_sim_regressions kms_sim_repeats)
set(sim_controls)
if(KMS_SIM_CONTROLS)
  set(sim_controls t-traitors f-plus-one storage own-words erasure prekeys complaints partials entries nonces)
endif()
foreach(control ${sim_controls})
  add_test(NAME kms_sim_control_${control} COMMAND kms-sim-broken --break ${control} --runs 12 --seed 1 --members 4..7 --threads 1)
  list(APPEND sim_tests kms_sim_control_${control})
endforeach()
set_tests_properties(${sim_tests} PROPERTIES TIMEOUT 900)
# What they would show about memory, kms_sim shows.
list(REMOVE_ITEM sim_tests kms_sim kms_sim_golden kms_sim_regressions kms_sim_repeats)
set_tests_properties(${sim_tests} PROPERTIES LABELS release_only)
