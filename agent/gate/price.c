/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/price.h"

#include <stdlib.h>
#include <string.h>

#include "agent/gate/pending.h"
#include "agent/gate/report.h"
#include "agent/lib/buf.h"
#include "agent/lib/conf.h"
#include "agent/lib/file.h"
#include "agent/lib/msg.h"
#include "agent/lib/msg_life.h"

/* A quarter of a channel's buffer. */
#define PRICE_SIZE ((size_t)32 << 10)
#define ASKERS_MAX 64

struct price {
	struct report *report; /* borrowed */
	struct buf buf;
	uint32_t len; /* entries in it */
	struct msg_scans askers[ASKERS_MAX];
	size_t askers_len;
	uint64_t dropped;
	uint8_t bytes[PRICE_SIZE];
	char path[CONF_PATH_MAX];
};

static void
begin(struct price *price)
{
	msg_begin(&price->buf, price->bytes, PRICE_SIZE, MSG_SCANS);
	price->len = 0;
}

struct price *
price_new(struct report *report)
{
	struct price *price = calloc(1, sizeof(*price));

	if (!price)
		return NULL;
	price->report = report;
	begin(price);
	return price;
}

void
price_free(struct price *price)
{
	free(price);
}

static void
finish(struct price *price)
{
	if (price->len && (msg_end(&price->buf) < 0 ||
			   report_send(price->report, &price->buf) < 0))
		price->dropped += price->len;
	begin(price);
}

static void
put(struct price *price, const struct msg_scans *scans)
{
	size_t size = msg_life_scans_size(strlen(scans->path));

	if (size > PRICE_SIZE - price->buf.at)
		finish(price);
	msg_life_put_scans(&price->buf, scans);
	price->len++;
}

static void
put_askers(struct price *price)
{
	for (size_t i = 0; i < price->askers_len; i++)
		put(price, &price->askers[i]);
	price->askers_len = 0;
}

void
price_scan(struct price *price, const struct question *question, uint64_t us)
{
	struct msg_scans scans = {
		.boot_ns = question->boot_ns,
		.pid = question->cause == MSG_CAUSE_ASKED ? 0 : question->pid,
		.us = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX,
		.path = price->path,
	};

	if (file_path(question->fd, price->path, sizeof(price->path)) == 0)
		put(price, &scans);
	else
		price->dropped++;
}

void
price_question(struct price *price, const struct question *question)
{
	struct msg_scans *asker = NULL;

	for (size_t i = 0; i < price->askers_len; i++)
		if (price->askers[i].pid == question->pid)
			asker = &price->askers[i];
	if (!asker && price->askers_len == ASKERS_MAX)
		put_askers(price);
	if (!asker) {
		asker = &price->askers[price->askers_len++];
		*asker = (struct msg_scans){ .pid = question->pid, .path = "" };
	}
	asker->boot_ns = question->boot_ns;
	asker->questions++;
}

void
price_send(struct price *price)
{
	put_askers(price);
	finish(price);
}

uint64_t
price_dropped(const struct price *price)
{
	return price->dropped;
}
