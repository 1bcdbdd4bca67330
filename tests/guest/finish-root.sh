#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# finish-root.sh ROOT FOLDER KERNEL PACKAGE...: called by mmdebstrap while apt
# still works in ROOT.  Leaves the kernel in FOLDER/vmlinuz.
set -eu
root=$1 folder=$2 kernel=$3
shift 3

# Packages for later, and a newer version of each library that is in use.
mkdir -p "$root/srv/debs"
chroot "$root" sh -c 'cd /srv/debs && exec apt-get -qq download "$@"' sh "$@"
cd "$root/srv/debs"
for deb in zlib1g_*.deb liblz4-1_*.deb; do
	dpkg-deb -R "$deb" "$folder/deb"
	sed -i 's/^Version: .*/&+khien1/' "$folder/deb/DEBIAN/control"
	dpkg-deb -b "$folder/deb" "newer-${deb%%_*}.deb" >"$folder/log"
	rm -r "$folder/deb" "$deb"
done

# The kernel, and the few of its modules that stories use.
image=$(chroot "$root" apt-cache depends "$kernel" |
	sed -n 's/^ *Depends: \(linux-image-.*\)/\1/p')
mkdir "$folder/kernel"
cd "$folder/kernel"
cp /dev/null "$folder/log"
chroot "$root" sh -c "cd /tmp && apt-get -qq download $image"
dpkg-deb -x "$root"/tmp/linux-image-*.deb .
rm "$root"/tmp/linux-image-*.deb
cp boot/vmlinuz-* "$folder/vmlinuz"
version=$(cd boot && ls vmlinuz-*)
version=${version#vmlinuz-}
modules=lib/modules/$version
mkdir -p "$root/$modules"
cp "$modules"/modules.* "$root/$modules"
find "$modules" \( -name 'loop.ko*' -o -name 'overlay.ko*' \) \
	-exec cp --parents -t "$root" {} +
chroot "$root" depmod "$version"

# What a first boot would ask for, and what has nothing to do without network.
echo khien-guest >"$root/etc/hostname"
echo '127.0.0.1 localhost khien-guest' >"$root/etc/hosts"
: >"$root/etc/fstab"
chroot "$root" useradd -m -s /bin/bash worker
chroot "$root" systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer \
	e2scrub_all.timer fstrim.timer serial-getty@ttyS0.service \
	getty@tty1.service
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*
