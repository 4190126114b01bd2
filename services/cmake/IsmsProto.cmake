# C code and descriptors out of proto files, and SQL files into programs.
#
# isms_proto(target PREFIX prefix ROOT folder FILES relative... [WITH target])
#   A static library of the protobuf-c code of FILES (headers as <path/of/file.pb-c.h>), with
#   `<prefix>_descriptors_source` (isms/proto/descriptors.h): the FileDescriptorSet of all of them with what
#   they import, embedded, and the table of their message descriptors, read off the generated headers. WITH
#   takes in the files of another such library: a test's protos beside the product's.
#
# isms_sql(target folder)
#   Embeds folder/*.sql as `const struct sql_text isms_sql[]` (isms/proto/sql_file.h).

find_program(PROTOC protoc REQUIRED)
find_program(PROTOC_C protoc-c REQUIRED)
set(ISMS_PROTO_INCLUDES /usr/share/grpc-proto /usr/include)
set(ISMS_PROTO_SCRIPTS ${CMAKE_SOURCE_DIR}/proto)

function(isms_proto target)
  cmake_parse_arguments(ARG "" "PREFIX;ROOT;WITH" "FILES" ${ARGN})
  set(out ${CMAKE_BINARY_DIR}/proto/${target})
  set(paths ${ARG_ROOT} ${CMAKE_SOURCE_DIR}/proto ${ISMS_PROTO_INCLUDES})
  list(TRANSFORM paths PREPEND -I)
  list(REMOVE_DUPLICATES paths)
  file(MAKE_DIRECTORY ${out})

  set(sources "")
  set(headers "")
  set(inputs "")
  foreach(file ${ARG_FILES})
    string(REGEX REPLACE "\\.proto$" "" stem ${file})
    foreach(root ${ARG_ROOT} ${ISMS_PROTO_INCLUDES})
      if(EXISTS ${root}/${file})
        set(input ${root}/${file})
        break()
      endif()
    endforeach()
    add_custom_command(
      OUTPUT ${out}/${stem}.pb-c.c ${out}/${stem}.pb-c.h
      COMMAND ${PROTOC_C} ${paths} --c_out=${out} ${file}
      DEPENDS ${input} COMMENT "protoc-c ${file}" VERBATIM)
    list(APPEND sources ${out}/${stem}.pb-c.c)
    list(APPEND headers ${out}/${stem}.pb-c.h)
    list(APPEND inputs ${input})
  endforeach()

  set(all_files ${ARG_FILES})
  set(all_headers ${headers})
  if(ARG_WITH)
    get_target_property(files ${ARG_WITH} ISMS_PROTO_FILES)
    get_target_property(more ${ARG_WITH} ISMS_PROTO_HEADERS)
    list(APPEND all_files ${files})
    list(APPEND all_headers ${more})
  endif()

  add_custom_command(
    OUTPUT ${out}/descriptors.pb
    COMMAND ${PROTOC} ${paths} --include_imports -o ${out}/descriptors.pb ${all_files}
    DEPENDS ${inputs} ${all_headers} COMMENT "protoc ${target}/descriptors.pb" VERBATIM)
  list(JOIN all_headers "," header_list)
  add_custom_command(
    OUTPUT ${out}/descriptors.c
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${out}/descriptors.c -DPREFIX=${ARG_PREFIX} -DSET=${out}/descriptors.pb
            -DHEADERS=${header_list} -P ${ISMS_PROTO_SCRIPTS}/descriptors.cmake
    DEPENDS ${all_headers} ${out}/descriptors.pb ${ISMS_PROTO_SCRIPTS}/descriptors.cmake
    COMMENT "${target}/descriptors.c" VERBATIM)

  add_library(${target} STATIC ${sources} ${out}/descriptors.c)
  set_target_properties(${target} PROPERTIES
    ISMS_PROTO_FILES "${all_files}" ISMS_PROTO_HEADERS "${all_headers}")
  set_source_files_properties(${out}/descriptors.c PROPERTIES OBJECT_DEPENDS ${out}/descriptors.pb)
  target_include_directories(${target} SYSTEM PUBLIC ${out})
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/include)
  target_compile_options(${target} PRIVATE -w)
  target_link_libraries(${target} PUBLIC ${ARG_WITH} PkgConfig::libprotobuf-c PRIVATE isms_instrumentation)
endfunction()

function(isms_sql target folder)
  get_filename_component(folder ${folder} ABSOLUTE)
  set(output ${CMAKE_BINARY_DIR}/sql/${target}.c)
  file(GLOB files CONFIGURE_DEPENDS ${folder}/*.sql)
  list(JOIN files "," file_list)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${output} -DFILES=${file_list} -P ${ISMS_PROTO_SCRIPTS}/sql.cmake
    DEPENDS ${files} ${ISMS_PROTO_SCRIPTS}/sql.cmake COMMENT "${target}: SQL files" VERBATIM)
  set_source_files_properties(${output} PROPERTIES OBJECT_DEPENDS "${files}")
  target_sources(${target} PRIVATE ${output})
endfunction()
