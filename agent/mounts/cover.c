/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/mounts/cover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/lib/conf.h"
#include "agent/lib/file.h"
#include "agent/lib/msg.h"
#include "agent/lib/paths.h"
#include "agent/lib/str.h"
#include "agent/mounts/decide.h"
#include "agent/mounts/elsewhere.h"
#include "agent/mounts/explain.h"
#include "agent/mounts/layers.h"
#include "agent/mounts/kind.h"
#include "agent/mounts/page.h"
#include "agent/mounts/spaces.h"
#include "agent/mounts/table.h"
#include "agent/mounts/walk.h"
#include "agent/mounts/watch.h"

struct cover {
	struct page *page;
	int proc, root, list; /* /proc, our root folder, our mountinfo */
	bool layers_asked;    /* see layers.h */
	struct table own, other;
	struct watch watch, enforce;
	struct spaces spaces;
	struct elsewhere elsewhere;
	struct marks marks;
};

/* Where a mount is, and by what its path is walked. */
struct place {
	struct table *table;
	uint64_t space; /* 0: ours */
	uint32_t pid;
	int root;
};

static int
open_all(struct cover *cover)
{
	cover->proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cover->proc < 0)
		return -errno;
	cover->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (cover->root < 0)
		return -errno;
	cover->list =
		openat(cover->proc, "self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (cover->list < 0)
		return -errno;
	int r = table_init(&cover->own);
	return r < 0 ? r : table_init(&cover->other);
}

int
cover_open(struct page *page, marks_send_fn send, void *arg,
	   struct cover **ret_cover)
{
	struct cover *cover = calloc(1, sizeof(*cover));

	if (!cover)
		return -ENOMEM;
	cover->page = page;
	cover->marks.send = send;
	cover->marks.arg = arg;
	cover->proc = cover->root = cover->list = -1;
	cover->layers_asked = layers_are_asked();
	cover->watch.list = WATCH_WATCHED;
	cover->enforce.list = WATCH_ENFORCED;
	int r = open_all(cover);
	if (r < 0) {
		cover_close(cover);
		return r;
	}
	*ret_cover = cover;
	return 0;
}

void
cover_close(struct cover *cover)
{
	if (!cover)
		return;
	elsewhere_clear(&cover->elsewhere);
	table_done(&cover->own);
	table_done(&cover->other);
	file_closep(&cover->list);
	file_closep(&cover->root);
	file_closep(&cover->proc);
	free(cover);
}

int
cover_fd(const struct cover *cover)
{
	return cover->list;
}

int
cover_proc(const struct cover *cover)
{
	return cover->proc;
}

static enum decide_reason
judge(const struct cover *cover, const struct conf *conf,
      const struct place *place, const struct table_mount *mount)
{
	struct decide_facts facts = {
		.kind = mount->kind,
		.elsewhere = place->space != 0,
		.off = str_equal(conf->mode, "off"),
		.excluded = paths_has(mount->point, conf->exclude),
		.watching = conf->watch[0] != '\0',
		.watched = watch_has(&cover->watch, mount->device),
		.behind_foreign = table_is_behind_foreign(place->table, mount),
		.layered = cover->layers_asked && layers_has(mount->type),
	};

	return decide_mount(&facts);
}

/* Walks to it, and remembers meanwhile whither. */
static int
reach(struct cover *cover, const struct place *place,
      const struct table_mount *mount, struct walk_id *ret_id)
{
	struct page_way way = { .space = place->space,
				.id = mount->id,
				.device = mount->device };

	if (page_is_hung(cover->page, &way))
		return -EDEADLK;
	page_begin(cover->page, &way);
	int fd = walk_open(place->table, mount, place->root, ret_id);
	page_end(cover->page);
	return fd;
}

static bool *
flag_of(struct marks_entry *entry, const struct place *place)
{
	return place->space ? &entry->elsewhere : &entry->here;
}

/* Whether who opens or executes a file there waits for a scan. */
static bool
is_asked(const struct cover *cover, const struct conf *conf, uint64_t device)
{
	return str_equal(conf->mode, "enforce") &&
	       (conf->enforce[0] == '\0' || watch_has(&cover->enforce, device));
}

/* Has it watched, unless another mount of the same file system was. */
static void
want(struct cover *cover, const struct conf *conf, const struct place *place,
     struct table_mount *mount)
{
	struct marks_entry *entry = marks_find(&cover->marks, mount->device);
	struct msg_mark mark = { .device = mount->device,
				 .what = MSG_MARK_ADD,
				 .all = mount->kind == KIND_LOCAL,
				 .ask = is_asked(cover, conf, mount->device) };
	struct walk_id id;

