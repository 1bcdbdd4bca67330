#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# inside.sh ROOT SOURCE BUILD TMP COMMAND...: called in a mount namespace of its
# own.  Runs COMMAND in the Debian at ROOT, in its /srv/khien, which is SOURCE
# to read and BUILD to write.  Nothing stays mounted when it ends.
set -euo pipefail
root=$1 source=$2 build=$3 tmp=$4
shift 4

mount --bind "$root" "$root"
mkdir -p "$root"/srv/khien "$root"/old
for name in proc sys dev; do
	mount --rbind "/$name" "$root/$name"
done
mount --bind "$tmp" "$root/tmp"
mount -t tmpfs -o mode=755 khien-run "$root/run"
mount --bind "$source" "$root/srv/khien"
mount -o remount,bind,ro "$root/srv/khien"
mount --bind "$build" "$root/srv/khien/build"
cd "$root"
pivot_root . old
umount -l /old
cd /srv/khien
exec env -i HOME=/root TERM=dumb LC_ALL=C.UTF-8 \
	PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	${CI:+CI="$CI"} "$@"
