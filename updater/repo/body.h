/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is signed: the parts that all roles have, and whether two bodies say
 * the same.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "updater/repo/duty.h"

struct doc;
struct doc_value;
struct metadata;
struct paper;

#define BODY_DATE_SIZE 40
#define BODY_DAY_S 86400

/* "2026-11-22T00:00:00Z" */
void body_date(char dst[BODY_DATE_SIZE], int64_t time_s);

/* Type, version, when it was issued and when it expires.  NULL: no memory. */
struct doc *body_new(enum duty_id id, int64_t version, int64_t now_s,
		     int64_t days);

/* Of a file: {"length":..., "hashes":{"sha256":...}}.  NULL: no memory. */
struct doc *body_entry(const void *bytes, size_t len);

/* Whether both say the same, but for version and times. */
bool body_same(const struct doc_value *a, const struct doc_value *b);

/* How much of its life is over, in percent; from 100 on it has expired. */
int body_age(const struct paper *paper, int64_t now_s);

/* Adds `paper` to the files that a snapshot or timestamp lists in "meta". */
void body_list(struct doc *meta, const struct paper *paper);
