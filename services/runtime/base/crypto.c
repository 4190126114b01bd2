/* crypto.c: OpenSSL behind our types.
 *
 * A hash must never be missing, and no request may end the process for want of memory: so digests are computed by the
 * functions that take none, which OpenSSL 3 calls deprecated because they go past its providers. (They are also twice
 * as fast on what is short: nothing is looked up.) What depends on input (keys, signatures, encodings) is answered.
 * OpenSSL queues errors per thread, where the next TLS call of another library would find them: whoever handles a
 * failure empties the queue. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <isms/base/crypto.h>

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <isms/base/bug.h>

enum { KEY_FILE_MAX = 16 * 1024 };

struct signing_key {
    EVP_PKEY *pair;
    uint8_t public_key[ED25519_PUBLIC_SIZE];
};

struct sha256_sum {
    SHA256_CTX digest;
};

struct sha256 sha256_of(const void *data, size_t length)
{
    struct sha256_sum sum;
    SHA256_Init(&sum.digest);
    SHA256_Update(&sum.digest, data, length);
    return sha256_sum_value(&sum);
}

struct sha256_sum *sha256_sum_new(void)
{
    struct sha256_sum *sum = malloc(sizeof(*sum));
    if (sum)
        SHA256_Init(&sum->digest);
    return sum;
}

void sha256_sum_freep(struct sha256_sum **sum)
{
    free(*sum);
    *sum = NULL;
}

void sha256_sum_add(struct sha256_sum *sum, const void *data, size_t length)
{
    SHA256_Update(&sum->digest, data, length);
}

struct sha256 sha256_sum_value(const struct sha256_sum *sum)
{
    struct sha256_sum copy = *sum;
    struct sha256 hash;
    SHA256_Final(hash.bytes, &copy.digest);
    return hash;
}

static struct sha256_sum hmac_begin(const uint8_t key[static SHA256_CBLOCK], uint8_t pad)
{
    struct sha256_sum sum;
    uint8_t block[SHA256_CBLOCK];
    for (size_t i = 0; i < sizeof(block); i++)
        block[i] = key[i] ^ pad;
    SHA256_Init(&sum.digest);
    SHA256_Update(&sum.digest, block, sizeof(block));
    OPENSSL_cleanse(block, sizeof(block));
    return sum;
}

/* RFC 2104. */
struct sha256 hmac_sha256(const void *key, size_t key_length, const void *data, size_t length)
{
    uint8_t block[SHA256_CBLOCK] = {0};
    if (key_length > sizeof(block)) {
        struct sha256 hashed = sha256_of(key, key_length);
        memcpy(block, hashed.bytes, sizeof(hashed.bytes));
    } else if (key_length > 0)
        memcpy(block, key, key_length);
    struct sha256_sum inner = hmac_begin(block, 0x36);
    struct sha256_sum outer = hmac_begin(block, 0x5c);
    OPENSSL_cleanse(block, sizeof(block));
    sha256_sum_add(&inner, data, length);
    struct sha256 hash = sha256_sum_value(&inner);
    sha256_sum_add(&outer, hash.bytes, sizeof(hash.bytes));
    return sha256_sum_value(&outer);
}

void random_bytes(void *data, size_t length)
{
    uint8_t *byte = data;
    while (length > 0) {
        ssize_t count = getrandom(byte, length, 0);
        BUG_IF(count < 0 && errno != EINTR);
        if (count > 0) {
            byte += count;
            length -= (size_t)count;
        }
    }
}

bool equal_constant_time(const void *a, const void *b, size_t length)
{
    return CRYPTO_memcmp(a, b, length) == 0;
}

void hex_encode(const void *data, size_t length, char *ret_text)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *byte = data;
    for (size_t i = 0; i < length; i++) {
        ret_text[2 * i] = digits[byte[i] >> 4];
        ret_text[2 * i + 1] = digits[byte[i] & 15];
    }
    ret_text[2 * length] = '\0';
}

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

