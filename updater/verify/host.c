/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/verify/host.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/str.h"
#include "updater/release/choose.h"
#include "updater/release/wave.h"

#define MACHINE_ID "/etc/machine-id" /* machine-id(5) */

int
host_read(const char *place, struct host *ret_host)
{
	uint64_t percent;
	size_t len;

	*ret_host = (struct host){ .place = CHOOSE_ANY_PLACE };
	if (place[0]) {
		if (str_number(place, WAVE_PERCENT_MAX, &percent) < 0)
			return -EINVAL;
		ret_host->place = (int32_t)percent;
		return 0;
	}
	int r = file_read(AT_FDCWD, MACHINE_ID, ret_host->seed,
			  sizeof(ret_host->seed), &len);
	if (r == 0)
		ret_host->seed[strcspn(ret_host->seed, "\n")] = '\0';
	if (r < 0 || !ret_host->seed[0]) {
		log_warning(MACHINE_ID " cannot be read: this machine is in "
				       "the last wave of each release");
		ret_host->seed[0] = '\0';
		ret_host->place = WAVE_PERCENT_MAX;
	}
	return 0;
}
