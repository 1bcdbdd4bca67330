/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One file from one address: follows redirects within bounds, and goes on where
 * a former try was cut.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http;
struct reason;
struct transfer;

/* Where the bytes go.  Each returns 0 or -errno. */
struct transfer_sink {
	int (*add)(void *arg, const void *bytes, size_t len);
	/* Forget what came so far: the file begins anew. */
	int (*restart)(void *arg);
	void *arg;
};

struct transfer_file {
	uint64_t size_max;
	bool packed; /* may be compressed on the way; then it is not resumed */
	uint32_t redirects_max;
	struct transfer_sink sink;
};

struct transfer_end {
	int error;	  /* 0, or -errno with why: as http.h and answer.h */
	bool again;	  /* may be tried again, after retry_s */
	bool here;	  /* the sink's error: no other server can help */
	uint64_t retry_s; /* the server's wish; 0: it has none */
	uint64_t size;	  /* bytes of the file so far */
	uint64_t came;	  /* of these, by this try */
	int64_t date_s;	  /* the server's Date; 0: not known */
};

typedef void (*transfer_fn)(void *arg, const struct transfer_end *end,
			    const struct reason *why);

/* Borrows http.  NULL: no memory. */
struct transfer *transfer_new(struct http *http);
void transfer_free(struct transfer *transfer);

/* Another file, which is copied; nothing may be under way. */
void transfer_begin(struct transfer *transfer,
		    const struct transfer_file *file);

/*
 * A try at one address.  When it is the address of the last try, which was cut,
 * and the server can tell that the file is the same still, only the rest is
 * asked for.  Returns 0, and fn will be called, later; or -errno and why.
 */
int transfer_try(struct transfer *transfer, const char *url, transfer_fn fn,
		 void *arg, struct reason *why);
/* Ends it: fn is not called. */
void transfer_stop(struct transfer *transfer);
