/* ctl.h: what the commands of ismsctl share.
 *
 * ismsctl is a client like any other: it knows the API from the embedded descriptors alone, so a new rpc can be
 * called without a line of code here. Commands print to stdout what was asked for and to stderr everything else; they
 * exit with 0, with 1 where the service or the check refused, with 2 where they were called wrongly. */
#ifndef ISMS_CTL_H
#define ISMS_CTL_H

#include <stdbool.h>
#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

#include <isms/base/arena.h>
#include <isms/base/attributes.h>
#include <isms/base/buf.h>
#include <isms/base/err.h>
#include <isms/base/slice.h>
#include <isms/proto/descriptors.h>

enum { EXIT_REFUSED = 1, EXIT_USAGE = 2 };

struct options {
    const char *address;         /* of the service called; else ISMS_<SERVICE>_ADDRESS */
    const char *credential;      /* ISMS_CREDENTIAL, or what --credential-file holds */
    const char *ca_file;         /* ISMS_CA_FILE, or --ca; NULL: plain TCP */
    const char *key_file;        /* verify: the installation's public key */
    const char *kind;            /* import and export; as it was written: kind_of() */
    const char *source;
    const char *metric;
    const char *resume;
    const char *profile;
    const char *sheet;
    const char *header_row;      /* numbers, as they were written */
    const char *last_row;
    const char *name;            /* org create and erase */
    const char *administrator;
    const char *time_zone;
    const char *mappings[100];   /* import: "Column=field" */
    unsigned mapping_count;
    int timeout_s;               /* 0: as the method is */
    bool json;
    bool dry_run;
    bool help;
    const char *arguments[8]; /* what is no option: the command first */
    unsigned argument_count;
};

/* Reads the command line; reports what is wrong with it to stderr. */
int options_parse(int argc, char **argv, struct arena *arena, struct options *ret_options) MUST_CHECK;
void options_help(void);

/* --kind as the API writes it: "finding" → "FINDING". "" without; NULL without memory. */
char *kind_of(const struct options *options, struct arena *arena);

/* Everything a command works with; the arena lives as long as the command. */
struct session {
    const struct options *options;
    struct descriptors *descriptors;
    struct arena *arena;
};

/* The whole content of a file, "-" being stdin; at most `max` bytes. */
int file_read(const char *path, size_t max, struct arena *arena, struct slice *ret_content, struct err *err) MUST_CHECK;

/* The method of that name: "GetAction", "ActionService/GetAction" or the full path. */
int session_method(const struct session *session, const char *name, const struct method **ret_method,
                   struct err *err) MUST_CHECK;

/* Calls it with the request in JSON; a request_id that is missing is made up. The response in JSON, snake_case
 * names. */
int session_call(const struct session *session, const struct method *method, struct slice request,
                 struct slice *ret_response, struct err *err) MUST_CHECK;

/* What is done with one message of a stream; it is gone afterwards. */
typedef int session_take(void *context, const ProtobufCMessage *message, struct err *err);

/* The same for a method that answers with a stream: 0 when it came to its end. */
int session_stream(const struct session *session, const struct method *method, struct slice request,
                   session_take *take, void *context, struct err *err) MUST_CHECK;

/* A message of the method's answer as JSON, snake_case names; appended. */
int session_json(const struct method *method, const ProtobufCMessage *message, struct buf *json,
                 struct err *err) MUST_CHECK;

/* Prints JSON text: as it is, or for reading, one value a line. */
int output_print(struct slice json, bool as_json, struct err *err) MUST_CHECK;

/* Prints a refusal with all its details and what to do about it. */
void output_error(const struct err *err, bool as_json);

int command_call(const struct session *session, struct err *err) MUST_CHECK;
int command_methods(const struct session *session, struct err *err) MUST_CHECK;
int command_import(const struct session *session, struct err *err) MUST_CHECK;
int command_table(const struct session *session, struct err *err) MUST_CHECK; /* export */
int command_org(const struct session *session, struct err *err) MUST_CHECK; /* and member */
int command_export(const struct session *session, struct err *err) MUST_CHECK;
int command_verify(const struct session *session, struct err *err) MUST_CHECK;

#endif
