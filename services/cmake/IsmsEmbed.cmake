# Files into programs, as C arrays, with nothing but CMake.
#
# isms_embed(target symbol [BASE folder] FILES...) adds `const struct embedded_file <symbol>[]` to the target, a
# row for each file in the order given, then one whose name is NULL. Names are relative to BASE, else bare.
#
# isms_schema_versions(target schema...) defines ISMS_SCHEMA_<SCHEMA> on the target: the number of the last file
# in services/<schema>/migrations, for schema_check().
#
# The same file is the script that writes the C source at build time.

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  set(arrays "")
  set(rows "")
  set(index 0)
  foreach(file IN LISTS FILES)
    if(BASE)
      file(RELATIVE_PATH name ${BASE} ${file})
    else()
      get_filename_component(name ${file} NAME)
    endif()
    file(READ ${file} hex HEX)
    string(LENGTH "${hex}" digits)
    math(EXPR length "${digits} / 2")
    string(REGEX REPLACE "(................................................)" "\\1\n" hex "${hex}")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" hex "${hex}")
    string(REPLACE "\n" "\"\n    \"" hex "${hex}")
    string(APPEND arrays "static const char file_${index}[] =\n    \"${hex}\";\n")
    string(APPEND rows "    {\"${name}\", file_${index}, ${length}},\n")
    math(EXPR index "${index} + 1")
  endforeach()
  file(WRITE ${OUTPUT} "#include <isms/base/embed.h>\n\n${arrays}
extern const struct embedded_file ${SYMBOL}[];
const struct embedded_file ${SYMBOL}[] = {\n${rows}    {NULL, NULL, 0}\n};\n")
  return()
endif()

set(ISMS_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE} CACHE INTERNAL "")

function(isms_embed target symbol)
  cmake_parse_arguments(ARG "" "BASE" "FILES" ${ARGN})
  set(ARG_FILES ${ARG_FILES} ${ARG_UNPARSED_ARGUMENTS})
  list(TRANSFORM ARG_FILES REPLACE "^([^/])" "${CMAKE_CURRENT_SOURCE_DIR}/\\1")
  set(output ${CMAKE_CURRENT_BINARY_DIR}/embed_${symbol}.c)
  # The list of names is an input of its own: a file taken away must rebuild the table.
  file(CONFIGURE OUTPUT ${output}.list CONTENT "${ARG_FILES}\n")
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${output} -DSYMBOL=${symbol} -DBASE=${ARG_BASE} "-DFILES=${ARG_FILES}"
            -P ${ISMS_EMBED_SCRIPT}
    DEPENDS ${ARG_FILES} ${output}.list ${ISMS_EMBED_SCRIPT}
    COMMENT "Embedding ${symbol}" VERBATIM)
  target_sources(${target} PRIVATE ${output})
endfunction()

function(isms_schema_versions target)
  foreach(schema ${ARGN})
    file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/services/${schema}/migrations/*.sql)
    list(LENGTH files number) # isms-migrate refuses a gap, so the count is the last number
    string(TOUPPER ${schema} upper)
    target_compile_definitions(${target} PRIVATE ISMS_SCHEMA_${upper}=${number})
  endforeach()
endfunction()
