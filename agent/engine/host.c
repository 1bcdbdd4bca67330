/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/host.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "agent/engine/identity.h"
#include "agent/engine/store.h"
#include "agent/lib/file.h"
#include "agent/lib/log.h"
#include "agent/lib/str.h"

#define HOST_FILE "host-id"
#define KEY_ID "host_id"
#define KEY_NAME "hostname"

static void
write_file(const char *id)
{
	CLEANUP_FD int fd =
		open(HOST_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || file_write_all(fd, id, strlen(id)) < 0 ||
	    file_write_all(fd, "\n", 1) < 0)
		log_warning("%s: %m, the host's id is in the store only",
			    HOST_FILE);
}

int
host_init(struct identity *identity)
{
	char id[2 * IDENTITY_UUID_SIZE];
	size_t len;

	int r = file_read(AT_FDCWD, HOST_FILE, id, sizeof(id), &len);
	if (r == 0) {
		id[strcspn(id, "\n")] = '\0';
		if (identity_is_uuid(id)) {
			identity_set_host(identity, id);
			return 0;
		}
		(void)unlink(HOST_FILE);
	}
	r = identity_random(id);
	if (r == 0)
		identity_set_host(identity, id);
	return r;
}

static int
put_name(struct store *store, const struct identity *identity)
{
	char name[256];

	if (store_meta_get(store, KEY_NAME, name, sizeof(name)) == 0 &&
	    str_equal(name, identity->hostname))
		return 0;
	return store_meta_put(store, KEY_NAME, identity->hostname);
}

int
host_load(struct store *store, struct identity *identity)
{
	char id[IDENTITY_UUID_SIZE];

	int r = store_meta_get(store, KEY_ID, id, sizeof(id));
	if (r == 0 && identity_is_uuid(id))
		identity_set_host(identity, id);
	else
		r = store_meta_put(store, KEY_ID, identity->host_id);
	if (r == 0)
		r = put_name(store, identity);
	if (r == 0 && faccessat(AT_FDCWD, HOST_FILE, F_OK, 0) < 0)
		write_file(identity->host_id);
	return r;
}
