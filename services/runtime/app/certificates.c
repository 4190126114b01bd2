/* certificates.c: see certificates.h.
 *
 * What is about to end is told by its own life, since some certificates live an hour and some a year: whoever renews
 * them does so when about two thirds are over, so the last sixth means that nobody did. */
#include "certificates.h"

#include <stdio.h>

#include <isms/base/buf.h>
#include <isms/base/clock.h>

enum { LAST_PART = 6 };

static int options_check(const struct settings *settings, struct err *err)
{
    if (settings->tls_client_ca_file[0] && !settings->tls_certificate_file[0])
        return err_setf(err, ERR_INTERNAL, "tls_client_ca_file needs tls_certificate_file");
    if (settings->tls_client_ca_file[0] && !settings->peer_identities[0])
        return err_setf(err, ERR_INTERNAL,
                        "tls_client_ca_file needs peer_identities: which certificate is which service's?");
    if (settings->peer_certificate_file[0] && !settings->peer_ca_file[0])
        return err_setf(err, ERR_INTERNAL, "peer_certificate_file needs peer_ca_file");
    return 0;
}

int certificates_init(struct certificates *certificates, const struct settings *settings, struct err *err)
{
    struct tls_options server = {
        .use = "server",
        .certificate_file = settings->tls_certificate_file,
        .key_file = settings->tls_key_file,
        .ca_file = settings->tls_client_ca_file,
    };
    bool own = settings->peer_certificate_file[0] != '\0';
    struct tls_options peers = {
        .use = "peers",
        .certificate_file = own ? settings->peer_certificate_file : settings->tls_certificate_file,
        .key_file = own ? settings->peer_key_file : settings->tls_key_file,
        .ca_file = settings->peer_ca_file,
    };
    if (options_check(settings, err) < 0 ||
        peer_identities_parse(settings->peer_identities, &certificates->identities, err) < 0)
        return -1;
    if ((settings->tls_certificate_file[0] || settings->tls_key_file[0]) &&
        tls_new(&server, &certificates->server, err) < 0)
        return -1;
    return settings->peer_ca_file[0] ? tls_new(&peers, &certificates->peers, err) : 0;
}

void certificates_release(struct certificates *certificates)
{
    tls_free(certificates->server);
    tls_free(certificates->peers);
}

void certificates_look(struct certificates *certificates)
{
    if (certificates->server)
        tls_look(certificates->server);
    if (certificates->peers)
        tls_look(certificates->peers);
}

static void trouble_note(struct tls *tls, const char *use, struct buf *text)
{
    if (!tls)
        return;
    struct tls_state state = tls_state(tls);
    int64_t left_us = state.life.end_us - clock_now_us();
    const char *separator = text->length > 0 ? "; " : "";
    if (state.troubled)
        buf_printf(text, "%s%s: the files hold no good certificates, the old ones are in force", separator, use);
    else if (state.life.end_us && left_us <= 0)
        buf_printf(text, "%s%s: the certificate has ended", separator, use);
    else if (state.life.end_us && left_us < (state.life.end_us - state.life.begin_us) / LAST_PART)
        buf_printf(text, "%s%s: the certificate ends in %lld minutes", separator, use,
                   (long long)(left_us / 60000000));
}

enum admin_state certificates_check(const struct certificates *certificates,
                                    char detail[static ADMIN_DETAIL_SIZE])
{
    struct buf text;
    buf_init_fixed(&text, detail, ADMIN_DETAIL_SIZE);
    trouble_note(certificates->server, "server", &text);
    trouble_note(certificates->peers, "peers", &text);
    return text.length > 0 ? ADMIN_DEGRADED : ADMIN_OK;
}
