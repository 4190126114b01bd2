/* What the proto files say arrives at run time, and what contradicts itself does not start. */
#include "library.h"

#include <google/protobuf/descriptor.pb-c.h>

#include <isms/base/buf.h>

static void test_method_has_its_rules(void **state)
{
    (void)state;
    const struct method *get = descriptors_method(library, "/isms.library.v1.LibraryService/GetBook");
    assert_non_null(get);
    assert_string_equal(get->rules->permission, "library.read");
    assert_int_equal(get->lane, ISMS__OPTIONS__V1__LANE__LANE_READ);
    assert_false(get->rules->write);
    assert_string_equal(get->request->name, "isms.library.v1.GetBookRequest");
    assert_string_equal(get->response->name, "isms.library.v1.Book");
    assert_null(get->request_id);

    const struct method *create = descriptors_method(library, "/isms.library.v1.LibraryService/CreateBook");
    assert_true(create->rules->write);
    assert_int_equal(create->rules->deadline_ms, 5000);
    assert_int_equal(create->lane, ISMS__OPTIONS__V1__LANE__LANE_WRITE);
    assert_string_equal(create->request_id->name, "request_id");
    assert_true(descriptors_method(library, "/isms.library.v1.LibraryService/WatchBooks")->server_streaming);
    assert_null(descriptors_method(library, "/isms.library.v1.LibraryService/NoSuch"));
}

static void test_field_has_its_rules(void **state)
{
    (void)state;
    const struct message_type *book = library_type("Book");
    const struct field_type *title = message_type_field(book, "title");
    assert_true(title->rules->required);
    assert_int_equal(title->rules->max_length, 20);
    assert_string_equal(message_type_field(book, "published_date")->json_name, "publishedDate");
    assert_string_equal(message_type_field(book, "paper")->oneof, "medium");
    assert_true(message_type_field(book, "labels")->is_map);
    assert_false(message_type_field(book, "chapters")->is_map);
    assert_int_equal(message_type_field(book, "create_time")->message->kind, MESSAGE_TIMESTAMP);
    assert_non_null(message_type_field(library_type("Paper"), "shelf")->pattern);
    const struct enum_type *state_type = message_type_field(book, "state")->enumeration;
    assert_string_equal(enum_short_name(state_type, 2), "BORROWED");
    int value = 0;
    assert_true(enum_value_of(state_type, "BOOK_STATE_ON_SHELF", 19, &value) && value == 1);
    assert_true(enum_value_of(state_type, "BORROWED", 8, &value) && value == 2);
    assert_false(enum_value_of(state_type, "LOST", 4, &value));
    assert_ptr_equal(descriptors_message_of(library, &isms__library__v1__book__descriptor), book);
}

static void test_reflection_finds_files(void **state)
{
    (void)state;
    const struct proto_file *file = descriptors_file(library, "isms/library/v1/library.proto");
    assert_non_null(file);
    assert_ptr_equal(descriptors_file_of_symbol(library, "isms.library.v1.LibraryService.GetBook"), file);
    assert_ptr_equal(descriptors_file_of_symbol(library, ".isms.library.v1.Book.title"), file);
    assert_ptr_equal(descriptors_file_of_symbol(library, "isms.library.v1.BOOK_STATE_BORROWED"), file);
    assert_ptr_equal(descriptors_file_of_symbol(library, "isms.library.v1.Book.medium"), file);
    assert_non_null(descriptors_file_of_symbol(library, "grpc.health.v1.Health"));
    assert_null(descriptors_file_of_symbol(library, "isms.library.v1.Nothing"));
    assert_int_equal(file->dependency_count, 6);
    assert_string_equal(file->dependencies[5]->name, "isms/options/v1/options.proto");

    Google__Protobuf__FileDescriptorProto *proto = google__protobuf__file_descriptor_proto__unpack(
        NULL, file->bytes.length, (const uint8_t *)file->bytes.data);
    assert_non_null(proto);
    assert_string_equal(proto->name, "isms/library/v1/library.proto");
    google__protobuf__file_descriptor_proto__free_unpacked(proto, NULL);

    int32_t numbers[4];
    assert_int_equal(descriptors_extensions(library, "google.protobuf.FieldOptions", numbers, 4), 1);
    assert_int_equal(numbers[0], 50301);
    assert_string_equal(descriptors_file_of_extension(library, "google.protobuf.MethodOptions", 50301)->name,
                        "isms/options/v1/options.proto");
}

