/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/schema.h"

#include <errno.h>
#include <stdio.h>

#include "agent/engine/db.h"

#define SQL_MAX 128

static const struct {
	const char *name;
	const char *columns;
	int64_t since; /* version */
} tables[SCHEMA_TABLES] = {
	[SCHEMA_PROCESS] = {
		"process",
		"type,time_ns,boot,boot_ns,class,cpu,sequence,flags,entity_id,"
		"pid,tid,ns_pid,start_ns,ppid,parent_entity_id,"
		"parent_executable,uid,euid,gid,egid,loginuid,session,caps,"
		"cgroup_id,mount_ns,comm,executable,invoked,script,cwd,tty,"
		"args,args_size,device,inode,mode,file_uid,file_gid,links,"
		"exit_code,exit_signal,run_ns",
		1,
	},
	[SCHEMA_FILE] = {
		"file",
		"type,time_ns,boot,boot_ns,class,cpu,sequence,flags,count,"
		"entity_id,pid,uid,comm,executable,path,target,name,device,"
		"inode,size,mode,old_mode,file_uid,file_gid,links",
		1,
	},
	[SCHEMA_NETWORK] = {
		"network",
		"type,time_ns,boot,boot_ns,class,cpu,sequence,flags,count,"
		"entity_id,pid,uid,comm,executable,inbound,family,protocol,"
		"local,local_port,remote,remote_key,remote_port,sent,received,"
		"age_ns,question,question_type",
		3,
	},
	[SCHEMA_PRIVILEGE] = {
		"privilege",
		"type,time_ns,boot,boot_ns,class,cpu,sequence,flags,count,"
		"entity_id,pid,tid,ns_pid,comm,executable,uid,euid,gid,egid,"
		"loginuid,session,caps,cgroup_id,mount_ns,old_uid,old_euid,"
		"old_gid,old_egid,old_caps,target_pid,target_entity_id,"
		"target_executable,value,address,name,path,device,inode,size,"
		"mode,file_uid,file_gid,links",
		3,
	},
	[SCHEMA_AGENT] = {
		"agent",
		"type,time_ns,boot,boot_ns,lost_class,count,role,idx,pid,"
		"message",
		1,
	},
	[SCHEMA_DETECTION] = {
		"detection",
		"first_ns,last_ns,count,boot,boot_ns,cause,rule,rule_id,"
		"ruleset,description,severity,attack,path,sha256,size,device,"
		"inode,mode,file_uid,file_gid,flags,entity_id,pid,process_uid,"
		"comm,executable,args,cwd,start_ns,parent_pid,"
		"parent_entity_id,parent_executable,ancestors,action",
		1,
	},
	[SCHEMA_ASKED] = {
		"asked",
		"time_ns,uid,pid,socket,command,request",
		1,
	},
};

