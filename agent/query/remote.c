/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/query/remote.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/lib/str.h"

#define MAPPED_BITS 96
#define TEXT_MAX 64

/* An address as the store's keys have it: IPv6, IPv4 mapped into that. */
struct address {
	uint8_t bytes[16];
	unsigned int prefix; /* bits that count, out of 128 */
};

static bool
is_mapped(const uint8_t *bytes)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(bytes, mapped, sizeof(mapped)) == 0;
}

/* "address" or "address/prefix"; `text` is changed. */
static int
parse_address(struct address *ret, char *text)
{
	char *slash = strchr(text, '/');
	unsigned int more = 0;
	uint64_t prefix;

	if (slash)
		*slash = '\0';
	memset(ret->bytes, 0, sizeof(ret->bytes));
	if (inet_pton(AF_INET, text, ret->bytes + 12) == 1) {
		ret->bytes[10] = ret->bytes[11] = 0xff;
		more = MAPPED_BITS;
	} else if (inet_pton(AF_INET6, text, ret->bytes) != 1) {
		return -EINVAL;
	}
	ret->prefix = 128;
	if (!slash)
		return 0;
	if (str_number(slash + 1, 128 - more, &prefix) < 0)
		return -EINVAL;
	ret->prefix = (unsigned int)prefix + more;
	return 0;
}

static void
set_range(struct remote *remote, const struct address *address)
{
	uint8_t first[16], last[16];

	for (unsigned int i = 0; i < 16; i++) {
		unsigned int bits =
			address->prefix > 8 * i ? address->prefix - 8 * i : 0;
		uint8_t rest = bits >= 8 ? 0 : (uint8_t)(0xff >> bits);
		first[i] = (uint8_t)(address->bytes[i] & ~rest);
		last[i] = address->bytes[i] | rest;
	}
	str_hex(remote->first, first, sizeof(first));
	str_hex(remote->last, last, sizeof(last));
}

static void
set_address(struct remote *remote, const struct address *address)
{
	bool four = is_mapped(address->bytes);

	set_range(remote, address);
	if (address->prefix == 128)
		(void)inet_ntop(four ? AF_INET : AF_INET6,
				address->bytes + (four ? 12 : 0),
				remote->address, sizeof(remote->address));
}

/*
 * Cuts the port off: behind the bracket, or behind the only colon.  Returns
 * where it is, or NULL.
 */
static char *
take_port(char **text)
{
	char *colon = strchr(*text, ':');

	if (**text == '[') {
		char *end = strchr(*text, ']');
		if (!end || (end[1] && end[1] != ':'))
			return NULL;
		colon = end[1] ? end + 1 : NULL;
		*end = '\0';
		++*text;
	} else if (colon && strchr(colon + 1, ':')) {
		return NULL;
	}
	if (!colon)
		return NULL;
	*colon = '\0';
	return colon + 1;
}

int
remote_find(struct remote *ret, const char *text)
{
	struct address address;
	char copy[TEXT_MAX];
	char *at = copy;
	uint64_t port;

	*ret = (struct remote){ 0 };
	if (str_copy(copy, sizeof(copy), text) < 0)
		return -EINVAL;
	char *number = take_port(&at);
	if (number) {
		if (str_number(number, UINT16_MAX, &port) < 0 || !port)
			return -EINVAL;
		ret->port = (uint16_t)port;
	}
	if (number && !*copy)
		return 0;
	int r = parse_address(&address, at);
	if (r == 0)
		set_address(ret, &address);
	return r;
}
