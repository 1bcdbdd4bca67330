/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line a message on standard error, "<3>khien-scan: ...": the syslog level
 * stands there only under systemd (JOURNAL_STREAM, systemd.exec(5)).  What is
 * not printable is escaped as \xNN; a line is cut at 2 KiB, or 4 KiB with its
 * escapes.  %m is errno's text.  Never blocks: a line for which the reader has
 * no room is dropped, and the next one that is written tells how many were.
 */
#pragma once

void log_init(const char *program);
/* Debug lines are dropped unless KHIEN_DEBUG is set in the environment. */
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
