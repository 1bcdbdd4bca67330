/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The answer to `status --hot`, for people. */
#pragma once

struct doc_value;

void hot_print(const struct doc_value *doc);
