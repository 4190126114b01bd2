/* tls.c: certificates from files, in force until better ones are there.
 *
 * Files are read here and judged before gRPC sees them: gRPC's own file watcher (1.51) hands on a certificate and a
 * key that do not belong together, and handshakes then fail until the next change. Whether a file has changed is told
 * by its device, inode, size and time; orchestrators swap a link, editors write in place, both show. A pair that
 * does not fit may be half written: it is read again at every look until it does. */
#include <isms/rpc/tls.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <grpc/grpc.h>
#include <grpc/support/alloc.h>
#include <grpc/support/string_util.h>

#include <isms/base/slice.h>
#include <isms/obs/log.h>
#include <isms/obs/metrics.h>

#include "tls_credentials.h"

enum { FILE_MAX = 1024 * 1024 };

enum tls_file { TLS_CERTIFICATE, TLS_KEY, TLS_CA, TLS_FILE_COUNT };

/* What tells one version of a file from another. */
struct stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec time;
};

/* What the files said; a text is NULL where there is no such file. */
struct material {
    char *texts[TLS_FILE_COUNT];
    struct certificate_life life;
};

struct tls {
    struct tls_options options;
    const char *paths[TLS_FILE_COUNT]; /* "": none */
    pthread_mutex_t lock;
    struct stamp stamps[TLS_FILE_COUNT]; /* of what was last read */
    struct material material;            /* in force */
    bool troubled;
    atomic_uint_fast64_t generation;
    uint64_t served; /* the generation that the server was given last; only its handshakes ask, one by one */
};

/* --- files ---------------------------------------------------------------------------------------------- */

static void material_release(struct material *material)
{
    for (enum tls_file file = 0; file < TLS_FILE_COUNT; file++) {
        if (file == TLS_KEY && material->texts[file])
            explicit_bzero(material->texts[file], strlen(material->texts[file]));
        free(material->texts[file]);
    }
}

static int unreadable(const char *path, const char *why, struct err *err)
{
    return err_setf(err, ERR_INTERNAL, "%s cannot be read: %s", path, why);
}

static int file_read(const char *path, char **ret_text, struct err *err)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return unreadable(path, strerror(errno), err);
    char *text = calloc(1, FILE_MAX + 1);
    size_t length = text ? fread(text, 1, FILE_MAX + 1, file) : 0;
    bool good = text && !ferror(file) && length <= FILE_MAX;
    fclose(file);
    char *fitted = good ? strndup(text, length) : NULL;
    if (text)
        explicit_bzero(text, length);
    free(text);
    if (!fitted)
        return unreadable(path, good ? "out of memory" : "it is too large", err);
    *ret_text = fitted;
    return 0;
}

static int material_check(struct material *material, const char *const *paths, struct err *err)
{
    struct err cause = {0};
    enum tls_file wrong = TLS_CERTIFICATE;
    int result = 0;
    if (material->texts[TLS_CERTIFICATE])
        result = certificate_check(material->texts[TLS_CERTIFICATE], material->texts[TLS_KEY], &material->life,
                                   &cause);
    if (result == 0 && material->texts[TLS_CA]) {
        wrong = TLS_CA;
        result = certificate_bundle_check(material->texts[TLS_CA], &cause);
    }
    return result < 0 ? err_setf(err, ERR_INTERNAL, "%s %s", paths[wrong], cause.message) : 0;
}

static int material_read(const struct tls *tls, struct material *ret_material, struct err *err)
{
    struct material material CLEANUP(material_release) = {.texts = {NULL}};
    for (enum tls_file file = 0; file < TLS_FILE_COUNT; file++)
        if (tls->paths[file][0] && file_read(tls->paths[file], &material.texts[file], err) < 0)
            return -1;
    if (material_check(&material, tls->paths, err) < 0)
        return -1;
    *ret_material = material;
    material = (struct material){.texts = {NULL}};
    return 0;
}

static struct stamp stamp_of(const char *path)
{
    struct stat status;
    struct stamp stamp;
    memset(&stamp, 0, sizeof(stamp)); /* padding is compared as well */
    if (path[0] && stat(path, &status) == 0) {
        stamp.device = status.st_dev;
        stamp.inode = status.st_ino;
        stamp.size = status.st_size;
        stamp.time = status.st_mtim;
    }
    return stamp;
}

