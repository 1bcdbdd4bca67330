/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One request by HTTP/1.1 over TCP or TLS and its answer, in the loop of
 * whoever asks.  A connection is used again by the next request.  Wraps
 * libcurl; follows no redirect, keeps no cookie, knows no password, and looks
 * at none of the environment's proxies.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "updater/http/limits.h"

struct http;
struct loop;
struct reason;

#define HTTP_ETAG_SIZE 256
#define HTTP_RANGE_SIZE 128

struct http_options {
	const char *ca;	   /* certificates (PEM) to trust, and no others; NULL:
			      none, so that https:// fails */
	size_t ca_len;	   /* bytes */
	const char *proxy; /* address; "": none */
	struct limits limits;
};

struct http_head {
	long status;
	int64_t date_s;	  /* the server's Date; 0: none */
	uint64_t length;  /* Content-Length; 0: not said */
	uint64_t retry_s; /* Retry-After; 0: not said */
	bool packed;	  /* came compressed, and was unpacked on the way */
	char etag[HTTP_ETAG_SIZE];	     /* "": none, or too long */
	char content_range[HTTP_RANGE_SIZE]; /* likewise */
};

struct http_end {
	int error;	      /* 0: the answer is whole; or -errno, see why */
	bool again;	      /* an error that may pass */
	const char *redirect; /* where to, or "" */
	const struct http_head *head;
};

struct http_request {
	const char *url;   /* copied */
	uint64_t from;	   /* only what is behind these bytes; 0: all */
	const char *etag;  /* of these bytes: when it is another now, all */
	uint64_t size_max; /* of the body, also on the wire */
	bool packed;	   /* may come gzip-compressed; whether that ended
			      well is for who knows the file to say */
	/* Once, before the body.  Returns 1: the body is wanted; 0: it is
	   not; or -errno to end the request (set the reason, too). */
	int (*on_head)(void *arg, const struct http_head *head,
		       struct reason *why);
	/* Its pieces, what was compressed unpacked.  0, or -errno to end. */
	int (*on_body)(void *arg, const void *bytes, size_t len,
		       struct reason *why);
	/* Once, at last; may begin the next request. */
	void (*on_end)(void *arg, const struct http_end *end,
		       const struct reason *why);
	void *arg;
};

/*
 * Once, before a seal: libcurl and its libraries; names are looked up by
 * hosts(5) and DNS alone, by what libc has built in.  Returns 0 or -errno.
 */
int http_init(void);
/* "libcurl/7.88.1 OpenSSL/3.0.15 ...". */
const char *http_version(void);
/* Where this libcurl looks for the system's certificates; NULL: nowhere. */
const char *http_ca_file(void);

/*
 * The options are copied.  Returns 0, -EINVAL (see why), -ENOMEM.  Errors of
 * requests: -ETIMEDOUT too slow; -EFBIG more than size_max; -EHOSTUNREACH,
 * -ECONNREFUSED no connection; -EACCES the server's certificate is not
 * trusted; -EPROTO what comes is not HTTP as it should be; -EPIPE the answer
 * ended early; -EIO anything else; what on_head and on_body returned.
 */
int http_new(struct loop *loop, const struct http_options *options,
	     struct http **ret_http, struct reason *why);
void http_free(struct http *http);
void http_freep(struct http **http);

/*
 * Begins a request; only when none is under way.  Returns 0, and on_end() will
 * be called, later; or -ENOMEM, or -EACCES when there is nothing to check a
 * server's certificate against.
 */
int http_start(struct http *http, const struct http_request *request,
	       struct reason *why);
/* Ends the request that is under way, if any: on_end() is not called. */
void http_stop(struct http *http);
