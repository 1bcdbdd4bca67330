/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the gate's work is for, told to the engine: each scan with its file and
 * how long it took, and how often each process asked.  It is for people who
 * look for what costs, so what cannot be sent at once is dropped and counted.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct buf;
struct price;
struct question;
struct report;

/* Borrows the report.  NULL: no memory. */
struct price *price_new(struct report *report);
void price_free(struct price *price);

/* A scanner had the question's file for so long. */
void price_scan(struct price *price, const struct question *question,
		uint64_t us);

/* Somebody waited for its answer. */
void price_question(struct price *price, const struct question *question);

/* Sends what there is. */
void price_send(struct price *price);

/* Scans and questions that were not told, since the start. */
uint64_t price_dropped(const struct price *price);
