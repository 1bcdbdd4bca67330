/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the age of the trusted metadata means now: khien-verify says it when it
 * is asked, and time goes on.  Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct msg_updated;

#define ALARM_TEXT_SIZE 512

/* enum msg_update_alarm; now_s is the time of day. */
uint16_t alarm_now(const struct msg_updated *updated, uint64_t now_s);

/* One word for programs: "none", "clock", "freeze", "expired", "half",
   "four_fifths". */
const char *alarm_word(uint16_t alarm);

/* A sentence for people, "" for none; ALARM_TEXT_SIZE.  Returns how grave it
   is: enum reason_state. */
int alarm_write(const struct msg_updated *updated, uint16_t alarm, char *dst);
