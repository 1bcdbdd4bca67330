/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/conf/boot.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "agent/lib/file.h"

#define LINE_MAX_SIZE 8192 /* no architecture's COMMAND_LINE_SIZE is larger */
#define SPACES " \t\n"

bool
boot_disarms(const char *text)
{
	for (text += strspn(text, SPACES); *text;
	     text += strspn(text, SPACES)) {
		size_t len = strcspn(text, SPACES);
		if (len == strlen(BOOT_DISARM) &&
		    memcmp(text, BOOT_DISARM, len) == 0)
			return true;
		text += len;
	}
	return false;
}

bool
boot_is_disarmed(void)
{
	CLEANUP_FD int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	char text[LINE_MAX_SIZE];
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (len < 0)
		return false;
	text[len] = '\0';
	return boot_disarms(text);
}
