/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * khien-scan under MSG_TRIAL_INDEX: tries a release that is not in force yet,
 * in the same jail as every scanner, says how it did, and ends.  It is linked
 * to nobody, and gives way to all others.
 */
#pragma once

/* Returns the exit status.  See worker.h for the same process at work. */
int trial_run(int argc, char **argv);
