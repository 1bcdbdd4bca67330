/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a person is told of a repository, as one JSON object. */
#pragma once

struct job;
struct msg_updated;

/* One line, to be freed with free().  NULL: no memory. */
char *report_text(const struct job *job, const struct msg_updated *updated);
