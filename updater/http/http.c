/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/http/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>

#include "updater/tuf/reason.h"

#define CONNECT_S 20L
#define WHOLE_S 900L	/* also what comes before the body */
#define SLOW_BYTES 200L /* a second, for SLOW_S: given up */
#define SLOW_S 30L
#define REDIRECTS 5L
#define PROTOCOLS "http,https"

struct http {
	CURL *curl;
};

struct body {
	int (*fn)(void *arg, const void *bytes, size_t len);
	void *arg;
	size_t left;
	int result;
};

static size_t
on_body(char *bytes, size_t one, size_t len, void *arg)
{
	struct body *body = arg;

	len *= one;
	if (len > body->left)
		body->result = -EFBIG;
	else
		body->result = body->fn(body->arg, bytes, len);
	if (body->result < 0)
		return CURL_WRITEFUNC_ERROR;
	body->left -= len;
	return len;
}

static CURLcode
set_up(CURL *curl)
{
	const struct {
		CURLoption option;
		long value;
	} longs[] = {
		{ CURLOPT_NOSIGNAL, 1 },
		{ CURLOPT_FAILONERROR, 1 },
		{ CURLOPT_PATH_AS_IS, 1 },
		{ CURLOPT_FOLLOWLOCATION, 1 },
		{ CURLOPT_MAXREDIRS, REDIRECTS },
		{ CURLOPT_CONNECTTIMEOUT, CONNECT_S },
		{ CURLOPT_TIMEOUT, WHOLE_S },
		{ CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES },
		{ CURLOPT_LOW_SPEED_TIME, SLOW_S },
	};
	CURLcode code = CURLE_OK;

	for (size_t i = 0; i < sizeof(longs) / sizeof(longs[0]); i++)
		if (code == CURLE_OK)
			code = curl_easy_setopt(curl, longs[i].option,
						longs[i].value);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, PROTOCOLS);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR,
					PROTOCOLS);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_USERAGENT,
					"khien/" KHIEN_VERSION);
	return code == CURLE_OK ?
		       curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body) :
		       code;
}

struct http *
http_new(void)
{
	struct http *http = calloc(1, sizeof(*http));

	if (!http || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(http);
		return NULL;
	}
	http->curl = curl_easy_init();
	if (!http->curl || set_up(http->curl) != CURLE_OK) {
		http_free(http);
		return NULL;
	}
	return http;
}

void
http_free(struct http *http)
{
	if (!http)
		return;
	curl_easy_cleanup(http->curl);
	curl_global_cleanup();
	free(http);
}

static int
explain(struct http *http, CURLcode code, const struct body *body,
	struct reason *why)
{
	long status = 0;

	if (body->result < 0)
		return reason_set(why, body->result,
				  body->result == -EFBIG ? "is too long" :
							   "was not taken");
	(void)curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status);
	/* Some servers say 403 of what is not there. */
	if (code == CURLE_HTTP_RETURNED_ERROR &&
	    (status == 404 || status == 403 || status == 410))
		return reason_set(why, -ENOENT, "is not on the mirror");
	return reason_set(why,
			  code == CURLE_OPERATION_TIMEDOUT ? -ETIMEDOUT : -EIO,
			  "cannot be had: %s (status %ld)",
			  curl_easy_strerror(code), status);
}

int
http_get(struct http *http, const char *url, size_t size_max,
	 int (*fn)(void *arg, const void *bytes, size_t len), void *arg,
	 struct reason *why)
{
	struct body body = { .fn = fn, .arg = arg, .left = size_max };

	CURLcode code = curl_easy_setopt(http->curl, CURLOPT_WRITEDATA, &body);
	if (code == CURLE_OK)
		code = curl_easy_setopt(http->curl, CURLOPT_URL, url);
	if (code == CURLE_OK)
		code = curl_easy_perform(http->curl);
	return code == CURLE_OK ? 0 : explain(http, code, &body, why);
}