	if (entry && *flag_of(entry, place))
		return;
	CLEANUP_FD int fd = reach(cover, place, mount, &id);
	if (fd < 0) {
		mount->reason = fd == -EDEADLK ? DECIDE_HUNG : DECIDE_HIDDEN;
		return;
	}
	entry = marks_want(&cover->marks, &mark, id.unique, fd);
	if (!entry)
		return;
	*flag_of(entry, place) = true;
	entry->spared = !mark.ask && str_equal(conf->mode, "enforce");
}

/* Lets go of what is watched and not wanted, by this mount of it. */
static void
let_go(struct cover *cover, const struct place *place,
       const struct table_mount *mount)
{
	struct marks_entry *entry = marks_find(&cover->marks, mount->device);
	struct walk_id id;

	if (!entry || entry->here || entry->elsewhere ||
	    (!entry->marked && !entry->awaited) ||
	    table_is_behind_foreign(place->table, mount))
		return;
	CLEANUP_FD int fd = reach(cover, place, mount, &id);
	if (fd >= 0)
		marks_drop(&cover->marks, entry, fd);
}

/* File systems that no list has are gone, and their marks with them. */
static void
forget_gone(struct cover *cover)
{
	struct marks *marks = &cover->marks;

	for (size_t i = marks->len; i-- > 0;) {
		struct marks_entry *entry = &marks->list[i];

		if (!entry->here && !entry->elsewhere &&
		    !table_has_device(&cover->own, entry->device) &&
		    !elsewhere_has_device(&cover->elsewhere, entry->device))
			marks_drop(marks, entry, -1);
	}
}

/* A way that hung is walked again when its mount is another. */
static void
forget_hung(struct cover *cover, const struct place *place)
{
	for (size_t i = 0; i < PAGE_HUNG_MAX; i++) {
		struct page_way *way = &cover->page->hung[i];
		const struct table_mount *mount =
			table_find(place->table, way->id);

		if (way->id != 0 && way->space == place->space &&
		    (!mount || mount->device != way->device))
			*way = (struct page_way){ 0 };
	}
}

int
cover_look(struct cover *cover, const struct conf *conf)
{
	struct table *own = &cover->own;
	struct place place = { .table = own, .root = cover->root };
	int r = table_read(own, cover->list);

	if (r < 0)
		return r;
	marks_retry(&cover->marks);
	forget_hung(cover, &place);
	if (str_equal(conf->mode, "off"))
		marks_flush(&cover->marks);
	watch_look(&cover->watch, cover->page, conf->watch, own, cover->root);
	watch_look(&cover->enforce, cover->page, conf->enforce, own,
		   cover->root);
	for (size_t i = 0; i < cover->marks.len; i++)
		cover->marks.list[i].here = false;
	for (size_t i = 0; i < own->len; i++) {
		struct table_mount *mount = &own->list[i];

		mount->reason = (uint8_t)judge(cover, conf, &place, mount);
		if (mount->reason == DECIDE_WANTED)
			want(cover, conf, &place, mount);
	}
	for (size_t i = 0; i < own->len; i++)
		let_go(cover, &place, &own->list[i]);
	forget_gone(cover);
	return 0;
}

/* Whether our namespace decides about that file system. */
static bool
is_ours(const struct cover *cover, uint64_t device)
{
	for (size_t i = 0; i < cover->own.len; i++) {
		const struct table_mount *mount = &cover->own.list[i];

		if (mount->device == device && mount->reason != DECIDE_HIDDEN &&
		    mount->reason != DECIDE_HUNG &&
		    mount->reason != DECIDE_BEHIND_FOREIGN)
			return true;
	}
	return false;
}

static void
look_at(struct cover *cover, const struct conf *conf, const struct place *place)
{
	struct table *table = place->table;

	for (size_t i = 0; i < table->len; i++) {
		struct table_mount *mount = &table->list[i];

		if (mount->kind == KIND_KERNEL || is_ours(cover, mount->device))
			continue;
		mount->reason = (uint8_t)judge(cover, conf, place, mount);
		if (mount->reason == DECIDE_WANTED)
			want(cover, conf, place, mount);
		else
			let_go(cover, place, mount);
		elsewhere_add(&cover->elsewhere, place->space, place->pid,
			      mount);
	}
}

/* By the first of its processes that is still there. */
static void
look_into(struct cover *cover, const struct conf *conf,
	  const struct space *space)
{
	for (size_t i = 0; i < space->len; i++) {
		CLEANUP_FD int list = -1;
		CLEANUP_FD int root = -1;
		struct place place = { .table = &cover->other,
				       .space = space->number,
				       .pid = space->pids[i] };

		if (spaces_open(space, i, cover->proc, &list, &root) < 0 ||
		    table_read(&cover->other, list) < 0)
			continue;
		place.root = root;
		/* It would hold the namespace, and all that is mounted. */
		file_closep(&list);
		forget_hung(cover, &place);
		look_at(cover, conf, &place);
		return;
	}
}

