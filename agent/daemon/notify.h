/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tells the service manager how khiend is: the protocol of sd_notify(3), one
 * datagram a message to the socket that $NOTIFY_SOCKET names.
 *
 * Nothing here blocks: what the manager does not take now is said again at the
 * next beat, before the beat itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NOTIFY_ADDRESS_MAX 110 /* struct sockaddr_un, see unix(7) */
#define NOTIFY_TEXT_MAX 256

struct notify {
	int fd; /* -1: nobody wants to be told */
	uint8_t address[NOTIFY_ADDRESS_MAX];
	size_t address_size;
	uint64_t beat_ms;	    /* how often it wants a beat; 0: never */
	uint64_t next_ms;	    /* when the next beat is due */
	bool said;		    /* READY=1, for the first time */
	char text[NOTIFY_TEXT_MAX]; /* not taken yet; "": nothing */
};

/*
 * Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID from the environment; a
 * path or, beginning with '@', an abstract name.  Without NOTIFY_SOCKET nobody
 * is told anything.  Returns 0; -EAFNOSUPPORT for any other address,
 * -ENAMETOOLONG, -errno: then nobody is told either.
 */
int notify_open(struct notify *notify);
void notify_close(struct notify *notify);

/* The start is over.  `status` is one line for who asks the manager. */
void notify_ready(struct notify *notify, const char *status);
/* Configuration is read again; see notify_ready() for its end. */
void notify_reloading(struct notify *notify);
void notify_stopping(struct notify *notify);

/*
 * Call it from the loop, at least every second.  Says what was not taken, and
 * WATCHDOG=1 three times in the time that the manager waits for one.
 */
void notify_beat(struct notify *notify, uint64_t now_ms);