static void test_the_product_starts(void **state)
{
    (void)state;
    struct err err = {0};
    struct descriptors *product CLEANUP(descriptors_freep) = NULL;
    if (descriptors_new(&isms_descriptors_source, &product, &err) < 0)
        fail_msg("%s", err.message);
    assert_non_null(descriptors_method(product, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"));
    assert_non_null(descriptors_method(product, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"));
}

/* The library's set with one edit. */
static Google__Protobuf__FileDescriptorSet *set_unpack(Google__Protobuf__FileDescriptorProto **ret_file)
{
    Google__Protobuf__FileDescriptorSet *set = google__protobuf__file_descriptor_set__unpack(
        NULL, library_descriptors_source.set_length, library_descriptors_source.set);
    assert_non_null(set);
    for (size_t i = 0; i < set->n_file; i++)
        if (strcmp(set->file[i]->name, "isms/library/v1/library.proto") == 0)
            *ret_file = set->file[i];
    return set;
}

static void start_fails_with(Google__Protobuf__FileDescriptorSet *set, const char *expected)
{
    struct descriptors_source source = library_descriptors_source;
    struct descriptors *descriptors = NULL;
    struct err err = {0};
    source.set_length = google__protobuf__file_descriptor_set__get_packed_size(set);
    uint8_t *bytes = arena_alloc(&arena, source.set_length);
    google__protobuf__file_descriptor_set__pack(set, bytes);
    source.set = bytes;
    assert_int_equal(descriptors_new(&source, &descriptors, &err), -1);
    if (!strstr(err.message, expected))
        fail_msg("expected '%s' in: %s", expected, err.message);
    assert_non_null(strstr(err.message, "isms/library/v1/library.proto"));
    google__protobuf__file_descriptor_set__free_unpacked(set, NULL);
}

static ProtobufCMessageUnknownField *option_of(Google__Protobuf__FileDescriptorProto *file, size_t method)
{
    return &file->service[0]->method[method]->options->base.unknown_fields[0];
}

/* Replaces the rules of a method; the payload is shorter than 128 bytes. */
static void rules_replace(ProtobufCMessageUnknownField *option, const void *payload, size_t length)
{
    free(option->data);
    option->data = malloc(length + 1);
    option->data[0] = (uint8_t)length;
    if (length)
        memcpy(option->data + 1, payload, length);
    option->len = length + 1;
}

static void test_a_contradiction_does_not_start(void **state)
{
    (void)state;
    Google__Protobuf__FileDescriptorProto *file = NULL;
    Google__Protobuf__FileDescriptorSet *set = set_unpack(&file);
    rules_replace(option_of(file, 1), "", 0);
    start_fails_with(set, "/isms.library.v1.LibraryService/GetBook: names no permission");

    set = set_unpack(&file); /* permission "a", write */
    rules_replace(option_of(file, 1), "\x0a\x01\x61\x10\x01", 5);
    start_fails_with(set, "GetBook: changes data, but its request has no string request_id");

    set = set_unpack(&file); /* permission "a", callers "nobody" */
    rules_replace(option_of(file, 1), "\x0a\x01\x61\x2a\x06nobody", 11);
    start_fails_with(set, "the caller 'nobody' is not a service");

    set = set_unpack(&file);
    free(file->service[0]->method[1]->input_type);
    file->service[0]->method[1]->input_type = strdup(".isms.library.v1.Tree");
    start_fails_with(set, "its request can hold isms.library.v1.Tree inside itself");

    set = set_unpack(&file); /* Paper.pages gets {required: true} */
    Google__Protobuf__FieldOptions *options = calloc(1, sizeof(*options));
    google__protobuf__field_options__init(options);
    options->base.n_unknown_fields = 1;
    options->base.unknown_fields = calloc(1, sizeof(ProtobufCMessageUnknownField));
    options->base.unknown_fields[0].tag = 50301;
    options->base.unknown_fields[0].wire_type = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    rules_replace(&options->base.unknown_fields[0], "\x08\x01", 2);
    file->message_type[1]->field[0]->options = options;
    start_fails_with(set, "isms.library.v1.Paper.pages: `required` cannot be told");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_method_has_its_rules),
        cmocka_unit_test(test_field_has_its_rules),
        cmocka_unit_test(test_reflection_finds_files),
        cmocka_unit_test(test_the_product_starts),
        cmocka_unit_test(test_a_contradiction_does_not_start),
    };
    return cmocka_run_group_tests(tests, library_setup, library_teardown);
}
