/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/release/export.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"
#include "updater/release/path.h"
#include "updater/tuf/reason.h"

#define NAME_SIZE (EXPORT_NAME_MAX + 1)
#define PIECE (64 * 1024)
#define MARKER 1024 /* an archive ends with two blocks of zeros */
#define MODE 0644
#define KEPT "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._"

/* Both ways: names, their order and the bounds. */

struct tally {
	size_t entries;
	uint64_t size;
	char name[NAME_SIZE]; /* of the file before; "" at first */
};

/* What is wrong with a name, or NULL. */
static const char *
name_fault(const char *name)
{
	const char *slash = strchr(name, '/');

	if (strlen(name) > EXPORT_NAME_MAX)
		return "whose name is too long";
	if (!str_starts(name, "metadata/") && !str_starts(name, "targets/"))
		return "which is not below metadata/ or targets/";
	if (name[0] == 'm' && strchr(slash + 1, '/'))
		return "in a folder below metadata/";
	for (const char *at = name;; at++) {
		size_t len = strspn(at, KEPT);
		if (!len || at[0] == '.')
			return "whose name has a part that is empty, begins "
			       "with a dot, or has a character other than "
			       "letters, digits, '-', '_' and '.'";
		at += len;
		if (!*at)
			return NULL;
		if (*at != '/')
			return "whose name has a character other than "
			       "letters, digits, '-', '_' and '.'";
	}
}

static int
refuse(struct reason *why, int r, const char *name, const char *what)
{
	return reason_set(why, r, "has the entry \"%.100s\" %s", name, what);
}

int
export_check_name(const char *name, struct reason *why)
{
	const char *fault = name_fault(name);

	return fault ? refuse(why, -EINVAL, name, fault) : 0;
}

/* Counts a file in; `r` is for one whose name is wrong. */
static int
tally_add(struct tally *tally, int r, const char *name, uint64_t size,
	  struct reason *why)
{
	const char *fault = name_fault(name), *before = tally->name;

	if (fault)
		return refuse(why, r, name, fault);
	if (path_compare(name, before) <= 0)
		return refuse(why, r, name,
			      "twice, or behind one that should follow it");
	if (str_starts(name, before) && name[strlen(before)] == '/')
		return refuse(why, r, name, "below another that is no folder");
	if (tally->entries == EXPORT_ENTRIES_MAX)
		return reason_set(why, -EFBIG, "has more than %d entries",
				  EXPORT_ENTRIES_MAX);
	if (size > (uint64_t)EXPORT_SIZE_MAX - tally->size)
		return reason_set(why, -EFBIG,
				  "has more than %lld bytes of files",
				  EXPORT_SIZE_MAX);
	tally->entries++;
	tally->size += size;
	return str_copy(tally->name, sizeof(tally->name), name);
}

/* Writing. */

struct export
{
	struct archive *archive;
	struct tally tally;
	export_sink sink;
	void *arg;
	int error; /* the sink's, or -ECANCELED */
};

/*
 * Never fails for libarchive, which would lose memory; what comes after an
 * error, or of an archive that is given up, goes nowhere.
 */
static la_ssize_t
write_piece(struct archive *archive, void *arg, const void *bytes, size_t len)
{
	struct export *export = arg;

	(void)archive;
	if (export->error == 0)
		export->error = export->sink(export->arg, bytes, len);
	return (la_ssize_t)len;
}

/* What came of a call: the sink's error, or the archive's own. */
static int
judge(const struct export *export, bool good, struct reason *why)
{
	const char *said = archive_error_string(export->archive);

	if (export->error < 0 || good)
		return export->error;
	if (archive_errno(export->archive) == ENOMEM)
		return -ENOMEM;
	return reason_set(why, -EINVAL, "cannot be written: %s",
			  said ? said : "libarchive does not say why");
}

int
export_new(export_sink sink, void *arg, struct export **ret_export)
{
	CLEANUP(export_freep)
	struct export *export = calloc(1, sizeof(*export));
	if (!export)
		return -ENOMEM;
	export->sink = sink;
	export->arg = arg;
	export->archive = archive_write_new();
	if (!export->archive ||
	    archive_write_set_format_pax_restricted(export->archive) !=
		    ARCHIVE_OK ||
	    archive_write_open(export->archive, export, NULL, write_piece,
			       NULL) != ARCHIVE_OK)
		return -ENOMEM;
	*ret_export = TAKE(export);
	return 0;
}

static void
free_entry(struct archive_entry **entry)
{
	archive_entry_free(*entry);
}

