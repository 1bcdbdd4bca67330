/* SPDX-License-Identifier: GPL-2.0-or-later */
/* khien-fetch as khiend's child: brings what khien-verify asks for. */
#pragma once

/* The exit status. */
int serve_run(int argc, char **argv);