/* Notes how the files look now; whether that is news. */
static bool stamps_take(struct tls *tls)
{
    struct stamp stamps[TLS_FILE_COUNT];
    memset(stamps, 0, sizeof(stamps));
    for (enum tls_file file = 0; file < TLS_FILE_COUNT; file++)
        stamps[file] = stamp_of(tls->paths[file]);
    bool news = memcmp(stamps, tls->stamps, sizeof(stamps)) != 0;
    memcpy(tls->stamps, stamps, sizeof(stamps));
    return news;
}

/* --- in force ------------------------------------------------------------------------------------------- */

static void material_set(struct tls *tls, const struct material *material)
{
    material_release(&tls->material);
    tls->material = *material;
    atomic_fetch_add(&tls->generation, 1);
    if (material->life.end_us)
        metric_set(METRIC_SERIES(isms_tls_certificate_expiry_seconds, tls->options.use),
                   material->life.end_us / 1000000);
}

void tls_look(struct tls *tls)
{
    struct material material;
    struct err err = {0};
    pthread_mutex_lock(&tls->lock);
    bool news = stamps_take(tls); /* before reading: what changes meanwhile is news at the next look */
    if (!news && !tls->troubled) {
        pthread_mutex_unlock(&tls->lock);
        return;
    }
    bool good = material_read(tls, &material, &err) == 0;
    if (good)
        material_set(tls, &material);
    tls->troubled = !good;
    pthread_mutex_unlock(&tls->lock);
    if (good || news)
        metric_add(METRIC_SERIES(isms_tls_reloads_total, tls->options.use, good ? "good" : "refused"), 1);
    if (good)
        LOG(INFO, "certificates were read again", LOG_STR("use", tls->options.use));
    else if (news)
        LOG(WARNING, "the new certificates are not good; the old ones stay in force",
            LOG_STR("use", tls->options.use), LOG_ERR(&err));
}

bool tls_asks_clients(const struct tls *tls)
{
    return tls->paths[TLS_CA][0] != '\0';
}

struct tls_state tls_state(struct tls *tls)
{
    pthread_mutex_lock(&tls->lock);
    struct tls_state state = {.life = tls->material.life, .troubled = tls->troubled};
    pthread_mutex_unlock(&tls->lock);
    return state;
}

uint64_t tls_generation(struct tls *tls)
{
    return atomic_load(&tls->generation);
}

static const char *text_or_empty(const char *text)
{
    return text ? text : "";
}

int tls_new(const struct tls_options *options, struct tls **ret_tls, struct err *err)
{
    struct tls *tls CLEANUP(tls_freep) = calloc(1, sizeof(*tls));
    struct material material;
    if (!tls)
        return err_setf(err, ERR_INTERNAL, "out of memory");
    pthread_mutex_init(&tls->lock, NULL);
    tls->options = *options;
    tls->paths[TLS_CERTIFICATE] = text_or_empty(options->certificate_file);
    tls->paths[TLS_KEY] = text_or_empty(options->key_file);
    tls->paths[TLS_CA] = text_or_empty(options->ca_file);
    if (!tls->paths[TLS_CERTIFICATE][0] != !tls->paths[TLS_KEY][0])
        return err_setf(err, ERR_INTERNAL, "a certificate and its key go together: only one of them was given");
    stamps_take(tls);
    if (material_read(tls, &material, err) < 0)
        return -1;
    material_set(tls, &material);
    *ret_tls = tls;
    tls = NULL;
    return 0;
}

void tls_free(struct tls *tls)
{
    if (!tls)
        return;
    material_release(&tls->material);
    pthread_mutex_destroy(&tls->lock);
    free(tls);
}

void tls_freep(struct tls **tls)
{
    tls_free(*tls);
    *tls = NULL;
}

/* --- gRPC's side ---------------------------------------------------------------------------------------- */

static grpc_ssl_certificate_config_reload_status server_fetch(void *context,
                                                              grpc_ssl_server_certificate_config **config)
{
    struct tls *tls = context;
    pthread_mutex_lock(&tls->lock);
    uint64_t generation = atomic_load(&tls->generation);
    bool news = generation != tls->served;
    if (news) {
        grpc_ssl_pem_key_cert_pair pair = {.private_key = tls->material.texts[TLS_KEY],
                                           .cert_chain = tls->material.texts[TLS_CERTIFICATE]};
        *config = grpc_ssl_server_certificate_config_create(tls->material.texts[TLS_CA], &pair, 1);
        tls->served = generation;
    }
    pthread_mutex_unlock(&tls->lock);
    return news ? GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW : GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
}