int
export_put(struct export *export, const char *name, const void *bytes,
	   size_t len, struct reason *why)
{
	int r = tally_add(&export->tally, -EINVAL, name, len, why);

	if (r < 0)
		return r;
	CLEANUP(free_entry) struct archive_entry *entry = archive_entry_new();
	if (!entry)
		return -ENOMEM;
	archive_entry_set_pathname(entry, name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, MODE);
	archive_entry_set_size(entry, (la_int64_t)len);
	archive_entry_set_mtime(entry, 0, 0);
	archive_entry_set_uid(entry, 0);
	archive_entry_set_gid(entry, 0);
	r = judge(export,
		  archive_write_header(export->archive, entry) == ARCHIVE_OK,
		  why);
	if (r < 0)
		return r;
	return judge(export,
		     archive_write_data(export->archive, bytes, len) ==
			     (la_ssize_t)len,
		     why);
}

int
export_end(struct export *export, struct reason *why)
{
	return judge(export, archive_write_close(export->archive) == ARCHIVE_OK,
		     why);
}

void
export_free(struct export *export)
{
	if (!export)
		return;
	/* Or it would write an end behind half a file. */
	if (export->error == 0)
		export->error = -ECANCELED;
	if (export->archive)
		(void)archive_write_free(export->archive);
	free(export);
}

void
export_freep(struct export **export)
{
	export_free(*export);
	*export = NULL;
}

/* Reading. */

struct source {
	int fd;
	int error;	/* of read(2), or of the bound */
	uint64_t total; /* bytes read */
	uint64_t zeros; /* of these at the end */
	uint8_t piece[PIECE];
};

/* Returns how many bytes, 0 at the end, or below 0. */
static ssize_t
read_piece(struct source *source)
{
	ssize_t len;

	do {
		len = read(source->fd, source->piece, PIECE);
	} while (len < 0 && errno == EINTR);
	source->error = len < 0 ? -errno : 0;
	if (len <= 0)
		return len;
	source->total += (uint64_t)len;
	if (source->total > (uint64_t)EXPORT_SIZE_MAX) {
		source->error = -EFBIG;
		return -1;
	}
	ssize_t other = len;
	while (other > 0 && source->piece[other - 1] == 0)
		other--;
	source->zeros = (other ? 0 : source->zeros) + (uint64_t)(len - other);
	return len;
}

static la_ssize_t
feed(struct archive *archive, void *arg, const void **ret_bytes)
{
	struct source *source = arg;
	ssize_t len = read_piece(source);

	if (len < 0)
		archive_set_error(archive, -source->error, "cannot be read");
	*ret_bytes = source->piece;
	return len;
}

/* The source's error, or the archive's own. */
static int
read_error(const struct source *source, struct archive *archive,
	   struct reason *why)
{
	const char *said = archive_error_string(archive);

	if (source->error == -EFBIG)
		return reason_set(why, -EFBIG, "has more than %lld bytes",
				  EXPORT_SIZE_MAX);
	if (source->error < 0)
		return reason_set(why, source->error, "cannot be read: %s",
				  strerror(-source->error));
	if (archive_errno(archive) == ENOMEM)
		return -ENOMEM;
	return reason_set(why, -EBADMSG,
			  "is no export file, or is damaged or cut off: %s",
			  said ? said : "libarchive does not say why");
}

/* Only what a plain file needs. */
static int
check_entry(struct archive_entry *entry, const char *name, struct reason *why)
{
	if (archive_entry_hardlink(entry) || archive_entry_symlink(entry))
		return refuse(why, -EBADMSG, name, "which is a link");
	if (archive_entry_filetype(entry) != AE_IFREG)
		return refuse(why, -EBADMSG, name, "which is no regular file");
	if (archive_entry_size(entry) < 0)
		return refuse(why, -EBADMSG, name, "without a size");
	return 0;
}

static int
read_bytes(struct source *source, struct archive *archive, uint64_t size,
	   const struct export_reader *reader, const char *name,
	   struct reason *why)
{
	uint64_t done = 0;

	for (;;) {
		const void *bytes = NULL;
		la_int64_t offset = 0;
		size_t len = 0;
		int result =
			archive_read_data_block(archive, &bytes, &len, &offset);
		if (result == ARCHIVE_EOF)
			break;
		if (result != ARCHIVE_OK)
			return read_error(source, archive, why);
		if ((uint64_t)offset != done || len > size - done)
			return refuse(why, -EBADMSG, name,
				      "which has holes, or more than its size");
		int r = len ? reader->bytes(reader->arg, bytes, len) : 0;
		if (r < 0)
			return r;
		done += len;
	}
	if (done != size)
		return refuse(why, -EBADMSG, name, "which is not whole");
	return reader->end(reader->arg);
}