bool hex_decode(const char *text, size_t text_length, uint8_t *ret_data)
{
    if (text_length % 2)
        return false;
    for (size_t i = 0; i < text_length; i++)
        if (hex_digit(text[i]) < 0)
            return false;
    for (size_t i = 0; i < text_length / 2; i++)
        ret_data[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
    return true;
}

static const char base64url_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void base64url_encode(struct buf *buf, const void *data, size_t length)
{
    const uint8_t *byte = data;
    for (size_t i = 0; i < length; i += 3) {
        size_t count = length - i < 3 ? length - i : 3;
        unsigned bits = (unsigned)byte[i] << 16;
        if (count > 1)
            bits |= (unsigned)byte[i + 1] << 8;
        if (count > 2)
            bits |= byte[i + 2];
        char text[4];
        for (size_t digit = 0; digit <= count; digit++)
            text[digit] = base64url_digits[bits >> (18 - 6 * digit) & 63];
        buf_append(buf, text, count + 1);
    }
}

static int base64url_digit(char digit)
{
    if (digit >= 'A' && digit <= 'Z')
        return digit - 'A';
    if (digit >= 'a' && digit <= 'z')
        return digit - 'a' + 26;
    if (digit >= '0' && digit <= '9')
        return digit - '0' + 52;
    return digit == '-' ? 62 : digit == '_' ? 63 : -1;
}

int base64url_decode(struct buf *buf, const char *text, size_t length, struct err *err)
{
    unsigned last = 0;
    for (size_t i = 0; i < length; i++) {
        int value = base64url_digit(text[i]);
        if (value < 0)
            return err_setf(err, ERR_FIELD_INVALID, "a character is not of the base64url alphabet");
        last = (unsigned)value;
    }
    size_t rest = length % 4;
    if (rest == 1 || (rest == 2 && last & 15) || (rest == 3 && last & 3))
        return err_setf(err, ERR_FIELD_INVALID, "the base64url text is cut or not in its one valid form");

    for (size_t i = 0; i < length; i += 4) {
        size_t count = length - i < 4 ? length - i : 4;
        unsigned bits = 0;
        for (size_t digit = 0; digit < count; digit++)
            bits |= (unsigned)base64url_digit(text[i + digit]) << (18 - 6 * digit);
        const uint8_t bytes[] = {(uint8_t)(bits >> 16), (uint8_t)(bits >> 8), (uint8_t)bits};
        buf_append(buf, bytes, count - 1);
    }
    return buf->failed ? err_set(err, ERR_MESSAGE_TOO_LARGE) : 0;
}

/* Takes `pair` over, also when it fails. */
static int signing_key_wrap(EVP_PKEY *pair, struct signing_key **ret_key, struct err *err)
{
    struct signing_key *key = calloc(1, sizeof(*key));
    size_t size = sizeof(key->public_key);
    if (!key || EVP_PKEY_get_raw_public_key(pair, key->public_key, &size) != 1 ||
        size != sizeof(key->public_key)) {
        EVP_PKEY_free(pair);
        free(key);
        ERR_clear_error();
        return err_setf(err, ERR_INTERNAL, "the Ed25519 key could not be loaded");
    }
    key->pair = pair;
    *ret_key = key;
    return 0;
}

/* In place of OpenSSL's own, which would ask for a pass phrase on the terminal. */
static int passphrase_refuse(char *text UNUSED, int size UNUSED, int write UNUSED, void *context UNUSED)
{
    return -1;
}

int signing_key_parse(const char *pem, struct signing_key **ret_key, struct err *err)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *pair = bio ? PEM_read_bio_PrivateKey(bio, NULL, passphrase_refuse, NULL) : NULL;
    BIO_free(bio);
    if (!pair || EVP_PKEY_get_id(pair) != EVP_PKEY_ED25519) {
        EVP_PKEY_free(pair);
        ERR_clear_error();
        return err_setf(err, ERR_INTERNAL,
                        "not an unencrypted Ed25519 key in PEM form (openssl genpkey -algorithm ed25519)");
    }
    return signing_key_wrap(pair, ret_key, err);
}

