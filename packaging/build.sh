#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# build.sh deb|rpm VERSION OUT: makes packages of this tree in the folder OUT.
#
# It works in OUT/khien-VERSION, a copy of what belongs to the tree, and keeps
# what was compiled there for the next time.  With BUILT=DIR in the environment
# the programs of DIR are packed and nothing is compiled.  SOURCE_DATE_EPOCH is
# the time of the last entry of packaging/deb/changelog.
set -euo pipefail

kind=$1 version=$2
cd "$(dirname "$0")/.."
source=$PWD
mkdir -p "$3"
out=$(cd "$3" && pwd)
tree=$out/khien-$version
built=
if [ -n "${BUILT:-}" ]; then
	built=$(cd "$BUILT" && pwd)
fi
# The make that called us shares nothing with the one that builds.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES BUILT OUT
umask 022

said=$(sed -n '1s/^khien (\(.*\)) .*/\1/p' packaging/deb/changelog)
if [ "$said" != "$version" ]; then
	echo "packaging/deb/changelog tells of $said, not of $version" >&2
	exit 1
fi
date=$(sed -n '/^ -- /{s/^.*>  //p;q}' packaging/deb/changelog)
SOURCE_DATE_EPOCH=$(date -d "$date" +%s)
export SOURCE_DATE_EPOCH

# What git knows of, or everything when this is no work tree of it.
list()
{
	if [ -e .git ] && command -v git >/dev/null; then
		git ls-files -z --cached --others --exclude-standard
	else
		find . -path ./build -prune -o -type f -print0
	fi
}

copy()
{
	rm -rf "$out/kept"
	if [ -d "$tree/build" ]; then
		mv "$tree/build" "$out/kept"
	fi
	rm -rf "$tree"
	mkdir "$tree"
	list | while IFS= read -r -d '' file; do
		[ ! -f "$file" ] || printf '%s\0' "$file"
	done | tar -c --null -T - | tar -x -C "$tree"
	if [ -d "$out/kept" ]; then
		mv "$out/kept" "$tree/build"
	fi
	chmod -R go=rX "$tree"
}

# Whatever the builder's own settings are, it becomes the same.
make_deb()
{
	cp -r "$tree/packaging/deb" "$tree/debian"
	chmod 755 "$tree/debian/rules"
	rm -f "$out"/*.deb "$out"/*.buildinfo "$out"/*.changes
	cd "$tree"
	BUILT=$built dpkg-buildpackage --build=binary --no-sign \
		>"$out/log" 2>&1 || fail
}

make_rpm()
{
	local arch
	arch=$(uname -m)
	set -- ${built:+--define "khien_built $built"}
	rm -rf "$out"/*.rpm "$out/top"
	cd "$tree"
	rpmbuild -bb --build-in-place --nodeps --target "$arch" \
		--define "_topdir $out/top" --define "_rpmdir $out" \
		--define "_build_name_fmt %%{NAME}-%%{VERSION}.%%{ARCH}.rpm" \
		--define "khien_version $version" \
		"$@" \
		packaging/rpm/khien.spec >"$out/log" 2>&1 || fail
	rm -rf "$out/top"
}

fail()
{
	tail -n 30 "$out/log" >&2
	echo "$kind: all of it is in $out/log" >&2
	exit 1
}

copy
make_"$kind"
cd "$source"
ls "$out"/*."$kind"
