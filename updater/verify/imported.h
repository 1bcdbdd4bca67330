/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An export file as a mirror: unpacked into a scratch folder, under the bounds
 * of updater/release/export.h.  Nothing of it is believed for having been in
 * the file.
 */
#pragma once

struct reason;

/*
 * Unpacks what is read from fd (borrowed) into the folder of updates.  Returns
 * 0; errors of export_read(); -ENOSPC; -errno; each with why.
 * imported_drop() in any case; a killed run's is swept.
 */
int imported_unpack(int dir, int fd, struct reason *why);
void imported_drop(int dir);
