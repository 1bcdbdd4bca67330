/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a DNS message asks for (RFC 1035, section 4.1).  The bytes are whatever
 * somebody sent to port 53.  Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* 255 bytes, each as "\ddd", and a NUL; without lengths and the root. */
#define QUESTION_NAME_SIZE 1024

/*
 * Reads the first question.  The name is in presentation form, without a dot at
 * its end, "." for the root: dots and backslashes within a label have a
 * backslash in front, and what is not printable ASCII, a space among it, is
 * "\ddd" (RFC 4343, section 2.1).  Upper and lower case are left as they are.
 *
 * Returns 0; -ENOENT when the message asks nothing; -EBADMSG when it is an
 * answer, asks more than one question (RFC 9619), is too short, or its name is
 * longer than 255 bytes or has a label that is none: of more than 63 bytes, or
 * a pointer, as nothing stands before the first name that it could point to.
 * Then name is "" and *ret_type 0.
 */
int question_parse(const uint8_t *bytes, size_t size,
		   char name[QUESTION_NAME_SIZE], uint16_t *ret_type);
