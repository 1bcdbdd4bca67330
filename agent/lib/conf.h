/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent's configuration: every key, its default, its check, and how it
 * travels from khien-conf, which reads the files, to the others.
 * See khien.conf(5) for what each key means to an administrator.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

#define CONF_PATH_MAX 4096 /* PATH_MAX of linux/limits.h, with the NUL */
#define CONF_WATCH_MAX 32  /* entries of [gate] watch, enforce, exclude */
#define CONF_ROLES_MAX 16
#define CONF_MIRRORS_MAX 8 /* addresses of [update] url */

struct conf {
	/* [agent] */
	char state_dir[CONF_PATH_MAX]; /* default /var/lib/khien */
	char run_dir[CONF_PATH_MAX];   /* default /run/khien */
	char group[33];		       /* who may read; default khien */
	uint32_t proof_s; /* between two proofs of life; 0: none; default 60 */
	/* [sensor] */
	bool process, file, network, privilege; /* default on */
	char sensitive[CONF_PATH_MAX]; /* patterns of wildcard.h separated by
					  ':', or "default"; "" none */
	/* [gate] */
	char mode[8];		   /* off, observe, enforce; default observe */
	char watch[CONF_PATH_MAX]; /* paths separated by ':'; "" all local */
	char enforce[CONF_PATH_MAX]; /* the same: only there; "" all of it */
	char exclude[CONF_PATH_MAX]; /* paths separated by ':'; "" none */
	uint32_t deadline_ms;	     /* for an answer; default 500 */
	char on_deadline[8];	     /* allow, deny; default allow */
	char on_crash[8];	     /* allow, deny; default deny */
	char on_unreached[8];	     /* kill, hold, allow; default kill */
	char scope_cgroup[CONF_PATH_MAX]; /* "": everything */
	/* [guard] */
	bool guard; /* mode; default off */
	/* [action] */
	char on_malicious[16]; /* alert, block, quarantine; default block */
	char min_severity[16]; /* a word of msg_severity_find(); default high */
	/* [scan] */
	uint32_t workers;    /* 0: half the processors, 1 to 4 */
	uint64_t max_size;   /* bytes; default 512 MiB */
	uint32_t timeout_ms; /* default 10000 */
	/* [rules] */
	char rules_dir[CONF_PATH_MAX]; /* default /usr/share/khien/rules */
	char local_dir[CONF_PATH_MAX]; /* default /etc/khien/rules.d */
	/* [store] */
	uint32_t max_size_mb;	 /* default 512 */
	uint32_t retention_days; /* default 30 */
	/* [update] */
	char url[CONF_PATH_MAX];   /* mirrors separated by one space, each
				      http:// or https://; "": off */
	char ca[CONF_PATH_MAX];	   /* file; "": the system's */
	char proxy[CONF_PATH_MAX]; /* http:// or https://; "": none */
	char place[4];		   /* percent 0 to 100, where a release comes
				      first at 0; 100 is in the last wave, too;
				      "": by the host */
	char trust[CONF_PATH_MAX]; /* default /usr/share/khien/update */
	/* Not keys: looked up by khien-conf where /etc may be read. */
	char source[CONF_PATH_MAX]; /* file that was read; "": none */
	bool guard_disarmed; /* khien.guard=0 on the kernel's command line */
	uint32_t role_uid[CONF_ROLES_MAX]; /* by enum role_id; 0: root */
	uint32_t role_gid[CONF_ROLES_MAX];
	uint32_t group_gid; /* of `group`; UINT32_MAX: no such group */
};

/* The defaults. */
void conf_init(struct conf *conf);

/*
 * Sets one key from its text.  Returns 0; -ENOENT no such section or key;
 * -EOPNOTSUPP when the key is known but what it governs is not built in this
 * version (nothing is set: warn and go on); -EINVAL when the value is not
 * acceptable; then *ret_why (static text, or NULL) says what would be.
 */
int conf_set(struct conf *conf, const char *section, const char *key,
	     const char *value, const char **ret_why);

/* True also for a section of which nothing is built yet. */
bool conf_has_section(const char *section);

/*
 * Key number `at`, from 0, and its value in `dst` as conf_set() takes it.
 * Returns 0; -ENOENT after the last; -ENAMETOOLONG when dst is too small
 * (CONF_PATH_MAX never is).
 */
int conf_list(const struct conf *conf, size_t at, const char **ret_section,
	      const char **ret_key, char *dst, size_t size);

/* As payload of MSG_CONFIG.  conf_get() returns 0 or -EBADMSG. */
void conf_put(struct buf *buf, const struct conf *conf);
int conf_get(struct buf *buf, struct conf *ret_conf);
