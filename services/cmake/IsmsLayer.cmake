# The targets this project is made of, each with the same rules.
#
# A layer sees the headers of the layers it names under USES and of those below them, and no others: every
# layer's headers are reached through a folder of links of their own (build/include/<layer>/isms/<layer>),
# so an upward #include does not compile.

add_library(isms_rules INTERFACE)
target_compile_definitions(isms_rules INTERFACE _GNU_SOURCE)
# no-strict-aliasing: messages are reached by field offsets, as protobuf-c itself does.
target_compile_options(isms_rules INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla -Werror
  -fno-strict-aliasing -fstack-protector-strong
  "SHELL:-include isms/base/banned.h")
if(CMAKE_BUILD_TYPE MATCHES "^(Release|RelWithDebInfo|MinSizeRel)$" AND NOT ISMS_SANITIZE)
  target_compile_definitions(isms_rules INTERFACE _FORTIFY_SOURCE=2)
endif()

add_library(isms_instrumentation INTERFACE)
if(ISMS_SANITIZE)
  target_compile_options(isms_instrumentation INTERFACE
    -fsanitize=${ISMS_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(isms_instrumentation INTERFACE -fsanitize=${ISMS_SANITIZE})
endif()
if(ISMS_COVERAGE)
  target_compile_options(isms_instrumentation INTERFACE --coverage)
  target_link_options(isms_instrumentation INTERFACE --coverage)
endif()

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
foreach(module libpq hiredis jansson libcrypto grpc libprotobuf-c libmicrohttpd libcurl)
  pkg_check_modules(${module} REQUIRED IMPORTED_TARGET ${module})
endforeach()

# isms_layer(name SOURCES ... [USES layers...] [LIBRARIES external...] [PUBLIC_LIBRARIES external...])
# PUBLIC_LIBRARIES are those that the layer's own headers include.
function(isms_layer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;LIBRARIES;PUBLIC_LIBRARIES" ${ARGN})
  add_library(isms_${name} STATIC ${ARG_SOURCES})
  set(include_root ${CMAKE_BINARY_DIR}/include/${name})
  file(MAKE_DIRECTORY ${include_root}/isms)
  file(CREATE_LINK ${CMAKE_SOURCE_DIR}/include/isms/${name} ${include_root}/isms/${name} SYMBOLIC)
  target_include_directories(isms_${name} PUBLIC ${include_root})
  list(TRANSFORM ARG_USES PREPEND isms_ OUTPUT_VARIABLE uses)
  target_link_libraries(isms_${name} PUBLIC ${uses} ${ARG_PUBLIC_LIBRARIES} isms_instrumentation
                                     PRIVATE isms_rules ${ARG_LIBRARIES} Threads::Threads)
endfunction()

# isms_program(name SOURCES ... [USES layers...] [LIBRARIES external...])
function(isms_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;LIBRARIES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  list(TRANSFORM ARG_USES PREPEND isms_ OUTPUT_VARIABLE uses)
  target_link_libraries(${name} PRIVATE ${uses} isms_rules isms_instrumentation ${ARG_LIBRARIES} Threads::Threads)
endfunction()

# isms_test(suite path/test_name.c [USES layers...] [LIBRARIES external...] [SOURCES more...])
# A cmocka program in build/<preset>/tests/<suite>/, run by tests/run.sh under its suite.
function(isms_test suite source)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;LIBRARIES" ${ARGN})
  get_filename_component(file ${source} NAME_WE)
  get_filename_component(folder ${source} DIRECTORY)
  string(REPLACE "/" "_" folder "${folder}")
  string(REGEX REPLACE "^test_" "" file ${file})
  set(target test_${suite}_${folder}_${file})
  string(REPLACE "__" "_" target ${target})
  add_executable(${target} ${source} ${ARG_SOURCES})
  list(TRANSFORM ARG_USES PREPEND isms_ OUTPUT_VARIABLE uses)
  target_link_libraries(${target} PRIVATE ${uses} isms_rules isms_instrumentation ${ARG_LIBRARIES}
                        cmocka Threads::Threads)
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/${suite})
  add_test(NAME ${target} COMMAND ${target})
  set_tests_properties(${target} PROPERTIES LABELS ${suite})
endfunction()

# isms_fuzz(noun [USES layers...] [LIBRARIES external...] [SOURCES more...])
# A libFuzzer program fuzz_<noun> out of fuzz_<noun>.c, in build/fuzz/tests/fuzz/, run by tests/fuzz/run.sh. Only where
# everything is built for it (preset fuzz).
function(isms_fuzz noun)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;LIBRARIES" ${ARGN})
  add_executable(fuzz_${noun} fuzz_${noun}.c ${ARG_SOURCES})
  list(TRANSFORM ARG_USES PREPEND isms_ OUTPUT_VARIABLE uses)
  target_link_libraries(fuzz_${noun} PRIVATE ${uses} isms_rules isms_instrumentation ${ARG_LIBRARIES} Threads::Threads)
  target_link_options(fuzz_${noun} PRIVATE -fsanitize=fuzzer)
  set_target_properties(fuzz_${noun} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/fuzz)
  add_dependencies(fuzzers fuzz_${noun})
endfunction()
