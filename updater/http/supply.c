/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/http/supply.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/lib/file.h"
#include "agent/lib/loop.h"
#include "agent/lib/str.h"
#include "updater/http/http.h"
#include "updater/http/mirrors.h"
#include "updater/http/url.h"
#include "updater/tuf/reason.h"

/* A try that brought as much was not in vain. */
#define MUCH (64 * 1024)
/* Of what one mirror did, so that there is room for that of others. */
#define SAID_SIZE 200

struct supply {
	struct http *http;	   /* owned */
	struct transfer *transfer; /* owned */
	struct mirrors mirrors;
	struct limits limits;
	struct loop_watch *pause;    /* until the next try */
	struct loop_watch *deadline; /* of the order */
	/* Of the order that is under way. */
	bool busy;
	struct supply_order order; /* path and folder are in url[] alone */
	char path[URL_SIZE];	   /* folder/path, or "" */
	char folder[16];
	supply_fn fn;
	void *arg;
	struct mirrors_file file;
	size_t at;   /* the mirror that is asked, or was last */
	bool asked;  /* any of them */
	bool absent; /* one of them has no such file */
	int error;   /* of the last failure */
	char said[MIRRORS_MAX][SAID_SIZE]; /* why each failed, or "" */
};

static uint64_t
now_ms(void)
{
	return loop_now_ns() / 1000000;
}

/* What each did: "https://a/: ...; https://b/: ...". */
static void
tell(const struct supply *supply, struct reason *why)
{
	size_t len = 0;

	why->text[0] = '\0';
	for (size_t i = 0; i < supply->mirrors.len; i++) {
		if (!supply->said[i][0] || len >= sizeof(why->text))
			continue;
		int r = snprintf(why->text + len, sizeof(why->text) - len,
				 "%s%.100s: %s", len ? "; " : "",
				 supply->mirrors.list[i].url, supply->said[i]);
		if (r > 0)
			len += (size_t)r;
	}
}

static void
finish(struct supply *supply, struct supply_end *end, const struct reason *why)
{
	const struct transfer_sink *sink = &supply->order.sink;

	supply_stop(supply);
	end->index = supply->at;
	/* Nothing is left of what is not whole. */
	if (end->error < 0)
		(void)sink->restart(sink->arg);
	supply->fn(supply->arg, end, why);
}

static void
give_up(struct supply *supply, int error)
{
	struct supply_end end = { .error = error, .mirror = "" };
	struct reason why;

	tell(supply, &why);
	if (!why.text[0])
		(void)reason_set(&why, error, "there is no other mirror");
	finish(supply, &end, &why);
}

static int try_next(void *arg);

static void
on_failure(struct supply *supply, const struct transfer_end *what,
	   const struct reason *why)
{
	uint64_t wish_ms =
		what->retry_s < UINT32_MAX ? what->retry_s * 1000 : UINT64_MAX;
	char wish[64] = "";

	supply->error = what->error;
	if (wish_ms > supply->limits.wait_ms)
		(void)snprintf(wish, sizeof(wish),
			       ", and wants %" PRIu64 " s until the next try",
			       what->retry_s);
	(void)snprintf(supply->said[supply->at], SAID_SIZE, "%.120s%s",
		       why->text, wish);
	if (what->here) {
		give_up(supply, what->error);
		return;
	}
	if (what->came >= MUCH)
		mirrors_forgive(&supply->mirrors, &supply->file, supply->at);
	mirrors_failed(&supply->mirrors, &supply->file, supply->at, now_ms(),
		       wish_ms, what->again);
	(void)try_next(supply);
}

static void
on_absent(struct supply *supply, const struct transfer_end *what,
	  const struct reason *why)
{
	struct supply_end end = { .error = -ENOENT, .date_s = what->date_s };

	mirrors_worked(&supply->mirrors, supply->at);
	supply->absent = true;
	supply->file.out[supply->at] = true;
	(void)snprintf(supply->said[supply->at], SAID_SIZE, "%.120s",
		       why->text);
	if (supply->order.must) {
		(void)try_next(supply);
		return;
	}
	end.mirror = supply->mirrors.list[supply->at].url;
	finish(supply, &end, why);
}

static void
on_end(void *arg, const struct transfer_end *what, const struct reason *why)
{
	struct supply *supply = arg;
	struct supply_end end = { .size = what->size, .date_s = what->date_s };

	if (what->error == -ENOENT) {
		on_absent(supply, what, why);
	} else if (what->error < 0) {
		on_failure(supply, what, why);
	} else {
		mirrors_worked(&supply->mirrors, supply->at);
		end.mirror = supply->mirrors.list[supply->at].url;
		finish(supply, &end, why);
	}
}

static int
address(const struct supply *supply, char *dst, size_t size, struct reason *why)
{
	const char *base = supply->mirrors.list[supply->at].url;

	if (!supply->path[0])
		return str_copy(dst, size, base);
	return url_join(dst, size, base, supply->folder, supply->path, why);
}

