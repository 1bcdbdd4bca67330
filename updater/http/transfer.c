/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/http/transfer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/str.h"
#include "updater/http/answer.h"
#include "updater/http/http.h"
#include "updater/http/url.h"
#include "updater/tuf/reason.h"

struct transfer {
	struct http *http; /* borrowed */
	struct transfer_file file;
	transfer_fn fn;
	void *arg;
	char first[URL_SIZE];	   /* what was asked for */
	char now[URL_SIZE];	   /* where that has led to */
	char etag[HTTP_ETAG_SIZE]; /* of the bytes that are there, or "" */
	uint64_t size;		   /* bytes that are there */
	uint64_t total;		   /* of the file; 0: not known */
	uint64_t before;	   /* size, when this try began */
	uint32_t redirects;	   /* followed in this try */
	enum answer_means means;   /* of the last answer */
	bool here;		   /* the sink failed */
};

struct transfer *
transfer_new(struct http *http)
{
	struct transfer *transfer = calloc(1, sizeof(*transfer));

	if (transfer)
		transfer->http = http;
	return transfer;
}

void
transfer_free(struct transfer *transfer)
{
	if (!transfer)
		return;
	transfer_stop(transfer);
	free(transfer);
}

static void
forget(struct transfer *transfer)
{
	transfer->size = 0;
	transfer->total = 0;
	transfer->etag[0] = '\0';
}

void
transfer_begin(struct transfer *transfer, const struct transfer_file *file)
{
	transfer->file = *file;
	transfer->first[0] = '\0';
	forget(transfer);
}

/* The file comes from its first byte on. */
static int
begin_anew(struct transfer *transfer, const struct http_head *head)
{
	const struct transfer_sink *sink = &transfer->file.sink;

	forget(transfer);
	if (!head->packed && answer_is_strong(head->etag))
		(void)str_copy(transfer->etag, sizeof(transfer->etag),
			       head->etag);
	transfer->total = head->packed ? 0 : head->length;
	return sink->restart(sink->arg);
}

static int
not_kept(struct transfer *transfer, int error, struct reason *why)
{
	transfer->here = true;
	return reason_set(why, error, "cannot be kept: %s", strerror(-error));
}

static int
on_head(void *arg, const struct http_head *head, struct reason *why)
{
	struct transfer *transfer = arg;
	const struct answer answer = { .status = head->status,
				       .content_range = head->content_range,
				       .etag = head->etag };
	const struct answer_asked asked = { .from = transfer->size,
					    .total = transfer->total,
					    .size_max = transfer->file.size_max,
					    .etag = transfer->etag };
	uint64_t total = 0;

	transfer->means = answer_read(&answer, &asked, &total, why);
	if (transfer->means == ANSWER_REST)
		transfer->total = total;
	if (transfer->means == ANSWER_WHOLE) {
		int r = begin_anew(transfer, head);
		if (r < 0)
			return not_kept(transfer, r, why);
	}
	return transfer->means == ANSWER_WHOLE ||
	       transfer->means == ANSWER_REST;
}

static int
on_body(void *arg, const void *bytes, size_t len, struct reason *why)
{
	struct transfer *transfer = arg;
	const struct transfer_sink *sink = &transfer->file.sink;

	int r = sink->add(sink->arg, bytes, len);
	if (r < 0)
		return not_kept(transfer, r, why);
	transfer->size += len;
	return 0;
}

static void
end(struct transfer *transfer, int error, bool again,
    const struct http_head *head, const struct reason *why)
{
	struct transfer_end what = {
		.error = error,
		.again = again,
		.here = transfer->here,
		.size = transfer->size,
		.date_s = head ? head->date_s : 0,
		.retry_s = head && transfer->means == ANSWER_LATER ?
				   head->retry_s :
				   0,
	};

	if (transfer->size > transfer->before)
		what.came = transfer->size - transfer->before;
	transfer->fn(transfer->arg, &what, why);
}

static void on_end(void *arg, const struct http_end *what,
		   const struct reason *why);

static int
ask(struct transfer *transfer, struct reason *why)
{
	const struct http_request request = {
		.url = transfer->now,
		.from = transfer->size,
		.etag = transfer->etag,
		.size_max = transfer->file.size_max,
		.packed = transfer->file.packed,
		.on_head = on_head,
		.on_body = on_body,
		.on_end = on_end,
		.arg = transfer,
	};

	transfer->means = 0;
	transfer->here = false;
	return http_start(transfer->http, &request, why);
}

/* Where the server sends us, unless it must not. */
static int
follow(struct transfer *transfer, const char *to, struct reason *why)
{
	if (!to[0])
		return reason_set(why, -EPROTO, "sends us nowhere");
	if (transfer->redirects >= transfer->file.redirects_max)
		return reason_set(why, -EPROTO,
				  "sends us on more than %u times",
				  transfer->file.redirects_max);
	int r = url_check_redirect(transfer->now, to, why);
	if (r < 0)
		return r;
	transfer->redirects++;
	(void)str_copy(transfer->now, sizeof(transfer->now), to);
	return ask(transfer, why);
}

/* An answer that came whole. */
static void
on_answer(struct transfer *transfer, const struct http_end *what,
	  const struct reason *said)
{
	struct reason why = *said;
	int r = 0;

	switch (transfer->means) {
	case ANSWER_WHOLE:
	case ANSWER_REST:
		if (transfer->total && transfer->size != transfer->total)
			r = reason_set(&why, -EPROTO,
				       "is not as long as was said");
		break;
	case ANSWER_ELSEWHERE:
		r = follow(transfer, what->redirect, &why);
		if (r == 0)
			return;
		break;
	case ANSWER_ANEW:
		forget(transfer);
		r = answer_error(transfer->means);
		break;
	default:
		r = answer_error(transfer->means);
	}
	end(transfer, r,
	    transfer->means == ANSWER_LATER || transfer->means == ANSWER_ANEW,
	    what->head, &why);
}

static void
on_end(void *arg, const struct http_end *what, const struct reason *why)
{
	struct transfer *transfer = arg;

	if (what->error < 0) {
		/* Without this they might be of two files. */
		if (!transfer->etag[0])
			forget(transfer);
		end(transfer, what->error, what->again, what->head, why);
		return;
	}
	on_answer(transfer, what, why);
}

int
transfer_try(struct transfer *transfer, const char *url, transfer_fn fn,
	     void *arg, struct reason *why)
{
	if (!str_equal(url, transfer->first))
		forget(transfer);
	if (str_copy(transfer->first, sizeof(transfer->first), url) < 0)
		return reason_set(why, -ENAMETOOLONG,
				  "the address is too long");
	(void)str_copy(transfer->now, sizeof(transfer->now), url);
	transfer->fn = fn;
	transfer->arg = arg;
	transfer->before = transfer->size;
	transfer->redirects = 0;
	return ask(transfer, why);
}

void
transfer_stop(struct transfer *transfer)
{
	http_stop(transfer->http);
}
