/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/repo/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/tuf/reason.h"

#define TERMINAL "/dev/tty"

void
passphrase_wipe(struct passphrase *passphrase)
{
	explicit_bzero(passphrase->text, sizeof(passphrase->text));
	(void)munlock(passphrase->text, sizeof(passphrase->text));
}

static int
read_file(struct passphrase *passphrase, const char *file, struct reason *why)
{
	size_t len;

	int r = file_read(AT_FDCWD, file, passphrase->text,
			  sizeof(passphrase->text), &len);
	if (r < 0)
		return reason_set(why, r, "passphrase file %.200s: %s", file,
				  strerror(-r));
	size_t end = strcspn(passphrase->text, "\r\n");
	if (strlen(passphrase->text) != len ||
	    end + strspn(passphrase->text + end, "\r\n") != len)
		return reason_set(why, -EINVAL,
				  "passphrase file %.200s: has more than one "
				  "line, or a NUL",
				  file);
	explicit_bzero(passphrase->text + end, sizeof(passphrase->text) - end);
	return 0;
}

/* One line, a character at a time: nothing of it stays in a buffer. */
static int
read_line(int fd, char *dst, size_t size)
{
	size_t len = 0;
	char c;

	for (;;) {
		ssize_t got = read(fd, &c, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0 || c == '\n')
			break;
		if (len + 1 == size)
			return -ENAMETOOLONG;
		dst[len++] = c;
	}
	dst[len] = '\0';
	return 0;
}

static int
ask(int fd, const char *about, const char *again, char *dst, size_t size)
{
	struct termios before, silent;

	if (tcgetattr(fd, &before) < 0)
		return -errno;
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	silent.c_lflag |= ICANON | ECHONL;
	/* What was typed before the question is no answer to it. */
	if (tcsetattr(fd, TCSAFLUSH, &silent) < 0)
		return -errno;
	(void)dprintf(fd, "Passphrase of %s%s: ", about, again);
	int r = read_line(fd, dst, size);
	(void)tcsetattr(fd, TCSAFLUSH, &before);
	return r;
}

static int
ask_all(int fd, struct passphrase *passphrase, const char *about, bool is_new,
	struct reason *why)
{
	CLEANUP(passphrase_wipe) struct passphrase second = { "" };

	int r = ask(fd, about, "", passphrase->text, sizeof(passphrase->text));
	if (r == 0 && is_new)
		r = ask(fd, about, ", again", second.text, sizeof(second.text));
	if (r < 0)
		return reason_set(why, r, "the terminal: %s", strerror(-r));
	if (is_new && !str_equal(passphrase->text, second.text))
		return reason_set(why, -EINVAL,
				  "the two passphrases differ: try again");
	return 0;
}

static int
read_terminal(struct passphrase *passphrase, const char *about, bool is_new,
	      struct reason *why)
{
	CLEANUP_FD int fd = open(TERMINAL, O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return reason_set(why, -ENOTTY,
				  "there is no terminal to ask for the "
				  "passphrase of %.100s: use --passphrase-file",
				  about);
	return ask_all(fd, passphrase, about, is_new, why);
}

int
passphrase_get(struct passphrase *ret_passphrase, const char *about,
	       const char *file, bool is_new, struct reason *why)
{
	memset(ret_passphrase->text, 0, sizeof(ret_passphrase->text));
	(void)mlock(ret_passphrase->text, sizeof(ret_passphrase->text));
	int r = file ? read_file(ret_passphrase, file, why) :
		       read_terminal(ret_passphrase, about, is_new, why);
	if (r < 0)
		return r;
	if (!ret_passphrase->text[0] ||
	    (is_new && strlen(ret_passphrase->text) < PASSPHRASE_LEN_MIN))
		return reason_set(why, -EINVAL,
				  "the passphrase of %.100s is too short: %d "
				  "characters are the least",
				  about, PASSPHRASE_LEN_MIN);
	return 0;
}
