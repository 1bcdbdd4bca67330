/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"

#define UUID_BYTES 16

/*
 * FNV-1a with 128 bits.  It names, it does not protect: nobody outside the
 * kernel chooses a process's pid and start time.
 */
typedef unsigned __int128 wide;

static wide
wide_of(uint64_t high, uint64_t low)
{
	return (wide)high << 64 | low;
}

static wide
hash(wide state, const void *bytes, size_t len)
{
	const wide prime = wide_of(UINT64_C(0x1000000), 0x13b);
	const uint8_t *at = bytes;

	for (size_t i = 0; i < len; i++)
		state = (state ^ at[i]) * prime;
	return state;
}

static void
set_uuid(char dst[IDENTITY_UUID_SIZE], const uint8_t bytes[UUID_BYTES])
{
	char hex[2 * UUID_BYTES + 1];

	str_hex(hex, bytes, UUID_BYTES);
	(void)snprintf(dst, IDENTITY_UUID_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s",
		       hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

int
identity_random(char dst[IDENTITY_UUID_SIZE])
{
	uint8_t bytes[UUID_BYTES];

	ssize_t len = getrandom(bytes, sizeof(bytes), 0);
	if (len < 0)
		return -errno;
	if (len != sizeof(bytes))
		return -EIO;
	bytes[6] = (bytes[6] & 0x0f) | 0x40; /* version 4 */
	bytes[8] = (bytes[8] & 0x3f) | 0x80; /* variant of RFC 9562 */
	set_uuid(dst, bytes);
	return 0;
}

int
identity_is_uuid(const char *text)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (strlen(text) != IDENTITY_UUID_SIZE - 1)
		return 0;
	for (size_t i = 0; form[i]; i++)
		if (form[i] == '-' ? text[i] != '-' :
				     !strchr("0123456789abcdef", text[i]))
			return 0;
	return 1;
}

int
identity_read(struct identity *identity)
{
	char text[2 * IDENTITY_UUID_SIZE];
	size_t len;

	int r = file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", text,
			  sizeof(text), &len);
	if (r < 0)
		return r;
	text[strcspn(text, "\n")] = '\0';
	if (!identity_is_uuid(text))
		return -EINVAL;
	(void)str_copy(identity->boot_id, sizeof(identity->boot_id), text);
	if (gethostname(identity->hostname, sizeof(identity->hostname)) < 0)
		return -errno;
	identity->hostname[sizeof(identity->hostname) - 1] = '\0';
	return 0;
}

void
identity_set_host(struct identity *identity, const char *host_id)
{
	/* The offset basis of FNV with 128 bits. */
	wide state = wide_of(UINT64_C(0x6c62272e07bb0142),
			     UINT64_C(0x62b821756295c58d));

	(void)str_copy(identity->host_id, sizeof(identity->host_id), host_id);
	state = hash(state, identity->host_id, strlen(identity->host_id));
	state = hash(state, identity->boot_id, strlen(identity->boot_id));
	identity->high = (uint64_t)(state >> 64);
	identity->low = (uint64_t)state;
}

void
identity_entity(const struct identity *identity, uint32_t pid,
		uint64_t start_ns, char dst[IDENTITY_ENTITY_SIZE])
{
	uint8_t key[sizeof(pid) + sizeof(start_ns)], bytes[sizeof(wide)];
	wide state = wide_of(identity->high, identity->low);

	for (size_t i = 0; i < sizeof(pid); i++)
		key[i] = (uint8_t)(pid >> (8 * i));
	for (size_t i = 0; i < sizeof(start_ns); i++)
		key[sizeof(pid) + i] = (uint8_t)(start_ns >> (8 * i));
	state = hash(state, key, sizeof(key));
	/* Folded; the start goes first so that an index grows at its end. */
	state = wide_of(start_ns, (uint64_t)(state >> 64) ^ (uint64_t)state);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(state >> (8 * (sizeof(bytes) - 1 - i)));
	str_hex(dst, bytes, sizeof(bytes));
}
