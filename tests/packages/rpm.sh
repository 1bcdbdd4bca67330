#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# rpm.sh IMAGE FOLDER DEBS RPMS: called by rpmlife.py in a mount namespace of
# its own.  Installs the one kind of packages and takes stock, then the other and
# compares; removes it.  Prints facts, and `left PATH` for what is left.
set -euo pipefail
image=$1 base=$2 debs=$3 rpms=$4

. "${0%/*}/layers.sh"

names="khien khien-scan khien-rules khien-repo"

# rpm's own words come from here, its scripts run in there.
in_rpm()
{
	rpm --root "$root" --dbpath /var/lib/rpm --force-debian "$@"
}

# Like in_rpm(), and nothing is said that is wrong.
silently()
{
	in_rpm "$@" >"$base/log" 2>&1 || { cat "$base/log"; fail "rpm $*"; }
	! grep -v '^Creat[ei]\|^Removed\| saved as ' "$base/log" ||
		fail "rpm $*"
}

# stock FILE: what of /FILE's paths is there, with modes and owners, whatever
# folder this kind of distribution has for it; users, folders, what is enabled.
# Manual pages are left out of this root, and documents are each kind's own.
stock()
{
	in_root xargs -d '\n' -a "$1" realpath | grep -vE \
		'^/usr/share/(man|doc|lintian)(/|$)' | sort -u >"$root/paths"
	in_root xargs -d '\n' -a /paths stat -c '%A %U:%G %n' |
		awk '!/^d/ || /khien/' |
		sed 's|zsh/vendor-completions|zsh/site-functions|' | sort -k3
	in_root stat -c '%A %U:%G %n' /var/lib/khien /run/khien
	in_root getent passwd | grep ^khien | cut -d: -f1,5- | sort
	in_root getent group | grep ^khien | cut -d: -f1,4- | sort
	(cd "$root/etc/systemd/system" && find . -name 'khien*' | sort)
	in_root khiend --check
}

# As the one kind does it.
layer "$base/deb"
cp -r "$debs" "$root/packages"
install {khien,khien-scan,khien-rules,khien-repo}.deb
in_root dpkg -L $names | grep '^/[^.]' | while IFS= read -r path; do
	if [ -e "$root$path" ]; then
		echo "$path"
	fi
done >"$root/list"
stock /list >"$base/deb.stock"
unlayer

# And as the other one does.
layer "$base"
accounts >"$base/accounts"
for soname in $(rpm -qp --requires "$rpms"/khien*.rpm |
	sed -n 's/^\(lib[^(]*\.so[^(]*\)(.*/\1/p' | sort -u); do
	[ -n "$(find "$base/lower/usr/lib" -name "$soname" -print -quit)" ] ||
		fail "$soname is asked for, and not in this Debian"
done
mkdir -p "$root/var/lib/rpm"
silently -i "$rpms"/ground-1-1.noarch.rpm
# Each needs the others: alone it is refused.
if in_rpm -i "$rpms"/khien-[0-9]*.rpm >"$base/log" 2>&1; then
	fail "installed without what it needs"
fi
grep -q 'khien-scan = .* is needed' "$base/log" || fail "$(cat "$base/log")"
silently -i "$rpms"/khien*.rpm
in_rpm -ql $names >"$root/list"
stock /list >"$base/rpm.stock"
diff "$base/deb.stock" "$base/rpm.stock" || fail "not as the .deb"
in_rpm -V $names || fail "changed since it was installed"
before=$(in_rpm -ql $names)
echo "fact: installed: $(echo "$before" | wc -l) paths; modes, owners, users" \
	"and units as of the .deb"

# Once more over itself: what an upgrade calls, and what the site set stays.
echo '# ours' >>"$root/etc/khien/khien.conf"
in_root systemctl --quiet disable khien-update.timer
silently -U --replacepkgs --oldpackage "$rpms"/khien*.rpm
grep -q '# ours' "$root/etc/khien/khien.conf" || fail "configuration was lost"
[ -L "$root/etc/systemd/system/multi-user.target.wants/khien.service" ] ||
	fail "not enabled after the upgrade"
[ ! -e "$root/etc/systemd/system/timers.target.wants/khien-update.timer" ] ||
	fail "enabled again, although it was switched off"
in_root khiend --check >"$base/log" || fail "khiend --check"
echo "fact: over itself: configuration kept, what was switched off stays so"

# Removed, as packaging/README.md tells it.
mkdir -p "$root/run/khien" "$root/var/lib/khien/update"
touch "$root/run/khien/lock" "$root/var/lib/khien/store.db"
silently -e $names
for path in $before; do
	if [ -f "$root$path" ]; then
		fail "$path is left after the removal"
	fi
done
grep -q '# ours' "$root/etc/khien/khien.conf.rpmsave" ||
	fail "what was changed was not saved"
[ -e "$root/var/lib/khien/store.db" ] || fail "state is gone"
[ ! -e "$root/run/khien" ] || fail "/run/khien is left"
[ -z "$(find "$root/etc/systemd/system" -name 'khien*')" ] || fail enabled
rm "$root/etc/khien/khien.conf.rpmsave"
rmdir "$root/etc/khien"
rm -r "$root/var/lib/khien"
for user in $(in_root getent passwd | sed -n 's/^\(khien-[^:]*\):.*/\1/p'); do
	in_root userdel "$user"
done
in_root groupdel khien
rm "$root/list" "$root/paths"
# Where rpm is at home these belong to others.
for folder in zsh/site-functions man/man{1,5,7,8}; do
	[ -e "$base/lower/usr/share/$folder" ] ||
		rmdir "$root/usr/share/$folder" || fail "$folder is not empty"
done
echo "fact: removed: changed configuration, state and users until they are" \
	"removed by hand"

tell_left
