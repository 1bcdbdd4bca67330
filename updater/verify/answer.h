/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said of a job: out of its record, and the clock. */
#pragma once

#include <stdint.h>

struct job;
struct msg_update;
struct msg_updated;

/* error: what the job returned.  The texts last as long as the job. */
void answer_fill(struct job *job, const struct msg_update *update, int error,
		 struct msg_updated *ret_updated);