/* Asks that mirror.  What cannot even be asked has failed. */
static void
ask(struct supply *supply)
{
	struct reason why = { "" };
	char url[URL_SIZE];

	supply->asked = true;
	int r = address(supply, url, sizeof(url), &why);
	if (r == 0)
		r = transfer_try(supply->transfer, url, on_end, supply, &why);
	if (r == 0)
		return;
	const struct transfer_end end = { .error = r };
	if (!why.text[0])
		(void)reason_set(&why, r, "%s", strerror(-r));
	on_failure(supply, &end, &why);
}

/* Now, or after a pause. */
static int
try_next(void *arg)
{
	struct supply *supply = arg;
	uint64_t wait_ms;

	if (!supply->busy)
		return 0;
	int r = mirrors_next(&supply->mirrors, &supply->file, now_ms(),
			     &supply->at, &wait_ms);
	if (r < 0) {
		if (!supply->asked)
			give_up(supply, -ENXIO);
		else
			give_up(supply,
				supply->absent ? -ENOENT : supply->error);
		return 0;
	}
	if (wait_ms)
		return loop_set_timer(supply->pause, wait_ms, 0);
	ask(supply);
	return 0;
}

static uint64_t
whole_ms(const struct supply *supply)
{
	const struct limits *limits = &supply->limits;

	return limits->whole_ms +
	       supply->order.size_max / limits->whole_bytes * 1000;
}

static int
on_deadline(void *arg)
{
	struct supply *supply = arg;

	if (!supply->busy)
		return 0;
	(void)snprintf(supply->said[supply->at], SAID_SIZE,
		       "is not done after %" PRIu64 " ms", whole_ms(supply));
	give_up(supply, -ETIMEDOUT);
	return 0;
}

int
supply_new(struct loop *loop, const char *mirrors,
	   const struct http_options *options, struct supply **ret_supply,
	   struct reason *why)
{
	CLEANUP(supply_freep)
	struct supply *supply = calloc(1, sizeof(*supply));

	if (!supply)
		return -ENOMEM;
	supply->limits = options->limits;
	int r = mirrors_parse(&supply->mirrors, mirrors, why);
	if (r == 0)
		r = http_new(loop, options, &supply->http, why);
	if (r < 0)
		return r;
	supply->mirrors.tries = options->limits.tries;
	supply->mirrors.backoff_ms = options->limits.backoff_ms;
	supply->mirrors.wait_ms = options->limits.wait_ms;
	supply->transfer = transfer_new(supply->http);
	supply->pause = loop_add_timer(loop, 0, try_next, supply);
	supply->deadline = loop_add_timer(loop, 0, on_deadline, supply);
	if (!supply->transfer || !supply->pause || !supply->deadline)
		return -ENOMEM;
	*ret_supply = TAKE(supply);
	return 0;
}

void
supply_free(struct supply *supply)
{
	if (!supply)
		return;
	transfer_free(supply->transfer);
	http_free(supply->http);
	loop_remove(supply->pause);
	loop_remove(supply->deadline);
	mirrors_done(&supply->mirrors);
	free(supply);
}

void
supply_freep(struct supply **supply)
{
	supply_free(*supply);
	*supply = NULL;
}

static int
take_path(struct supply *supply, const struct supply_order *order,
	  struct reason *why)
{
	supply->path[0] = '\0';
	if (!order->path)
		return 0;
	int r = url_check_path(order->path, why);
	if (r == 0)
		r = str_copy(supply->folder, sizeof(supply->folder),
			     order->folder);
	return r < 0 ? r :
		       str_copy(supply->path, sizeof(supply->path),
				order->path);
}

int
supply_start(struct supply *supply, const struct supply_order *order,
	     supply_fn fn, void *arg, struct reason *why)
{
	const struct transfer_file file = {
		.size_max = order->size_max,
		.packed = order->packed,
		.redirects_max = supply->limits.redirects,
		.sink = order->sink,
	};

	if (supply->busy)
		return -EBUSY;
	int r = take_path(supply, order, why);
	if (r < 0)
		return r;
	supply->order = *order;
	supply->fn = fn;
	supply->arg = arg;
	supply->asked = supply->absent = false;
	supply->error = 0;
	supply->at = 0;
	supply->file = (struct mirrors_file){ 0 };
	memset(supply->said, 0, sizeof(supply->said));
	for (size_t i = 0; i < order->from && i < MIRRORS_MAX; i++)
		supply->file.out[i] = true;
	transfer_begin(supply->transfer, &file);
	supply->busy = true;
	/* Never from in here: the caller is told later. */
	r = loop_set_timer(supply->pause, 1, 0);
	return r < 0 ? r :
		       loop_set_timer(supply->deadline, whole_ms(supply), 0);
}

void
supply_stop(struct supply *supply)
{
	transfer_stop(supply->transfer);
	supply->busy = false;
	(void)loop_set_timer(supply->pause, 0, 0);
	(void)loop_set_timer(supply->deadline, 0, 0);
}
