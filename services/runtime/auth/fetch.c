/* fetch.c: libcurl, told to do as little as it can.
 *
 * The addresses come from the operator and from documents of issuers, who are strangers as soon as an enterprise
 * brings its own: no redirect, so that an issuer cannot make us ask inside of the network; no scheme but https; and an
 * end to everything, headers included. */
#include "fetch.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

enum { HEADERS_MAX = 64 * 1024, STATUS_OK = 200 };

struct fetcher {
    struct fetch_options options;
    CURL *curl;
    struct curl_slist *headers;
    struct buf *body;
    size_t header_bytes;
    int64_t max_age_s;
    char problem[CURL_ERROR_SIZE];
};

static size_t body_take(char *data, size_t size, size_t count, void *context)
{
    struct fetcher *fetcher = context;
    buf_append(fetcher->body, data, size * count);
    return fetcher->body->failed ? 0 : size * count;
}

/* The directives that say how long the document is good (RFC 9111 section 5.2.2); a malformed one says nothing. */
static int64_t max_age_of(const char *value, size_t length)
{
    static const char name[] = "max-age=";
    int64_t max_age_s = -1;
    for (size_t at = 0; at < length;) {
        size_t rest = length - at;
        const char *comma = memchr(value + at, ',', rest);
        const char *directive = value + at;
        size_t size = comma ? (size_t)(comma - directive) : rest;
        at += size + 1;
        while (size > 0 && (*directive == ' ' || *directive == '\t'))
            directive++, size--;
        if (size >= 8 && (strncasecmp(directive, "no-store", 8) == 0 || strncasecmp(directive, "no-cache", 8) == 0))
            return 0;
        if (size > sizeof(name) - 1 && strncasecmp(directive, name, sizeof(name) - 1) == 0) {
            char digits[16] = "";
            memcpy(digits, directive + sizeof(name) - 1,
                   size - (sizeof(name) - 1) < sizeof(digits) ? size - (sizeof(name) - 1) : sizeof(digits) - 1);
            char *end;
            long long seconds = strtoll(digits, &end, 10);
            if (end != digits && seconds >= 0)
                max_age_s = seconds;
        }
    }
    return max_age_s;
}

static size_t header_take(char *data, size_t size, size_t count, void *context)
{
    static const char name[] = "cache-control:";
    struct fetcher *fetcher = context;
    size_t length = size * count, value_length = length;
    fetcher->header_bytes += length;
    if (fetcher->header_bytes > HEADERS_MAX)
        return 0;
    if (length > sizeof(name) - 1 && strncasecmp(data, name, sizeof(name) - 1) == 0) {
        while (value_length > 0 && strchr("\r\n", data[value_length - 1]))
            value_length--;
        fetcher->max_age_s = max_age_of(data + sizeof(name) - 1, value_length - (sizeof(name) - 1));
    }
    return length;
}

/* libcurl asks at least once a second; anything but 0 ends the transfer. */
static int stop_asked(void *context, curl_off_t total UNUSED, curl_off_t now UNUSED, curl_off_t up_total UNUSED,
                      curl_off_t up_now UNUSED)
{
    const struct fetcher *fetcher = context;
    return atomic_load(fetcher->options.stopping);
}

static bool options_set(struct fetcher *fetcher)
{
    CURL *curl = fetcher->curl;
    const struct fetch_options *options = &fetcher->options;
    const char *protocols = options->allow_http ? "https,http" : "https";
    bool set = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, protocols) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)FETCH_CONNECT_TIMEOUT_MS) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)FETCH_TIMEOUT_MS) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK && /* waits for no name server */
               curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, stop_asked) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_XFERINFODATA, fetcher) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, body_take) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_WRITEDATA, fetcher) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, header_take) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_HEADERDATA, fetcher) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fetcher->headers) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, fetcher->problem) == CURLE_OK;
    return set && (!options->ca_file[0] || curl_easy_setopt(curl, CURLOPT_CAINFO, options->ca_file) == CURLE_OK);
}

struct fetcher *fetcher_new(const struct fetch_options *options)
{
    struct fetcher *fetcher = calloc(1, sizeof(*fetcher));
    if (!fetcher)
        return NULL;
    fetcher->options = *options;
    fetcher->curl = curl_easy_init();
    fetcher->headers = curl_slist_append(NULL, "Accept: application/json");
    if (fetcher->curl && fetcher->headers && options_set(fetcher))
        return fetcher;
    fetcher_free(fetcher);
    return NULL;
}

void fetcher_free(struct fetcher *fetcher)
{
    if (!fetcher)
        return;
    curl_easy_cleanup(fetcher->curl);
    curl_slist_free_all(fetcher->headers);
    free(fetcher);
}

static bool is_loopback(const char *host)
{
    return strcmp(host, "localhost") == 0 || strcmp(host, "127.0.0.1") == 0 || strcmp(host, "[::1]") == 0;
}

/* NULL, or what is wrong with the address. */
static const char *url_problem(CURLU *url, const char *text, bool allow_http)
{
    char *scheme = NULL, *host = NULL, *user = NULL;
    const char *problem = NULL;
    if (strlen(text) >= FETCH_URL_SIZE || curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK)
        problem = "is not an address of at most 511 bytes";
    else if (curl_url_get(url, CURLUPART_USER, &user, 0) == CURLUE_OK)
        problem = "holds a user name";
    else if (strcmp(scheme, "http") == 0 && allow_http && !is_loopback(host))
        problem = "is http, which is allowed for loopback addresses only";
    else if (strcmp(scheme, "https") != 0 && !(strcmp(scheme, "http") == 0 && allow_http))
        problem = "is not https";
    curl_free(scheme);
    curl_free(host);
    curl_free(user);
    return problem;
}

int fetch_url_check(const char *url, bool allow_http, struct err *err)
{
    CURLU *parsed = curl_url();
    const char *problem = parsed ? url_problem(parsed, url, allow_http) : "cannot be looked at";
    curl_url_cleanup(parsed);
    return problem ? err_setf(err, ERR_FIELD_INVALID, "%.200s %s", url, problem) : 0;
}

int fetch_document(struct fetcher *fetcher, const char *url, struct buf *body, int64_t *ret_max_age_s,
                   struct err *err)
{
    struct err cause = {0};
    long status = 0;
    if (fetch_url_check(url, fetcher->options.allow_http, &cause) < 0)
        return err_setf(err, ERR_ISSUER_UNAVAILABLE, "%s", cause.message);
    fetcher->body = body;
    fetcher->header_bytes = 0;
    fetcher->max_age_s = -1;
    fetcher->problem[0] = '\0';
    CURLcode result = curl_easy_setopt(fetcher->curl, CURLOPT_URL, url);
    if (result == CURLE_OK)
        result = curl_easy_perform(fetcher->curl);
    if (body->failed)
        return err_setf(err, ERR_ISSUER_UNAVAILABLE, "%.200s answers more than %zu bytes", url, body->max);
    if (result != CURLE_OK)
        return err_setf(err, ERR_ISSUER_UNAVAILABLE, "%.200s: %.200s", url,
                        fetcher->problem[0] ? fetcher->problem : curl_easy_strerror(result));
    curl_easy_getinfo(fetcher->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != STATUS_OK)
        return err_setf(err, ERR_ISSUER_UNAVAILABLE, "%.200s answers with status %ld", url, status);
    *ret_max_age_s = fetcher->max_age_s;
    return 0;
}