grpc_server_credentials *tls_server_credentials(struct tls *tls)
{
    /* Users come without a certificate; who shows one, shows a good one. */
    grpc_ssl_client_certificate_request_type request =
        tls_asks_clients(tls) ? GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY
                              : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE;
    return grpc_ssl_server_credentials_create_with_options(
        grpc_ssl_server_credentials_create_options_using_config_fetcher(request, server_fetch, tls));
}

/* A verifier of ours lives as long as gRPC needs it. */
struct verifier {
    grpc_tls_certificate_verifier_external external;
    const struct identity *identity;
};

static bool names_have(const struct identity *identity, enum identity_kind kind, char **names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (identity_is(identity, kind, slice_of(names[i])))
            return true;
    return false;
}

static int verifier_verify(void *context, grpc_tls_custom_verification_check_request *request,
                           grpc_tls_on_custom_verification_check_done_cb callback UNUSED, void *argument UNUSED,
                           grpc_status_code *status, char **details)
{
    const struct identity *identity = ((const struct verifier *)context)->identity;
    bool good = names_have(identity, IDENTITY_SPIFFE, request->peer_info.san_names.uri_names,
                           request->peer_info.san_names.uri_names_size) ||
                names_have(identity, IDENTITY_DNS, request->peer_info.san_names.dns_names,
                           request->peer_info.san_names.dns_names_size);
    *status = good ? GRPC_STATUS_OK : GRPC_STATUS_UNAUTHENTICATED;
    if (!good)
        *details = gpr_strdup("the server's certificate is another service's");
    return 1; /* done, at once */
}

static void verifier_cancel(void *context UNUSED, grpc_tls_custom_verification_check_request *request UNUSED)
{
}

static void verifier_free(void *context)
{
    free(context);
}

/* NULL without memory. */
static grpc_tls_certificate_verifier *verifier_new(const struct identity *identity)
{
    struct verifier *verifier = calloc(1, sizeof(*verifier));
    if (!verifier)
        return NULL;
    *verifier = (struct verifier){
        .external = {.user_data = verifier, .verify = verifier_verify, .cancel = verifier_cancel,
                     .destruct = verifier_free},
        .identity = identity,
    };
    return grpc_tls_certificate_verifier_external_create(&verifier->external);
}

static grpc_tls_certificate_provider *provider_new(struct tls *tls)
{
    pthread_mutex_lock(&tls->lock);
    grpc_tls_identity_pairs *pairs = NULL;
    if (tls->material.texts[TLS_CERTIFICATE]) {
        pairs = grpc_tls_identity_pairs_create();
        grpc_tls_identity_pairs_add_pair(pairs, tls->material.texts[TLS_KEY],
                                         tls->material.texts[TLS_CERTIFICATE]);
    }
    grpc_tls_certificate_provider *provider =
        grpc_tls_certificate_provider_static_data_create(tls->material.texts[TLS_CA], pairs);
    pthread_mutex_unlock(&tls->lock);
    return provider;
}

grpc_channel_credentials *tls_channel_credentials(struct tls *tls, const struct identity *identity)
{
    grpc_tls_credentials_options *options = grpc_tls_credentials_options_create();
    grpc_tls_certificate_provider *provider = provider_new(tls);
    grpc_tls_credentials_options_set_certificate_provider(options, provider);
    grpc_tls_certificate_provider_release(provider);
    if (tls->paths[TLS_CA][0]) /* else the system's */
        grpc_tls_credentials_options_watch_root_certs(options);
    if (tls->paths[TLS_CERTIFICATE][0])
        grpc_tls_credentials_options_watch_identity_key_cert_pairs(options);
    grpc_tls_certificate_verifier *verifier =
        identity ? verifier_new(identity) : grpc_tls_certificate_verifier_host_name_create();
    if (!verifier) /* no memory: let the host's name decide, which is never laxer than nothing */
        verifier = grpc_tls_certificate_verifier_host_name_create();
    grpc_tls_credentials_options_set_certificate_verifier(options, verifier);
    grpc_tls_certificate_verifier_release(verifier);
    grpc_tls_credentials_options_set_check_call_host(options, identity == NULL);
    return grpc_tls_credentials_create(options);
}
