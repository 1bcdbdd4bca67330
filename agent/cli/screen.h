/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent's state on one screen, and the doctor's checks, for people. */
#pragma once

struct doc_value;

/* The one object of `status`. */
void screen_status(const struct doc_value *doc);
/* One check of `doctor`: a line. */
void screen_check(const struct doc_value *doc);