static int
read_entry(struct source *source, struct archive *archive,
	   struct archive_entry *entry, struct tally *tally,
	   const struct export_reader *reader, struct reason *why)
{
	/* NULL when it is no text of this locale: then it is no name either. */
	const char *name = archive_entry_pathname(entry);

	if (!name)
		return refuse(why, -EBADMSG, "", "whose name is no text");
	int r = check_entry(entry, name, why);
	if (r < 0)
		return r;
	uint64_t size = (uint64_t)archive_entry_size(entry);
	r = tally_add(tally, -EBADMSG, name, size, why);
	if (r == 0)
		r = reader->begin(reader->arg, tally->name, size);
	if (r < 0)
		return r;
	return read_bytes(source, archive, size, reader, tally->name, why);
}

/*
 * libarchive takes the end of bytes for the end of the archive, also where one
 * is cut off between two files, and reads nothing behind the end.
 */
static int
check_end(struct source *source, struct archive *archive, struct reason *why)
{
	uint64_t start = (uint64_t)archive_read_header_position(archive);
	ssize_t len;

	do {
		len = read_piece(source);
	} while (len > 0);
	if (len < 0)
		return read_error(source, archive, why);
	uint64_t rest = source->total - start;
	if (rest < MARKER)
		return reason_set(why, -EBADMSG, "is cut off");
	if (source->zeros < rest)
		return reason_set(why, -EBADMSG, "has bytes behind its end");
	return 0;
}

static int
read_all(struct source *source, struct archive *archive,
	 const struct export_reader *reader, struct reason *why)
{
	struct tally tally = { .entries = 0 };
	struct archive_entry *entry;
	int r = 0;

	for (;;) {
		int result = archive_read_next_header(archive, &entry);
		if (result == ARCHIVE_EOF)
			break;
		/* A warning, too: what it is about may be the name. */
		if (result != ARCHIVE_OK)
			return read_error(source, archive, why);
		r = read_entry(source, archive, entry, &tally, reader, why);
		if (r < 0)
			return r;
	}
	if (!tally.entries)
		return reason_set(why, -EBADMSG, "has no files");
	return check_end(source, archive, why);
}

static void
free_archive(struct archive **archive)
{
	if (*archive)
		(void)archive_read_free(*archive);
}

int
export_read(int fd, const struct export_reader *reader, struct reason *why)
{
	CLEANUP_FREE struct source *source = calloc(1, sizeof(*source));
	CLEANUP(free_archive) struct archive *archive = archive_read_new();

	if (!source || !archive ||
	    archive_read_support_format_tar(archive) != ARCHIVE_OK)
		return -ENOMEM;
	source->fd = fd;
	if (archive_read_open(archive, source, NULL, feed, NULL) != ARCHIVE_OK)
		return read_error(source, archive, why);
	return read_all(source, archive, reader, why);
}

/* Once through both, in memory: a long name is in a header of its own. */

#define SMALL_SIZE (16 * 1024)

struct memory {
	uint8_t bytes[SMALL_SIZE];
	size_t len;
};

static int
keep(void *arg, const void *bytes, size_t len)
{
	struct memory *memory = arg;

	if (len > sizeof(memory->bytes) - memory->len)
		return -EFBIG;
	memcpy(memory->bytes + memory->len, bytes, len);
	memory->len += len;
	return 0;
}

static int
write_small(struct memory *memory, const char *name)
{
	CLEANUP(export_freep) struct export *export = NULL;
	int r = export_new(keep, memory, &export);

	if (r == 0)
		r = export_put(export, name, "", 0, NULL);
	return r < 0 ? r : export_end(export, NULL);
}

int
export_init(void)
{
	CLEANUP_FREE struct memory *memory = calloc(1, sizeof(*memory));
	CLEANUP(free_archive) struct archive *archive = archive_read_new();
	char name[NAME_SIZE] = "targets/";
	struct archive_entry *entry;

	if (!memory || !archive)
		return -ENOMEM;
	memset(name + strlen(name), 'a', EXPORT_NAME_MAX - strlen(name));
	int r = write_small(memory, name);
	if (r < 0)
		return r;
	if (archive_read_support_format_tar(archive) != ARCHIVE_OK ||
	    archive_read_open_memory(archive, memory->bytes, memory->len) !=
		    ARCHIVE_OK ||
	    archive_read_next_header(archive, &entry) != ARCHIVE_OK ||
	    !archive_entry_pathname(entry) ||
	    !str_equal(archive_entry_pathname(entry), name))
		return -ENOTSUP;
	return 0;
}