void
cover_look_elsewhere(struct cover *cover, const struct conf *conf)
{
	if (spaces_find(&cover->spaces, cover->proc) < 0)
		return;
	elsewhere_clear(&cover->elsewhere);
	for (size_t i = 0; i < cover->marks.len; i++)
		cover->marks.list[i].elsewhere = false;
	for (size_t i = 0; i < cover->spaces.len; i++)
		look_into(cover, conf, &cover->spaces.list[i]);
	forget_gone(cover);
}

void
cover_marked(struct cover *cover, const struct msg_marked *marked)
{
	marks_take(&cover->marks, marked);
}

void
cover_renew(struct cover *cover)
{
	marks_renew(&cover->marks);
}

void
cover_forget(struct cover *cover)
{
	marks_forget(&cover->marks);
}

bool
cover_is_settled(const struct cover *cover)
{
	return marks_is_settled(&cover->marks);
}

bool
cover_is_owed(const struct cover *cover)
{
	return marks_is_owed(&cover->marks);
}

bool
cover_is_missing(const struct cover *cover)
{
	return cover->watch.missing_len + cover->enforce.missing_len > 0;
}

size_t
cover_spaces(const struct cover *cover)
{
	return cover->spaces.len;
}

size_t
cover_ids(const struct cover *cover, uint32_t *ret_ids)
{
	for (size_t i = 0; i < cover->own.len; i++)
		ret_ids[i] = cover->own.list[i].id;
	return cover->own.len;
}

size_t
cover_list(const struct cover *cover, struct msg_cover *ret_list, size_t max)
{
	size_t len = 0;

	for (size_t i = 0; i < cover->marks.len && len < max; i++)
		if (cover->marks.list[i].marked)
			ret_list[len++] = (struct msg_cover){
				.device = cover->marks.list[i].device,
				.kind = cover->marks.list[i].spared ?
						MSG_COVER_PASSED :
						MSG_COVER_GATED,
			};
	for (size_t i = 0; i < cover->own.len && len < max; i++) {
		const struct table_mount *mount = &cover->own.list[i];

		/* Only root mounts in our namespace; see elsewhere_list(). */
		if (!elsewhere_is_listed(ret_list, len, mount->device))
			ret_list[len++] = (struct msg_cover){
				.device = mount->device,
				.kind = decide_cover(mount->reason),
			};
	}
	return elsewhere_list(&cover->elsewhere, ret_list, len, max);
}

/* Number i of what is missing; takes their number from it otherwise. */
static const struct watch_missing *
find_missing(const struct cover *cover, size_t *i, bool *ret_enforced)
{
	const struct watch *const lists[] = { &cover->watch, &cover->enforce };

	for (size_t at = 0; at < sizeof(lists) / sizeof(lists[0]); at++) {
		*ret_enforced = lists[at] == &cover->enforce;
		if (*i < lists[at]->missing_len)
			return &lists[at]->missing[*i];
		*i -= lists[at]->missing_len;
	}
	return NULL;
}

static const struct marks_entry *
mark_of(const struct cover *cover, uint64_t device)
{
	return marks_find((struct marks *)&cover->marks, device);
}

bool
cover_get(const struct cover *cover, size_t i, struct cover_entry *ret_entry)
{
	uint32_t beyond = cover->own.beyond + cover->elsewhere.beyond;
	const struct watch_missing *missing;
	bool enforced;

	if (i < cover->own.len) {
		const struct table_mount *mount = &cover->own.list[i];
		explain_mount(mount, mark_of(cover, mount->device), ret_entry);
		return true;
	}
	i -= cover->own.len;
	missing = find_missing(cover, &i, &enforced);
	if (missing) {
		explain_missing(missing, enforced, ret_entry);
		return true;
	}
	if (i < cover->elsewhere.len) {
		const struct elsewhere_mount *mount = &cover->elsewhere.list[i];
		explain_elsewhere(mount, mark_of(cover, mount->device),
				  ret_entry);
		return true;
	}
	if (i > cover->elsewhere.len || beyond == 0)
		return false;
	*ret_entry = (struct cover_entry){ .point = "..." };
	(void)snprintf(ret_entry->why, sizeof(ret_entry->why),
		       "%u more mounts: too many to name", beyond);
	return true;
}

bool
cover_find(const struct cover *cover, const char *path,
	   struct cover_entry *ret_entry)
{
	const struct table_mount *found = NULL;

	/* Of several at one point the last one lies on top. */
	for (size_t i = 0; i < cover->own.len; i++) {
		const struct table_mount *mount = &cover->own.list[i];

		if (paths_is_beneath(path, mount->point) &&
		    (!found || strlen(mount->point) >= strlen(found->point)))
			found = mount;
	}
	if (!found)
		return false;
	explain_mount(found, mark_of(cover, found->device), ret_entry);
	if (found->kind != KIND_LOCAL)
		ret_entry->covered = false;
	return true;
}
