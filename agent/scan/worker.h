/* SPDX-License-Identifier: GPL-2.0-or-later */
/* khien-scan as a child of khiend: answers the gate's questions. */
#pragma once

/* argv as main()'s.  Returns the exit status. */
int worker_run(int argc, char **argv);
