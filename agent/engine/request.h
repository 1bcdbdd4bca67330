/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line from a client: {"version":1,"command":"status","options":{...}}.
 * Pure: text in, a decision out.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REQUEST_VERSION 1
#define REQUEST_MAX 65536 /* bytes of a line */
#define REQUEST_WHY_SIZE 256
#define REQUEST_WORD_SIZE 32
#define REQUEST_ID_SIZE 33     /* of an entry of the quarantine */
#define REQUEST_SUM_SIZE 65    /* a SHA-256 as digits */
#define REQUEST_TO_SIZE 4096   /* PATH_MAX of linux/limits.h */
#define REQUEST_PATH_MAX 32768 /* bytes of a path as a client escapes it */

enum request_command {
	REQUEST_STATUS = 1,
	REQUEST_RULES,
	REQUEST_DOCTOR,
	REQUEST_SCAN,
	REQUEST_RELOAD,
	REQUEST_QUARANTINE,
	REQUEST_UPDATE,
	REQUEST_GUARD,
	REQUEST_STOP,
	REQUEST_QUERY, /* any that khien-query answers */
};

struct request {
	enum request_command command;
	bool needs_root;	      /* only by control.sock */
	bool hot;		      /* status: what costs most */
	char word[REQUEST_WORD_SIZE]; /* the command as it was written */
};

/*
 * Reads a request.  Returns 0; -EPROTO: another version of the protocol;
 * -EINVAL: anything else; -ENOMEM.  Then ret_why (REQUEST_WHY_SIZE) is a
 * sentence for whoever asked, and ret_request->word what is known of it.
 */
int request_read(const char *text, size_t len, struct request *ret_request,
		 char *ret_why);

enum request_do {
	REQUEST_LIST = 1,
	REQUEST_RESTORE,
	REQUEST_DELETE,
	REQUEST_ALLOWED,
	REQUEST_REVOKE,
};

struct request_quarantine {
	enum request_do what;
	char id[REQUEST_ID_SIZE];      /* of restore and delete, else "" */
	char sha256[REQUEST_SUM_SIZE]; /* of revoke, else "" */
	char to[REQUEST_TO_SIZE];      /* "": where it came from */
};

/* The options of "quarantine".  Returns as above. */
int request_read_quarantine(const char *text, size_t len,
			    struct request_quarantine *ret_request,
			    char *ret_why);

enum request_update {
	REQUEST_UPDATE_STATUS = 1,
	REQUEST_UPDATE_CHECK, /* from here on: only by control.sock */
	REQUEST_UPDATE_NOW,
	REQUEST_UPDATE_IMPORT, /* its file comes with the line */
};

/* The options of "update".  Returns as above. */
int request_read_update(const char *text, size_t len,
			enum request_update *ret_what, char *ret_why);

enum request_guard_do {
	REQUEST_GUARD_TELL = 1,
	REQUEST_GUARD_OFF, /* from here on: only by control.sock */
	REQUEST_GUARD_ON,
	REQUEST_GUARD_STOP,
};

struct request_guard {
	enum request_guard_do what;
	uint32_t for_s; /* of off: 1 to MSG_GUARD_FOR_MAX_S; else 0 */
	/* Of stop: it is the service manager that wants to stop the service,
	   and whether it is stopping the whole system. */
	bool service, shutdown;
};

/* The options of "guard" or "stop".  Returns as above. */
int request_read_guard(const char *text, size_t len,
		       const struct request *request,
		       struct request_guard *ret_guard, char *ret_why);

/*
 * Reads a line of a scan, {"tag":1,"path":"..."}.  The path is the caller's to
 * free.  Returns as above.
 */
int request_read_scan(const char *text, size_t len, int64_t *ret_tag,
		      char **ret_path, char *ret_why);
