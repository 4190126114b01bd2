/* certificate.c: see certificate.h. OpenSSL's error queue is emptied after each failure (crypto.c says why). */
#include <isms/base/certificate.h>

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <time.h>

static int refuse(struct err *err, const char *why)
{
    ERR_clear_error();
    return err_setf(err, ERR_INTERNAL, "%s", why);
}

static BIO *text_open(const char *text)
{
    return BIO_new_mem_buf(text, (int)strnlen(text, INT_MAX));
}

static int64_t time_us(const ASN1_TIME *time)
{
    struct tm fields;
    return ASN1_TIME_to_tm(time, &fields) ? (int64_t)timegm(&fields) * 1000000 : 0;
}

static EVP_PKEY *key_read(const char *text)
{
    BIO *file = text_open(text);
    EVP_PKEY *key = file ? PEM_read_bio_PrivateKey(file, NULL, NULL, (void *)(uintptr_t)"") : NULL;
    BIO_free(file);
    return key;
}

/* Reads all certificates of a text; answers how many, -1 where something in it is none. */
static int certificates_count(const char *text)
{
    BIO *file = text_open(text);
    int count = 0;
    X509 *certificate;
    while (file && (certificate = PEM_read_bio_X509(file, NULL, NULL, NULL))) {
        X509_free(certificate);
        count++;
    }
    bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    BIO_free(file);
    return at_end ? count : -1;
}

static X509 *leaf_read(const char *chain)
{
    BIO *file = text_open(chain);
    X509 *leaf = file ? PEM_read_bio_X509(file, NULL, NULL, NULL) : NULL;
    BIO_free(file);
    return leaf;
}

int certificate_check(const char *chain, const char *key, struct certificate_life *ret_life, struct err *err)
{
    if (certificates_count(chain) < 1)
        return refuse(err, "is not a chain of PEM certificates");
    X509 *leaf = leaf_read(chain);
    EVP_PKEY *pair = key_read(key);
    bool fits = leaf && pair && X509_check_private_key(leaf, pair) == 1;
    struct certificate_life life = {0};
    if (fits)
        life = (struct certificate_life){.begin_us = time_us(X509_get0_notBefore(leaf)),
                                         .end_us = time_us(X509_get0_notAfter(leaf))};
    bool has_key = pair != NULL;
    X509_free(leaf);
    EVP_PKEY_free(pair);
    if (!has_key)
        return refuse(err, "has no PEM private key beside it");
    if (!fits)
        return refuse(err, "has a private key beside it that is another certificate's");
    *ret_life = life;
    return 0;
}

int certificate_bundle_check(const char *bundle, struct err *err)
{
    return certificates_count(bundle) < 1 ? refuse(err, "is not a bundle of PEM certificates") : 0;
}
