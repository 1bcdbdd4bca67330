/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * khien-verify for people: a repository in a folder, or an export file, is
 * verified and its release staged as on an endpoint, in the same jail.
 */
#pragma once

struct offline {
	const char *folder; /* or NULL */
	const char *file;   /* an export file; or NULL */
	const char *trust;  /* a folder */
	const char *state;  /* a folder; NULL: one that is gone afterwards */
	const char *place;  /* "": by the host */
	const char *said;   /* to be printed instead of all that; or NULL */
};

/*
 * Prints the object, or says on standard error why there is none.  Returns the
 * exit code: 0; 1 refused.
 */
int offline_run(const struct offline *offline);
