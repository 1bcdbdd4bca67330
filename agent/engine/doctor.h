/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The answer to "doctor": one object a check, with what to do about it. */
#pragma once

#include <stdbool.h>

struct client;
struct engine;

/* Puts the lines of the answer; returns whether a check failed. */
bool doctor_write(struct engine *engine, struct client *client);
