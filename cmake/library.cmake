# What nearly every file includes and what seldom changes, parsed once: a third of a clean build's time. The fuzz preset
# does without, so that a file which leaves out an include of its own does not go unnoticed.
set(KMS_COMMON_HEADERS <algorithm> <array> <chrono> <cstdint> <deque> <functional> <map> <memory> <optional> <set> <span>
  <string> <string_view> <utility> <variant> <vector> <boost/system/result.hpp> ${CMAKE_SOURCE_DIR}/base/bytes.h
  ${CMAKE_SOURCE_DIR}/base/result.h ${CMAKE_SOURCE_DIR}/base/time.h)

# kms_merge(TARGET): with KMS_MERGE, sixteen files are one translation unit, so that headers and their templates cost once
# for all of them: a clean build takes 40% less. Files of a target must not give one name in an anonymous namespace two
# meanings; only merged builds notice, and CI makes two.
function(kms_merge target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${KMS_MERGE} UNITY_BUILD_BATCH_SIZE 16)
endfunction()

# kms_library(NAME [DIR folder] DEPS libraries...): the library of all .cpp files directly in the folder.
# CONFIGURE_DEPENDS: a new file is picked up by the next build.
function(kms_library name)
  cmake_parse_arguments(ARG "" "DIR" "DEPS" ${ARGN})
  if(NOT ARG_DIR)
    set(ARG_DIR ${name})
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${ARG_DIR}/*.cpp)
  list(TRANSFORM ARG_DEPS REPLACE "^(base|base_io|crypto|crypto_io|net|net_io|p2p_peer|dkg|registry|node|node_delegation|node_io|sdk|sdk_io|cli|cli_io)$" "kms_\\1")
  if(sources)
    add_library(kms_${name} STATIC ${sources})
    target_include_directories(kms_${name} PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}>
      $<INSTALL_INTERFACE:include> $<INSTALL_INTERFACE:include/kms>)
    target_link_libraries(kms_${name} PUBLIC ${ARG_DEPS})
    if(name STREQUAL base)
      target_precompile_headers(kms_base PRIVATE ${KMS_COMMON_HEADERS})
    else()
      target_precompile_headers(kms_${name} REUSE_FROM kms_base)
    endif()
    # crypto/ stays as it is read: what the compiler may join across files is nothing to wonder about there.
    if(NOT name STREQUAL crypto)
      kms_merge(kms_${name})
    endif()
  else()
    add_library(kms_${name} INTERFACE)
    target_include_directories(kms_${name} INTERFACE ${CMAKE_SOURCE_DIR})
    target_link_libraries(kms_${name} INTERFACE ${ARG_DEPS})
  endif()
endfunction()

# kms_unoptimised(FILES...): what runs once, at the start, and costs the optimiser seconds. Paths below the calling folder.
function(kms_unoptimised)
  set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS "-O0;-U_FORTIFY_SOURCE" SKIP_PRECOMPILE_HEADERS ON)
endfunction()
