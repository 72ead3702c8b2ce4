# Compiler flags, ccache and the linker: everything that is the same for every target.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
# Where g++ 12 inlines much it sees uninitialised members in moved std::variants and overruns in std::vector::insert that
# are not there. The dev preset keeps these warnings; valgrind and the sanitizers look at the real thing.
set(KMS_FALSE_ALARMS -Wno-maybe-uninitialized -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread -Wno-restrict)
list(JOIN KMS_FALSE_ALARMS " " KMS_FALSE_ALARMS_TEXT)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG ${KMS_FALSE_ALARMS_TEXT}")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g")

find_program(KMS_CCACHE ccache)
if(KMS_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
    CCACHE_SLOPPINESS=pch_defines,time_macros ${KMS_CCACHE})
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)  # what ccache needs with precompiled headers
endif()
find_program(KMS_MOLD mold)
if(KMS_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# The compiler's own garbage collection is 4 to 8% of a build; half a gigabyte before the first is no matter where there
# is memory.
cmake_host_system_information(RESULT KMS_MEMORY_MIB QUERY TOTAL_PHYSICAL_MEMORY)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND KMS_MEMORY_MIB GREATER 7000)
  add_compile_options("SHELL:--param ggc-min-heapsize=524288")
endif()

add_compile_options(-Wall -Wextra -Wconversion -Wshadow -Wswitch -Werror -fno-omit-frame-pointer
  -fstack-protector-strong)
if(KMS_MERGE)
  # A pimpl of a type in an anonymous namespace is fine in a .cpp; a merged one looks like a header to the compiler.
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
endif()
add_compile_definitions(_GLIBCXX_ASSERTIONS KMS_VERSION="${PROJECT_VERSION}")
if(KMS_SANITIZE)
  # Reports need function and line; the rest of the debug information costs a third of the compile time.
  add_compile_options(-g1 -fsanitize=${KMS_SANITIZE} -fno-sanitize-recover=all
    "$<$<CXX_COMPILER_ID:GNU>:${KMS_FALSE_ALARMS}>")
  add_link_options(-fsanitize=${KMS_SANITIZE})
else()
  add_compile_definitions($<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
endif()
if(KMS_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