/* steps[n] makes version n + 1 of version n.  Never change one: append. */
static const char *const steps[SCHEMA_VERSION] = {
	"CREATE TABLE boot(id INTEGER PRIMARY KEY, boot_id TEXT UNIQUE,"
	" first_ns INTEGER, offset_ns INTEGER);"
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT);"
	"CREATE TABLE process(id INTEGER PRIMARY KEY, type TEXT,"
	" time_ns INTEGER, boot INTEGER, boot_ns INTEGER, class TEXT,"
	" cpu INTEGER, sequence INTEGER, flags INTEGER, entity_id TEXT,"
	" pid INTEGER, tid INTEGER, ns_pid INTEGER, start_ns INTEGER,"
	" ppid INTEGER, parent_entity_id TEXT, parent_executable TEXT,"
	" uid INTEGER, euid INTEGER, gid INTEGER, egid INTEGER,"
	" loginuid INTEGER, session INTEGER, caps INTEGER, cgroup_id INTEGER,"
	" mount_ns INTEGER, comm TEXT, executable TEXT, invoked TEXT,"
	" script TEXT, cwd TEXT, tty TEXT, args TEXT, args_size INTEGER,"
	" device INTEGER, inode INTEGER, mode INTEGER, file_uid INTEGER,"
	" file_gid INTEGER, links INTEGER, exit_code INTEGER,"
	" exit_signal INTEGER, run_ns INTEGER);"
	"CREATE INDEX process_time ON process(time_ns);"
	"CREATE INDEX process_pid ON process(pid);"
	"CREATE INDEX process_entity ON process(entity_id);"
	"CREATE INDEX process_parent ON process(parent_entity_id);"
	"CREATE TABLE file(id INTEGER PRIMARY KEY, type TEXT, time_ns INTEGER,"
	" boot INTEGER, boot_ns INTEGER, class TEXT, cpu INTEGER,"
	" sequence INTEGER, flags INTEGER, count INTEGER, entity_id TEXT,"
	" pid INTEGER, uid INTEGER, comm TEXT, executable TEXT, path TEXT,"
	" target TEXT, name TEXT, device INTEGER, inode INTEGER, size INTEGER,"
	" mode INTEGER, old_mode INTEGER, file_uid INTEGER, file_gid INTEGER,"
	" links INTEGER);"
	"CREATE INDEX file_time ON file(time_ns);"
	"CREATE TABLE agent(id INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT,"
	" time_ns INTEGER,"
	" boot INTEGER, boot_ns INTEGER, lost_class TEXT, count INTEGER,"
	" role TEXT, idx INTEGER, pid INTEGER, message TEXT);"
	"CREATE INDEX agent_time ON agent(time_ns);"
	"CREATE TABLE detection(id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" first_ns INTEGER,"
	" last_ns INTEGER, count INTEGER, boot INTEGER, boot_ns INTEGER,"
	" cause TEXT, rule TEXT, rule_id TEXT, ruleset TEXT, description TEXT,"
	" severity INTEGER, attack TEXT, path TEXT, sha256 TEXT, size INTEGER,"
	" device INTEGER, inode INTEGER, mode INTEGER, file_uid INTEGER,"
	" file_gid INTEGER, flags INTEGER, entity_id TEXT, pid INTEGER,"
	" process_uid INTEGER, comm TEXT, executable TEXT, args TEXT, cwd TEXT,"
	" start_ns INTEGER, parent_pid INTEGER, parent_entity_id TEXT,"
	" parent_executable TEXT, ancestors TEXT, action TEXT);"
	"CREATE INDEX detection_time ON detection(last_ns);"
	"CREATE INDEX detection_rule ON detection(rule);"
	"CREATE TABLE asked(id INTEGER PRIMARY KEY, time_ns INTEGER,"
	" uid INTEGER, pid INTEGER, socket TEXT, command TEXT, request TEXT);"
	"CREATE INDEX asked_time ON asked(time_ns);"
	/* What of each sender's numbering is stored; see progress.h. */
	"CREATE TABLE progress(boot INTEGER, class INTEGER, cpu INTEGER,"
	" sequence INTEGER, newest_ns INTEGER, window BLOB,"
	" PRIMARY KEY(boot, class, cpu)) WITHOUT ROWID;"
	/* Totals, which outlive the rows of `agent` they come from. */
	"CREATE TABLE lost(boot INTEGER, class TEXT, count INTEGER,"
	" PRIMARY KEY(boot, class)) WITHOUT ROWID;"
	/* Processes that have not ended, for the next engine's tree. */
	"CREATE TABLE live(entity_id TEXT PRIMARY KEY, pid INTEGER,"
	" start_boot_ns INTEGER, start_ns INTEGER, ppid INTEGER,"
	" parent_start_boot_ns INTEGER, uid INTEGER, exec_boot_ns INTEGER,"
	" comm TEXT, executable TEXT, cwd TEXT, args BLOB, args_cut INTEGER,"
	" boot INTEGER) WITHOUT ROWID;",
	/* Contents that responders restored: it is no history, but in force. */
	"CREATE TABLE allowed(sha256 TEXT PRIMARY KEY, time_ns INTEGER,"
	" uid INTEGER, entry TEXT, path TEXT, rule TEXT) WITHOUT ROWID;",
	/* remote_key: 32 digits that sort as addresses do: for ranges. */
	"CREATE TABLE network(id INTEGER PRIMARY KEY, type TEXT,"
	" time_ns INTEGER, boot INTEGER, boot_ns INTEGER, class TEXT,"
	" cpu INTEGER, sequence INTEGER, flags INTEGER, count INTEGER,"
	" entity_id TEXT, pid INTEGER, uid INTEGER, comm TEXT,"
	" executable TEXT, inbound INTEGER, family INTEGER, protocol INTEGER,"
	" local TEXT, local_port INTEGER, remote TEXT, remote_key TEXT,"
	" remote_port INTEGER, sent INTEGER, received INTEGER, age_ns INTEGER,"
	" question TEXT, question_type INTEGER);"
	"CREATE INDEX network_time ON network(time_ns);"
	"CREATE INDEX network_remote ON network(remote);"
	"CREATE TABLE privilege(id INTEGER PRIMARY KEY, type TEXT,"
	" time_ns INTEGER, boot INTEGER, boot_ns INTEGER, class TEXT,"
	" cpu INTEGER, sequence INTEGER, flags INTEGER, count INTEGER,"
	" entity_id TEXT, pid INTEGER, tid INTEGER, ns_pid INTEGER, comm TEXT,"
	" executable TEXT, uid INTEGER, euid INTEGER, gid INTEGER,"
	" egid INTEGER, loginuid INTEGER, session INTEGER, caps INTEGER,"
	" cgroup_id INTEGER, mount_ns INTEGER, old_uid INTEGER,"
	" old_euid INTEGER, old_gid INTEGER, old_egid INTEGER,"
	" old_caps INTEGER, target_pid INTEGER, target_entity_id TEXT,"
	" target_executable TEXT, value INTEGER, address INTEGER, name TEXT,"
	" path TEXT, device INTEGER, inode INTEGER, size INTEGER,"
	" mode INTEGER, file_uid INTEGER, file_gid INTEGER, links INTEGER);"
	"CREATE INDEX privilege_time ON privilege(time_ns);"
	"CREATE INDEX privilege_pid ON privilege(pid);"
	"CREATE INDEX privilege_target ON privilege(target_pid);",
};

