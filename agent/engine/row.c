/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/row.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/engine/db.h"

enum tag { TAG_NULL, TAG_NUMBER, TAG_TEXT, TAG_BOOT };

int
row_init(struct row *row)
{
	*row = (struct row){ .bytes = malloc(ROW_MAX) };
	return row->bytes ? 0 : -ENOMEM;
}

void
row_done(struct row *row)
{
	free(row->bytes);
	*row = (struct row){ 0 };
}

void
row_begin(struct row *row, uint8_t table, uint8_t class, uint64_t count)
{
	row->len = 0;
	row->table = table;
	row->class = class;
	row->count = count;
	row->failed = false;
}

static void
put(struct row *row, uint8_t tag, const void *bytes, size_t len)
{
	if (row->failed || len + 1 > ROW_MAX - row->len) {
		row->failed = true;
		return;
	}
	row->bytes[row->len++] = tag;
	memcpy(row->bytes + row->len, bytes, len);
	row->len += len;
}

void
row_number(struct row *row, int64_t number)
{
	put(row, TAG_NUMBER, &number, sizeof(number));
}

void
row_number_if(struct row *row, bool set, int64_t number)
{
	if (set)
		row_number(row, number);
	else
		row_null(row);
}

void
row_id(struct row *row, uint32_t id)
{
	if (id == UINT32_MAX)
		row_null(row);
	else
		row_number(row, id);
}

void
row_text(struct row *row, const char *text)
{
	if (!text || !*text) {
		row_null(row);
		return;
	}
	uint32_t len = (uint32_t)strlen(text);
	put(row, TAG_TEXT, &len, sizeof(len));
	if (row->failed || len > ROW_MAX - row->len) {
		row->failed = true;
		return;
	}
	memcpy(row->bytes + row->len, text, len);
	row->len += len;
}

void
row_null(struct row *row)
{
	put(row, TAG_NULL, "", 0);
}

void
row_boot(struct row *row)
{
	put(row, TAG_BOOT, "", 0);
}

int
row_bind(const uint8_t *bytes, size_t len, int64_t boot, struct db_stmt *stmt,
	 int at)
{
	const uint8_t *end = bytes + len;

	while (bytes < end) {
		int64_t number;
		uint32_t text_len;
		switch (*bytes++) {
		case TAG_NUMBER:
			memcpy(&number, bytes, sizeof(number));
			bytes += sizeof(number);
			db_bind_number(stmt, ++at, number);
			break;
		case TAG_TEXT:
			memcpy(&text_len, bytes, sizeof(text_len));
			bytes += sizeof(text_len);
			db_bind_text(stmt, ++at, (const char *)bytes, text_len);
			bytes += text_len;
			break;
		case TAG_BOOT:
			db_bind_number(stmt, ++at, boot);
			break;
		default:
			db_bind_null(stmt, ++at);
		}
	}
	return at;
}
