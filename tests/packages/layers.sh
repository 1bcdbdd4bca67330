# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by life.sh, rpm.sh and broken.sh with image, base and packages set, in
# a mount namespace of its own: a Debian at $root, with a layer above it in
# memory.  What is done to it stands in $base/upper.

mount -t tmpfs khien-life "$base"
mkdir "$base"/{lower,root}
mount -o loop,ro "$image" "$base/lower"
root=$base/root

# layer FOLDER: puts FOLDER/upper above the image.
layer()
{
	mkdir -p "$1"/{upper,work}
	mount -t overlay khien-life -o \
		"lowerdir=$base/lower,upperdir=$1/upper,workdir=$1/work" \
		"$root"
	mount -t proc khien-life "$root/proc"
}

unlayer()
{
	umount "$root/proc" "$root"
}

in_root()
{
	chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C \
		DEBIAN_FRONTEND=noninteractive "$@"
}

fail()
{
	echo "failed: $*"
	exit 1
}

# install NAME...: files of /packages
install()
{
	in_root dpkg -i --force-confold "${@/#//packages/}" >"$base/log" 2>&1 ||
		{ cat "$base/log"; fail "dpkg -i $*"; }
}

accounts()
{
	cat "$root"/etc/{passwd,group,shadow,gshadow} | LC_ALL=C sort
}

version()
{
	in_root dpkg-query -W -f '${db:Status-Abbrev}${Version} ' "$@"
}

# Compares with $base/accounts, and prints `left PATH` for what is in the layer
# and not as it was.
tell_left()
{
	accounts | cmp -s - "$base/accounts" && echo "same accounts" ||
		accounts | diff - "$base/accounts" || true
	cd "$base/upper"
	find . -mindepth 1 | sed 's/^\.\///' | while IFS= read -r path; do
		# Whatever was there before is only copied up.
		if [ -e "$base/lower/$path" ] && { [ -d "$path" ] ||
			cmp -s "$path" "$base/lower/$path"; }; then
			continue
		fi
		echo "left $path"
	done
}