const char *
schema_table_name(unsigned int table)
{
	return tables[table].name;
}

int64_t
schema_table_since(unsigned int table)
{
	return tables[table].since;
}

const char *
schema_columns(unsigned int table)
{
	return tables[table].columns;
}

int
schema_columns_len(unsigned int table)
{
	int len = 1;

	for (const char *at = tables[table].columns; *at; at++)
		len += *at == ',';
	return len;
}

static int
step(struct db *db, int64_t version)
{
	char sql[SQL_MAX];

	int r = db_exec(db, "BEGIN IMMEDIATE");
	if (r < 0)
		return r;
	r = db_exec(db, steps[version]);
	if (r == 0) {
		(void)snprintf(sql, sizeof(sql), "PRAGMA user_version=%lld",
			       (long long)version + 1);
		r = db_exec(db, sql);
	}
	if (r == 0)
		r = db_exec(db, "COMMIT");
	if (r < 0)
		(void)db_exec(db, "ROLLBACK");
	return r;
}

int
schema_migrate(struct db *db)
{
	int64_t version;

	int r = db_number_of(db, "PRAGMA user_version", &version);
	if (r < 0)
		return r;
	if (version > SCHEMA_VERSION)
		return -ENOTSUP;
	if (version < 0)
		return -EUCLEAN;
	for (; version < SCHEMA_VERSION; version++) {
		r = step(db, version);
		if (r < 0)
			return r;
	}
	return 0;
}
