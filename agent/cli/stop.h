/* SPDX-License-Identifier: GPL-2.0-or-later */
/* khienctl stop, and what khienctl guard prints. */
#pragma once

struct args;
struct doc_value;

/*
 * Asks the agent at the socket to stop, and waits until it has.  Returns the
 * exit code.
 *
 * With --service it is the service manager that wants to stop its unit.  One
 * that is not guarded is left to it; a guarded one lets itself be stopped only
 * while the manager stops the whole system, else it refuses, and the exit code
 * is 1.
 */
int stop_run(const struct args *args, const char *socket);

/* How the agent is guarded, for people. */
void stop_print_guard(const struct doc_value *doc);
