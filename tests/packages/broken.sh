#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# broken.sh IMAGE FOLDER DEBS CUT: called by broken.py in a mount namespace of
# its own.  Upgrades that end in the middle: whatever is there afterwards is
# whole, dpkg says that it is not done, and the same once more mends it.
set -euo pipefail
image=$1 base=$2 debs=$3 cut=$4

. "${0%/*}/layers.sh"

names="khien khien-scan khien-rules"
all=$(printf '/packages/%s+1.deb ' $names)
middle=/usr/libexec/khien/khien-keep

# The sum of each program.
sums()
{
	in_root sh -c 'sha256sum /usr/sbin/khiend /usr/bin/khienctl \
		/usr/libexec/khien/*'
}

# Each of the programs is the old one or the new one, and none is a beginning of
# one; nothing else lies in their folder.
whole()
{
	sums | grep -v '\.dpkg-' >"$root/tmp/now"
	[ "$(wc -l <"$root/tmp/now")" = "$(wc -l <"$base/old")" ] ||
		fail "programs: $(cat "$root/tmp/now")"
	! sort "$base/old" "$base/new" | comm -13 - <(sort "$root/tmp/now") |
		grep . || fail "a program that is neither old nor new"
	rm "$root/tmp/now"
}

# How many are of the new version.
count_new()
{
	sums | sort | comm -12 - <(sort "$base/new") | wc -l
}

# The same once more.
mend()
{
	in_root dpkg --configure -a >"$base/log" 2>&1 ||
		{ cat "$base/log"; fail "dpkg --configure -a after $1"; }
	in_root khiend --check >"$base/conf" || fail "khiend --check after $1"
	in_root dpkg -i --force-confold $all >"$base/log" 2>&1 ||
		{ cat "$base/log"; fail "installed again after $1"; }
	[ -z "$(in_root dpkg --audit)" ] || fail "$(in_root dpkg --audit)"
	sums | cmp -s - "$base/new" || fail "not mended after $1"
	# Not the one that the site has changed, nor what the image leaves out.
	in_root dpkg --verify $names | grep -v ' c /etc/\|/usr/share/man' &&
		fail "files after $1"
	[ -z "$(find "$root/usr" "$root/etc" -name '*.dpkg-*')" ] ||
		fail "left after $1: $(find "$root" -xdev -name '*.dpkg-*')"
	[ -L "$root$wants" ] || fail "not enabled after $1"
	grep -q '# ours' "$root/etc/khien/khien.conf" ||
		fail "configuration was lost after $1"
}

# The old version, in $1/upper.
begin()
{
	layer "$1"
	cp -r "$debs" "$root/packages"
	cp "$cut" "$root/packages/cut.so"
	install {khien,khien-scan,khien-rules}.deb
	echo '# ours' >>"$root/etc/khien/khien.conf"
	sums >"$base/old"
}

# Ends in the middle of the new one.
cut_short()
{
	if in_root env LD_PRELOAD=/packages/cut.so KHIEN_CUT=$middle \
		dpkg -i --force-confold $all >"$base/log" 2>&1; then
		fail "was not cut short"
	fi
}

wants=/etc/systemd/system/multi-user.target.wants/khien.service

# What all of them are to become.
layer "$base/wanted"
cp -r "$debs" "$root/packages"
install {khien,khien-scan,khien-rules}+1.deb
sums >"$base/new"
unlayer
rm -rf "$base/wanted"

# A script of the new version fails before anything is unpacked.
begin "$base/a"
! in_root dpkg -i /packages/khien+2.deb >"$base/log" 2>&1 || fail "preinst"
sums | cmp -s - "$base/old" || fail "a preinst that fails changed programs"
[ "$(version khien)" = "ii $(dpkg-deb -f "$debs/khien.deb" Version) " ] ||
	fail "after a preinst that fails: $(version khien)"
[ -z "$(in_root dpkg --audit)" ] || fail "$(in_root dpkg --audit)"
[ -L "$root$wants" ] || fail "not enabled after a preinst that fails"
mend "a preinst that fails"
unlayer
echo "fact: a preinst that fails changes nothing; another version mends it"

# dpkg is killed between two programs.
begin "$base/b"
cut_short
whole
new=$(count_new)
[ "$new" -gt 0 ] && [ "$new" -lt "$(wc -l <"$base/new")" ] ||
	fail "not the middle: $new are new"
[[ $(in_root dpkg --audit) = *khien* ]] || fail "dpkg --audit says nothing"
in_root khiend --check >"$base/conf" || fail "khiend --check"
mend "dpkg was killed"
unlayer
echo "fact: killed with $new of $(wc -l <"$base/new") programs new, all whole" \
	"ones; installed again: mended"

# The disk is full.
begin "$base/c"
mount -o remount,size=$(($(df --output=used -k "$base" | tail -n 1) + 768))k \
	"$base"
if said=$(in_root dpkg -i --force-confold /packages/khien+1.deb 2>&1); then
	fail "the disk was not full"
fi
mount -o remount,size=50% "$base"
[[ $said = *"No space left"* ]] || fail "not for the disk: $said"
sums | cmp -s - "$base/old" || fail "a full disk changed programs"
in_root khiend --check >"$base/conf" || fail "khiend --check"
mend "the disk was full"
unlayer
echo "fact: a full disk while unpacking leaves the old programs; with room:" \
	"mended"

# The power goes: what stood on the disk at that moment is what is left.
truncate -s 512M "$base/disk"
mkfs.ext4 -q "$base/disk"
mkdir "$base/d"
mount -o loop "$base/disk" "$base/d"
begin "$base/d"
sync -f "$base/d"
cut_short
cp --sparse=always "$base/disk" "$base/crashed"
unlayer
umount "$base/d"
mount -o loop "$base/crashed" "$base/d"
layer "$base/d"
whole
new=$(count_new)
in_root khiend --check >"$base/conf" || fail "khiend --check"
mend "the power went"
unlayer
umount "$base/d"
echo "fact: without power: $new programs new, all whole ones; installed" \
	"again: mended"
