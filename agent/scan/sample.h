/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of this machine that are taken for good: a few of root's programs and
 * libraries, other ones on each machine, the same ones each time.
 */
#pragma once

#include <stddef.h>

#define SAMPLE_MAX 200
#define SAMPLE_SIZE_MAX (1024 * 1024) /* bytes of each that are looked at */
/* Names that are looked at on the way; /usr of a workstation has more. */
#define SAMPLE_SEEN_MAX 50000
#define SAMPLE_DEPTH_MAX 6

struct sample_file {
	char *path; /* owned */
	int fd;	    /* owned */
};

/* All zero before. */
struct sample {
	struct sample_file files[SAMPLE_MAX];
	size_t len;
};

/*
 * Opens files of root that nobody else may write, beneath bin, sbin and lib of
 * `root`; which ones is decided by `seed`.  digest_init() was called.  Returns
 * 0, also when there are few or none; -ENOMEM, -EIO.
 */
int sample_open(struct sample *sample, const char *root, const char *seed);
void sample_done(struct sample *sample);
