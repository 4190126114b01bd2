# Writes the C file that embeds SQL files, each ended by a NUL.
string(REPLACE "," ";" files "${FILES}")
set(assembly "")
set(symbols "")
set(rows "")
set(count 0)
foreach(file ${files})
  get_filename_component(name ${file} NAME)
  string(REGEX REPLACE "\\.sql$" "" name ${name})
  string(APPEND assembly "        \"isms_sql_${count}: .incbin \\\"${file}\\\"\\n .byte 0\\n\"\n")
  string(APPEND symbols "extern const char isms_sql_${count}[];\n")
  string(APPEND rows "    {\"${name}\", isms_sql_${count}},\n")
  math(EXPR count "${count} + 1")
endforeach()
file(WRITE ${OUTPUT} "/* Made by sql.cmake. */
#include <isms/proto/sql_file.h>

__asm__(\".section .rodata\\n\"
${assembly}        \".previous\\n\");

${symbols}
extern const struct sql_text isms_sql[];
const struct sql_text isms_sql[] = {
${rows}    {0},
};
")
