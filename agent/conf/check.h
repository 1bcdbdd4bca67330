/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What no single key shows: how keys fit together, and onto this machine. */
#pragma once

struct settings;

/*
 * Checks folders, and looks up the users and groups of all roles, which fills
 * the rest of settings->conf.  Errors are in settings->problem.
 */
void check_all(struct settings *settings);
