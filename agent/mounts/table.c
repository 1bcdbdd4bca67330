/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/mounts/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/lib/mountinfo.h"
#include "agent/mounts/kind.h"

/* Mount points and types of 4,096 mounts, at 256 bytes each. */
#define TEXT_SIZE ((size_t)1 << 20)
/* A line has two paths, four bytes for each byte of them, and options. */
#define LINE_SIZE ((size_t)64 << 10)

int
table_init(struct table *table)
{
	*table = (struct table){
		.list = calloc(TABLE_MAX, sizeof(*table->list)),
		.text = malloc(TEXT_SIZE),
		.line = malloc(LINE_SIZE),
	};
	if (table->list && table->text && table->line)
		return 0;
	table_done(table);
	return -ENOMEM;
}

void
table_done(struct table *table)
{
	free(table->list);
	free(table->text);
	free(table->line);
	*table = (struct table){ 0 };
}

/* Keeps a copy of the text; NULL when there is no room. */
static const char *
keep_text(struct table *table, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = table->text + table->text_len;

	if (size > TEXT_SIZE - table->text_len)
		return NULL;
	memcpy(copy, text, size);
	table->text_len += size;
	return copy;
}

static void
add_line(struct table *table, char *line)
{
	struct mountinfo found;

	/* The kernel writes no other lines; what we cannot read we miss. */
	if (table->len >= TABLE_MAX || mountinfo_parse(line, &found) < 0) {
		table->beyond++;
		return;
	}
	struct table_mount *mount = &table->list[table->len];
	*mount = (struct table_mount){
		.id = found.id,
		.parent = found.parent,
		.device = found.device,
		.point = keep_text(table, found.point),
		.type = keep_text(table, found.type),
		.kind = (uint8_t)kind_of(found.type),
	};
	if (!mount->point || !mount->type) {
		table->beyond++;
		return;
	}
	table->len++;
}

/* Hands on each whole line; what is left of the last stays in front. */
static size_t
split_lines(struct table *table, size_t used)
{
	char *line = table->line;

	for (;;) {
		char *end =
			memchr(line, '\n', used - (size_t)(line - table->line));

		if (!end)
			break;
		*end = '\0';
		add_line(table, line);
		line = end + 1;
	}
	used -= (size_t)(line - table->line);
	memmove(table->line, line, used);
	return used;
}

static int
read_all(struct table *table, int fd)
{
	size_t used = 0;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	for (;;) {
		ssize_t len = read(fd, table->line + used, LINE_SIZE - used);

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return -errno;
		if (len == 0)
			return 0;
		used = split_lines(table, used + (size_t)len);
		if (used == LINE_SIZE)
			return -EFBIG;
	}
}

int
table_read(struct table *table, int fd)
{
	table->len = 0;
	table->text_len = 0;
	table->beyond = 0;
	int r = read_all(table, fd);
	if (r < 0)
		table->len = 0;
	return r;
}

struct table_mount *
table_find(const struct table *table, uint32_t id)
{
	for (size_t i = 0; i < table->len; i++)
		if (table->list[i].id == id)
			return &table->list[i];
	return NULL;
}

bool
table_has_device(const struct table *table, uint64_t device)
{
	for (size_t i = 0; i < table->len; i++)
		if (table->list[i].device == device)
			return true;
	return false;
}

bool
table_is_behind_foreign(const struct table *table,
			const struct table_mount *mount)
{
	/* The root may be its own parent; any other loop would be a lie. */
	for (size_t depth = 0; depth < TABLE_MAX; depth++) {
		const struct table_mount *parent =
			table_find(table, mount->parent);

		if (!parent || parent == mount)
			return false;
		if (parent->kind == KIND_FOREIGN)
			return true;
		mount = parent;
	}
	return true;
}