int signing_key_load(const char *path, struct signing_key **ret_key, struct err *err)
{
    char text[KEY_FILE_MAX];
    struct err cause = {0};
    FILE *file = fopen(path, "re");
    if (!file)
        return err_setf(err, ERR_INTERNAL, "%s cannot be read: %s", path, strerror(errno));
    size_t length = fread(text, 1, sizeof(text) - 1, file);
    text[length] = '\0';
    fclose(file);
    int result = signing_key_parse(text, ret_key, &cause);
    explicit_bzero(text, sizeof(text));
    return result < 0 ? err_setf(err, ERR_INTERNAL, "%s: %s", path, cause.message) : 0;
}

int signing_key_generate(struct signing_key **ret_key, struct err *err)
{
    EVP_PKEY *pair = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    if (!pair) {
        ERR_clear_error();
        return err_setf(err, ERR_INTERNAL, "an Ed25519 key could not be generated");
    }
    return signing_key_wrap(pair, ret_key, err);
}

void signing_key_pem(const struct signing_key *key, struct buf *ret_pem)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    char *text = NULL;
    if (bio && PEM_write_bio_PKCS8PrivateKey(bio, key->pair, NULL, NULL, 0, NULL, NULL) == 1) {
        long length = BIO_get_mem_data(bio, &text);
        buf_append(ret_pem, text, (size_t)length);
    } else {
        ERR_clear_error();
        ret_pem->failed = true;
    }
    BIO_free(bio);
}

void signing_key_free(struct signing_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pair); /* wipes the private half */
    free(key);
}

void signing_key_freep(struct signing_key **key)
{
    signing_key_free(*key);
    *key = NULL;
}

void signing_key_public(const struct signing_key *key, uint8_t ret_public[static ED25519_PUBLIC_SIZE])
{
    memcpy(ret_public, key->public_key, ED25519_PUBLIC_SIZE);
}

/* RFC 5869 with no salt; 32 bytes are one block of its expansion. */
struct sha256 signing_key_derive(const struct signing_key *key, const char *purpose)
{
    static const uint8_t no_salt[SHA256_SIZE];
    uint8_t secret[32];
    size_t size = sizeof(secret);
    BUG_IF(EVP_PKEY_get_raw_private_key(key->pair, secret, &size) != 1 || size != sizeof(secret));
    struct sha256 extracted = hmac_sha256(no_salt, sizeof(no_salt), secret, sizeof(secret));
    OPENSSL_cleanse(secret, sizeof(secret));

    char info[128];
    size_t length = strlen(purpose);
    BUG_IF(length >= sizeof(info));
    memcpy(info, purpose, length);
    info[length] = 1; /* the block's number */
    struct sha256 derived = hmac_sha256(extracted.bytes, sizeof(extracted.bytes), info, length + 1);
    OPENSSL_cleanse(&extracted, sizeof(extracted));
    return derived;
}

int ed25519_sign(const struct signing_key *key, const void *data, size_t length,
                 uint8_t ret_signature[static ED25519_SIGNATURE_SIZE], struct err *err)
{
    uint8_t signature[ED25519_SIGNATURE_SIZE];
    size_t size = sizeof(signature);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool done = context && EVP_DigestSignInit(context, NULL, NULL, NULL, key->pair) == 1 &&
                EVP_DigestSign(context, signature, &size, data, length) == 1;
    EVP_MD_CTX_free(context);
    if (!done) {
        ERR_clear_error();
        return err_set(err, ERR_OVERLOADED); /* nothing but memory can lack */
    }
    memcpy(ret_signature, signature, sizeof(signature));
    return 0;
}

bool ed25519_verify(const uint8_t public_key[static ED25519_PUBLIC_SIZE], const void *data, size_t length,
                    const uint8_t signature[static ED25519_SIGNATURE_SIZE])
{
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, ED25519_PUBLIC_SIZE);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool valid = key && context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
                 EVP_DigestVerify(context, signature, ED25519_SIGNATURE_SIZE, data, length) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return valid;
}
