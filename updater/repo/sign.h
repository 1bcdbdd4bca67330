/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Secret keys: making, keeping and signing.  Wraps OpenSSL's libcrypto, 3.0 or
 * newer; ML-DSA takes 3.5, which is found out when it runs.
 *
 * A key's file is PKCS#8 in PEM, encrypted by its passphrase: scrypt (RFC 7914)
 * and AES-256-CBC, as "openssl pkcs8 -topk8 -scrypt" writes it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct reason;
struct sign_key;

#define SIGN_PEM_MAX 65536 /* bytes of a key's file: ML-DSA-87 takes 7,000 */

/* The schemes that sign_new() makes, separated by ", ". */
const char *sign_schemes(void);

/*
 * Makes a key of one of them.  Returns 0; -EINVAL when no such scheme is
 * known; -ENOPKG when this libcrypto lacks it; -EIO.
 */
int sign_new(const char *option, struct sign_key **ret_key, struct reason *why);
void sign_free(struct sign_key *key);
void sign_freep(struct sign_key **key);

/*
 * From a key's file, ended by NUL.  Returns 0; -EBADMSG when it is none, or
 * not encrypted; -EKEYREJECTED when the passphrase is wrong; -ENOPKG when it
 * is a key of a kind that is not known here.
 */
int sign_read(const char *pem, const char *passphrase,
	      struct sign_key **ret_key, struct reason *why);
/* The key's file, to be freed with free().  Returns 0, -EIO or -ENOMEM. */
int sign_write(const struct sign_key *key, const char *passphrase,
	       char **ret_pem);

/* As metadata writes them; static, but for the public half, which is to be
   freed with free() and NULL when there is no memory. */
const char *sign_type(const struct sign_key *key);
const char *sign_scheme(const struct sign_key *key);
char *sign_public(const struct sign_key *key);

/*
 * Signs canonical bytes; the signature in hexadecimal digits, to be freed with
 * free().  See key_verify() for the other side.  Returns 0, -EIO or -ENOMEM.
 */
int sign_bytes(const struct sign_key *key, const void *bytes, size_t len,
	       char **ret_sig);
