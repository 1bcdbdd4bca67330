/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/cli/table.h"

#include <errno.h>
#include <stdlib.h>

#include "agent/cli/text.h"
#include "agent/lib/doc.h"
#include "agent/lib/file.h"

#define COLUMNS_MAX 128
/* Wider values stand out of their column: none is cut. */
#define WIDTH_MAX 48
#define CELL_SIZE 256

/* The columns while they are measured and printed. */
struct columns {
	size_t widths[COLUMNS_MAX];
	size_t at, len;
};

int
table_add(struct table *table, struct doc *row)
{
	if (table->len == table->size) {
		size_t size = table->size ? 2 * table->size : 64;
		struct doc **rows =
			reallocarray(table->rows, size, sizeof(*rows));
		if (!rows) {
			doc_free(row);
			return -ENOMEM;
		}
		table->rows = rows;
		table->size = size;
	}
	table->rows[table->len++] = row;
	return 0;
}

static void
measure(struct columns *columns, const char *text)
{
	char cell[CELL_SIZE];
	size_t width = text_escape(cell, sizeof(cell), text);

	if (columns->at < COLUMNS_MAX && width <= WIDTH_MAX &&
	    width > columns->widths[columns->at])
		columns->widths[columns->at] = width;
	columns->at++;
}

static int
measure_name(void *arg, const char *name, const struct doc_value *value)
{
	(void)value;
	measure(arg, name ? name : "");
	return 0;
}

static int
measure_value(void *arg, const char *name, const struct doc_value *value)
{
	CLEANUP_FREE char *text = doc_line(value);

	(void)name;
	measure(arg, text ? text : "?");
	return 0;
}

/* The last column needs no filling. */
static void
put(struct columns *columns, const char *text)
{
	size_t at = columns->at++;

	if (columns->at == columns->len || at >= COLUMNS_MAX) {
		text_put(text);
		return;
	}
	text_column(text, columns->widths[at]);
	text_printf("  ");
}

static int
put_name(void *arg, const char *name, const struct doc_value *value)
{
	(void)value;
	put(arg, name ? name : "");
	return 0;
}

static int
put_value(void *arg, const char *name, const struct doc_value *value)
{
	CLEANUP_FREE char *text = doc_line(value);

	(void)name;
	put(arg, text ? text : "?");
	return 0;
}

static void
each(struct columns *columns, const struct doc *row,
     int (*fn)(void *arg, const char *name, const struct doc_value *value))
{
	columns->at = 0;
	(void)doc_each(doc_root(row), NULL, fn, columns);
}

void
table_print(const struct table *table)
{
	struct columns columns = { 0 };

	if (!table->len)
		return;
	each(&columns, table->rows[0], measure_name);
	columns.len = columns.at;
	for (size_t i = 0; i < table->len; i++)
		each(&columns, table->rows[i], measure_value);
	each(&columns, table->rows[0], put_name);
	text_printf("\n");
	for (size_t i = 0; i < table->len; i++) {
		each(&columns, table->rows[i], put_value);
		text_printf("\n");
	}
}

void
table_done(struct table *table)
{
	for (size_t i = 0; i < table->len; i++)
		doc_free(table->rows[i]);
	free(table->rows);
	*table = (struct table){ 0 };
}
