/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command `update`: asks, shows how far it is, and how releases of rules
 * stand then.
 */
#pragma once

struct args;
struct client;
struct doc_value;

/* Returns the command's exit code: 0 done, 1 refused or failed, 2 error. */
int update_run(const struct args *args, struct client *client);

/* A few lines on an object with khien.update. */
void update_print(const struct doc_value *doc);
