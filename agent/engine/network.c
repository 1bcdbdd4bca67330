/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/network.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/engine/clock.h"
#include "agent/engine/image.h"
#include "agent/engine/record.h"
#include "agent/engine/row.h"
#include "agent/engine/schema.h"
#include "agent/engine/tree.h"
#include "agent/lib/event.h"
#include "agent/lib/str.h"

#define KEY_SIZE 33

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
static const uint8_t nowhere[16];

/* An IPv6 socket that speaks IPv4: that is what is on the wire. */
static bool
is_mapped(const uint8_t *address)
{
	return memcmp(address, mapped, sizeof(mapped)) == 0;
}

static uint16_t
family_of(const struct event *event)
{
	if (event->net_family == AF_INET6 && is_mapped(event->remote))
		return AF_INET;
	return event->net_family;
}

/* In the one form that inet_ntop(3) gives; NULL for what it does not know. */
static const char *
address_text(uint16_t family, const uint8_t *address, char *dst)
{
	if (family == AF_INET6 && is_mapped(address))
		return inet_ntop(AF_INET, address + 12, dst, INET6_ADDRSTRLEN);
	if (family != AF_INET && family != AF_INET6)
		return NULL;
	return inet_ntop(family, address, dst, INET6_ADDRSTRLEN);
}

/* As IPv6 in hexadecimal, IPv4 mapped: see remote_find() of khien-query. */
static const char *
address_key(uint16_t family, const uint8_t *address, char *dst)
{
	uint8_t key[16];

	if (family != AF_INET && family != AF_INET6)
		return NULL;
	memcpy(key, address, sizeof(key));
	if (family == AF_INET) {
		memcpy(key, mapped, sizeof(mapped));
		memcpy(key + sizeof(mapped), address, 4);
	}
	str_hex(dst, key, sizeof(key));
	return dst;
}

/* Whether the peer began it: 1, 0, or -1 when that is not known. */
static int
inbound(const struct event *event)
{
	switch (event->type) {
	case EVENT_ACCEPT:
		return 1;
	case EVENT_DISCONNECT:
		return event->value == EVENT_BY_PEER ? 1 :
		       event->value == EVENT_BY_US   ? 0 :
						       -1;
	default:
		return 0;
	}
}

/* inbound to remote_port; an address of zeros and no port was not known. */
static void
put_ends(struct row *row, const struct event *event)
{
	bool near = memcmp(event->local, nowhere, sizeof(nowhere)) != 0;
	bool far = memcmp(event->remote, nowhere, sizeof(nowhere)) != 0 ||
		   event->remote_port;
	uint16_t family = event->net_family;
	char text[INET6_ADDRSTRLEN];
	char key[KEY_SIZE];
	int began = inbound(event);

	row_number_if(row, began >= 0, began);
	row_number(row, family_of(event));
	row_number_if(row, event->protocol, event->protocol);
	row_text(row, near ? address_text(family, event->local, text) : NULL);
	row_number_if(row, event->local_port, event->local_port);
	row_text(row, far ? address_text(family, event->remote, text) : NULL);
	row_text(row, far ? address_key(family, event->remote, key) : NULL);
	row_number_if(row, event->remote_port, event->remote_port);
}

void
network_row(struct row *row, const struct event *event, const struct tree *tree,
	    const struct tree_process *process, const struct clock *clock)
{
	const struct image *image =
		image_at(process ? process->image : NULL, event->boot_ns);
	bool ends = event->type == EVENT_DISCONNECT;
	bool asks = event->type == EVENT_DNS;
	bool known = event->pid != 0;

	row_begin(row, SCHEMA_NETWORK, (uint8_t)event->class, event->count);
	record_put_head(row, event, clock);
	row_number(row, (int64_t)event->count);
	record_put_entity(row, event, tree, process);
	row_number_if(row, known, event->pid);
	row_id(row, known ? event->uid : UINT32_MAX);
	row_text(row, known ? event->comm : NULL);
	row_text(row, image ? image->executable : NULL);
	put_ends(row, event);
	row_number_if(row, ends, (int64_t)event->sent);
	row_number_if(row, ends, (int64_t)event->received);
	row_number_if(row, ends && event->age_ns, (int64_t)event->age_ns);
	row_text(row, asks ? event->path2 : NULL);
	row_number_if(row, asks && event->path2 && *event->path2,
		      (int64_t)event->value);
}
