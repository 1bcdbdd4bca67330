/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A public key as metadata lists it, and whether a signature is its.
 *
 * A key whose type or scheme nobody here knows is kept, as others may use it:
 * it never verifies anything.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct doc_value;
struct key;
struct reason;

#define KEY_ID_SIZE 65	  /* SHA-256 in digits and a NUL */
#define KEY_SIG_MAX 8192  /* bytes; the longest known, ML-DSA-87's, has 4627 */
#define KEY_PEM_MAX 16384 /* characters; ML-DSA-87 needs 3652 */

enum key_kind {
	KEY_UNKNOWN,	  /* no such scheme is known */
	KEY_LACKING,	  /* this libcrypto is too old for it */
	KEY_CLASSICAL,	  /* ed25519, ECDSA, RSA */
	KEY_POST_QUANTUM, /* ML-DSA */
};

/*
 * `value` is what stands under the name `id`.  Returns 0; -EBADMSG when it is
 * not a key or not one of its scheme; -EKEYREJECTED when id is not the SHA-256
 * of its canonical form; -ENOMEM.
 */
int key_parse(const char *id, const struct doc_value *value,
	      struct key **ret_key, struct reason *why);
void key_free(struct key *key);
void key_freep(struct key **key);

/* These live as long as the key. */
const char *key_id(const struct key *key);
/* As the metadata writes it. */
const char *key_scheme(const struct key *key);
enum key_kind key_kind(const struct key *key);

/* Whether both are one key, whatever else stands beside it and however it is
   written. */
bool key_equal(const struct key *a, const struct key *b);

/*
 * Whether `sig`, in hexadecimal digits, is the key's under these canonical
 * bytes.  Returns 0; -EKEYREJECTED; -ENOPKG when the kind is unknown or
 * lacking; -ENOMEM.
 */
int key_verify(const struct key *key, const void *bytes, size_t len,
	       const char *sig);

/* Whether this machine can verify any post-quantum signature. */
bool key_has_post_quantum(void);
