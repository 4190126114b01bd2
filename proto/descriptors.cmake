# Writes the C file that joins the descriptor set and the message descriptors named in the generated headers.
string(REPLACE "," ";" headers "${HEADERS}")
set(includes "")
set(rows "")
foreach(header ${headers})
  string(APPEND includes "#include \"${header}\"\n")
  file(STRINGS ${header} lines REGEX "^extern const ProtobufCMessageDescriptor ")
  foreach(line ${lines})
    string(REGEX REPLACE "^extern const ProtobufCMessageDescriptor ([a-zA-Z0-9_]+);.*" "\\1" symbol "${line}")
    string(APPEND rows "    &${symbol},\n")
  endforeach()
endforeach()
file(WRITE ${OUTPUT} "/* Made by descriptors.cmake. */
#include <isms/proto/descriptors.h>

${includes}
__asm__(\".section .rodata\\n\"
        \".global ${PREFIX}_descriptor_set\\n\"
        \".global ${PREFIX}_descriptor_set_end\\n\"
        \"${PREFIX}_descriptor_set:\\n\"
        \".incbin \\\"${SET}\\\"\\n\"
        \"${PREFIX}_descriptor_set_end:\\n\"
        \".byte 0\\n\"
        \".previous\\n\");

static const ProtobufCMessageDescriptor *const messages[] = {
${rows}};

extern const unsigned char ${PREFIX}_descriptor_set[];
")
file(SIZE ${SET} size)
file(APPEND ${OUTPUT} "
const struct descriptors_source ${PREFIX}_descriptors_source = {
    .set = ${PREFIX}_descriptor_set,
    .set_length = ${size},
    .messages = messages,
    .message_count = sizeof(messages) / sizeof(messages[0]),
};
")
