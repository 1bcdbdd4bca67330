/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an event of the network or of privilege says, as a part of a line. */
#pragma once

struct doc_value;

/* "10.0.0.1:443", from whom, how long and how much, or what was asked for. */
void deed_put_network(const struct doc_value *doc);
/* What was changed, done to whom, or loaded. */
void deed_put_privilege(const struct doc_value *doc);
