/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the triggers of the network have in common: ends on the loopback. */
#pragma once

#include <arpa/inet.h>
#include <err.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct loopback {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
	socklen_t len;
};

/* A machine that just started has it down. */
static inline void
loopback_raise(void)
{
	struct ifreq lo = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &lo) < 0)
		err(2, "lo");
	lo.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &lo) < 0)
		err(2, "lo up");
	(void)close(fd);
}

/* "v4", "v6", or "mapped": IPv4 by a socket of IPv6. */
static inline struct loopback
loopback_make(const char *family, uint16_t port)
{
	struct loopback end = { .len = sizeof(end.v6) };

	if (strcmp(family, "v4") == 0) {
		end.v4.sin_family = AF_INET;
		end.v4.sin_port = htons(port);
		end.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		end.len = sizeof(end.v4);
		return end;
	}
	end.v6.sin6_family = AF_INET6;
	end.v6.sin6_port = htons(port);
	end.v6.sin6_addr = in6addr_loopback;
	if (strcmp(family, "mapped") == 0 &&
	    inet_pton(AF_INET6, "::ffff:127.0.0.1", &end.v6.sin6_addr) != 1)
		errx(2, "mapped");
	return end;
}

static inline uint16_t
loopback_port(const struct loopback *end)
{
	return ntohs(end->any.sa_family == AF_INET ? end->v4.sin_port :
						     end->v6.sin6_port);
}

/* As it is told: of a mapped address what is on the wire. */
static inline const char *
loopback_text(const struct loopback *end)
{
	static char text[INET6_ADDRSTRLEN];
	const uint8_t *address = end->v6.sin6_addr.s6_addr;

	if (end->any.sa_family == AF_INET)
		(void)inet_ntop(AF_INET, &end->v4.sin_addr, text, sizeof(text));
	else if (IN6_IS_ADDR_V4MAPPED(&end->v6.sin6_addr))
		(void)inet_ntop(AF_INET, address + 12, text, sizeof(text));
	else
		(void)inet_ntop(AF_INET6, address, text, sizeof(text));
	return text;
}

static inline int
loopback_socket(const struct loopback *end, int type)
{
	int fd = socket(end->any.sa_family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		err(2, "socket");
	return fd;
}

/* Where the socket is bound. */
static inline struct loopback
loopback_own(int fd)
{
	struct loopback end = { .len = sizeof(end.v6) };

	if (getsockname(fd, &end.any, &end.len) < 0)
		err(2, "getsockname");
	return end;
}

/* Listens on a port that is free, which `end` has then. */
static inline int
loopback_listen(struct loopback *end)
{
	int fd = loopback_socket(end, SOCK_STREAM);

	if (bind(fd, &end->any, end->len) < 0 || listen(fd, 8) < 0)
		err(2, "listen");
	*end = loopback_own(fd);
	return fd;
}

static inline int
loopback_connect(const struct loopback *end)
{
	int fd = loopback_socket(end, SOCK_STREAM);

	if (connect(fd, &end->any, end->len) < 0)
		err(2, "connect");
	return fd;
}

/* "ip": ..., "port": ... */
static inline void
loopback_print(const char *prefix, const struct loopback *end)
{
	(void)printf(",\"%sip\":\"%s\",\"%sport\":%u", prefix,
		     loopback_text(end), prefix, loopback_port(end));
}
