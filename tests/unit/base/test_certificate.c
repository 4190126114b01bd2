/* Certificates are judged before TLS gets them. The pairs are of `openssl req -x509 -days 36500`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <isms/base/certificate.h>

static const char certificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBbzCCARWgAwIBAgIUZa2vQ+DE6/zGxjlNzt7ufJuECPQwCgYIKoZIzj0EAwIw\n"
    "DDEKMAgGA1UEAwwBYTAgFw0yNjExMjIxMDM4MjBaGA8yMTI2MTAyOTEwMzgyMFow\n"
    "DDEKMAgGA1UEAwwBYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABGKEGtF44aIe\n"
    "af7mojm8k3C1WKXa/wtfX7hLMfz41oWEr4HE7jmxk5HTbpIRvqVsSY2V5b/vT9SJ\n"
    "MO8pmPa49j2jUzBRMB0GA1UdDgQWBBRgp0WH3JBqAVKWrNc81uWlkz0n8TAfBgNV\n"
    "HSMEGDAWgBRgp0WH3JBqAVKWrNc81uWlkz0n8TAPBgNVHRMBAf8EBTADAQH/MAoG\n"
    "CCqGSM49BAMCA0gAMEUCIQCvh/noEY41biqnJTe1S7vN/E4VTe65m+c3o/OkAfAN\n"
    "bwIgSxNEV4ksmmKLy0qcDQe4SzKCrDwu94GVHZkP0RApwnk=\n"
    "-----END CERTIFICATE-----\n";

static const char key[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgLYFd8kiEPSHZzv0E\n"
    "8xmwitP9fGVYxnOQ5DA+apzXktqhRANCAARihBrReOGiHmn+5qI5vJNwtVil2v8L\n"
    "X1+4SzH8+NaFhK+BxO45sZOR026SEb6lbEmNleW/70/UiTDvKZj2uPY9\n"
    "-----END PRIVATE KEY-----\n";

static const char another_key[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQghq5PZpa1FG7e5+Ke\n"
    "FMMzxxxHJNnXR42s3cv734UucBuhRANCAAR+Y70sMTKcMkpx/TgHtYZ8IwiH68WY\n"
    "C89ChVBbvA2UY4r1MwJsm6mj60zXUuvSuCCTeAXXPI0cKi2nHVmligew\n"
    "-----END PRIVATE KEY-----\n";

static void a_pair_is_accepted_with_its_life(void **state UNUSED)
{
    struct certificate_life life;
    struct err err = {0};
    assert_int_equal(certificate_check(certificate, key, &life, &err), 0);
    assert_int_equal(life.begin_us, INT64_C(1795343900) * 1000000);
    assert_int_equal(life.end_us - life.begin_us, INT64_C(36500) * 24 * 3600 * 1000000);
    assert_int_equal(certificate_bundle_check(certificate, &err), 0);
}

static void refused(const char *chain, const char *pair, const char *why)
{
    struct certificate_life life = {.begin_us = 7};
    struct err err = {0};
    assert_int_equal(certificate_check(chain, pair, &life, &err), -1);
    assert_int_equal(life.begin_us, 7);
    if (!strstr(err.message, why))
        fail_msg("\"%s\" does not say \"%s\"", err.message, why);
}

static void what_does_not_fit_is_refused(void **state UNUSED)
{
    static char doubled[2 * sizeof(certificate)], cut[sizeof(certificate)];
    snprintf(cut, sizeof(cut), "%.*s", (int)sizeof(certificate) / 2, certificate);
    snprintf(doubled, sizeof(doubled), "%s%s", certificate, cut); /* a chain that is half written */
    refused(certificate, another_key, "another certificate's");
    refused(certificate, "", "no PEM private key");
    refused("", key, "not a chain");
    refused(key, key, "not a chain");
    refused(cut, key, "not a chain");
    refused(doubled, key, "not a chain");
    struct err err = {0};
    assert_int_equal(certificate_bundle_check("", &err), -1);
    assert_int_equal(certificate_bundle_check(key, &err), -1);
    assert_int_equal(certificate_bundle_check(doubled, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pair_is_accepted_with_its_life),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
