/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent's records as text for people, on standard output. */
#pragma once

#include <stddef.h>

struct doc_value;

/* One of `detections`: a line, and one or two below it. */
void print_detection(const struct doc_value *doc);
/* One of `events`: a line. */
void print_event(const struct doc_value *doc);
/* One of `tree`: a line, indented by khien.depth. */
void print_process(const struct doc_value *doc);
/* One of `rules`: a line. */
void print_rule(const struct doc_value *doc);
/* A file in quarantine, or one that came out of it: a line. */
void print_kept(const struct doc_value *doc);
/* A content that is allowed since it was restored: a line. */
void print_allowed(const struct doc_value *doc);
/* Any object: a line for each value in it, with its dotted name. */
void print_all(const struct doc_value *doc);
