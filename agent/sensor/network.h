/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A record of the network becomes a struct event.  Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct decode;

/* As decode_record(), of which this is a part. */
int network_decode(const uint8_t *bytes, size_t size, struct decode *ret);
