#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# life.sh IMAGE FOLDER DEBS: called by life.py in a mount namespace of its own.
# Prints facts, and `left PATH` for each path that is there after the purge.
set -euo pipefail
image=$1 base=$2 debs=$3

. "${0%/*}/layers.sh"

layer "$base"
cp -r "$debs" "$root/packages"
all="khien khien-scan khien-rules khien-repo"
state=$root/var/lib/khien
wants=$root/etc/systemd/system/multi-user.target.wants/khien.service
accounts >"$base/accounts"

# Installed: users, folders, enabled, and a configuration that is right.
install {khien,khien-scan,khien-rules,khien-repo}.deb
for user in sensor gate mounts scan engine fetch verify; do
	in_root getent passwd "khien-$user" >"$base/user" || fail "no $user"
	grep -q ':/usr/sbin/nologin$' "$base/user" || fail "$user may log in"
done
in_root getent group khien >/dev/null || fail "no group khien"
[ -L "$wants" ] || fail "not enabled"
[ "$(in_root stat -c %U:%a /var/lib/khien)" = khien-engine:700 ] ||
	fail "state folder: $(in_root stat -c %U:%a /var/lib/khien)"
in_root khiend --check >"$base/conf" || fail "khiend --check"
# Manual pages are left out of this root.
before=$(in_root dpkg -L $all | grep -v ^/usr/share/man | sort)
for path in $before; do
	[ -e "$root$path" ] || [ -L "$root$path" ] || fail "$path is not there"
done
in_root dpkg --verify $all | grep -v /usr/share/man >"$base/log" &&
	fail "$(cat "$base/log")"
echo "fact: installed: $(echo "$before" | wc -l) paths, 7 users"

# What an administrator changed stays; a package that is cut short changes
# nothing that is installed.
echo '# ours' >>"$root/etc/khien/khien.conf"
echo 'rule ours { condition: false }' >"$root/etc/khien/rules.d/ours.yar"
sums=$(in_root sh -c 'sha256sum /usr/sbin/khiend /usr/libexec/khien/*')
if in_root dpkg -i /packages/broken.deb >"$base/log" 2>&1; then
	fail "a broken package was installed"
fi
[ "$sums" = "$(in_root sh -c \
	'sha256sum /usr/sbin/khiend /usr/libexec/khien/*')" ] ||
	fail "a broken package changed programs"
install {khien,khien-scan,khien-rules,khien-repo}.deb
install {khien,khien-scan,khien-rules,khien-repo}+1.deb
version $all | grep -qv '+1' && fail "not upgraded: $(version $all)"
grep -q '# ours' "$root/etc/khien/khien.conf" || fail "configuration was lost"
[ -L "$wants" ] || fail "not enabled after the upgrade"
[ -z "$(in_root dpkg --audit)" ] || fail "$(in_root dpkg --audit)"
echo "fact: upgraded: configuration kept; a broken package changed nothing"

# Removed: no program is left, configuration and state are.
mkdir -p "$state/quarantine" "$root/run/khien" "$state/update"
touch "$state/store.db" "$state/quarantine"/{key,0123456789abcdef} \
	"$root/run/khien/lock"
in_root dpkg -r $all >"$base/log" 2>&1 || { cat "$base/log"; fail remove; }
grep -q 'khienctl quarantine list' "$base/log" || fail "nothing is offered"
rm "$root/etc/khien/rules.d/ours.yar"
for path in $before; do
	if [ -f "$root$path" ] && [[ $path != /etc/* ]]; then
		fail "$path is left after the removal"
	fi
done
[ -e "$root/etc/khien/khien.conf" ] || fail "configuration is gone"
[ -e "$state/store.db" ] || fail "state is gone"
[ ! -e "$root/run/khien" ] || fail "/run/khien is left"
echo "fact: removed: configuration and state kept"

# Purged: files in quarantine are somebody's.
in_root dpkg -P $all >"$base/log" 2>&1 || { cat "$base/log"; fail purge; }
grep -q 'were kept' "$base/log" || fail "nothing is said of the quarantine"
[ "$(cd "$root/var/lib" && find khien | LC_ALL=C sort | xargs)" = \
	"khien khien/quarantine khien/quarantine/0123456789abcdef \
khien/quarantine/key" ] || fail "state: $(find "$state")"
# Installed again it is the engine's folder, and the key is still root's.
install {khien,khien-scan,khien-rules}.deb
[ "$(in_root stat -c %U /var/lib/khien)" = khien-engine ] || fail "owner"
[ "$(in_root stat -c %U /var/lib/khien/quarantine/key)" = root ] || fail key
in_root env KHIEN_PURGE_QUARANTINE=yes dpkg -P khien khien-scan khien-rules \
	>"$base/log" 2>&1 || { cat "$base/log"; fail "second purge"; }
echo "fact: purged: files in quarantine kept until they are named"

tell_left
