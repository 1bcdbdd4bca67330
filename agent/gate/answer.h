/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a question was answered, for the engine: what it must hear of it. */
#pragma once

struct msg_verdict;
struct question;

/*
 * Tells what came of a question, with its file's name and owner; nothing when
 * nobody asked for it and the file is clean.  A pending_answer_fn; `arg` is the
 * struct report.
 */
void answer_tell(void *arg, const struct question *question,
		 const struct msg_verdict *verdict);
