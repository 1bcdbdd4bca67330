// SPDX-License-Identifier: GPL-2.0-or-later
//
// A library that stands between programs and libc, and lies to them about what
// there is.  Such a library exports a function under libc's name (once in its
// table of dynamic strings) and asks the loader for the true one by the same
// name (once more in its constants).  One that only calls the function has the
// name once.

rule rootkit_preload
{
	meta:
		id = "2f6f5dbb-8e15-4863-a52d-205d45d6fe4f"
		description = "Library that stands between programs and libc to hide files, processes or connections"
		severity = "high"
		attack = "T1014"
		attack = "T1574.006"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Test harnesses that show programs a made-up /proc or /sys; none in Debian hides entries"
	strings:
		$dlsym = "dlsym\x00"
		$dlvsym = "dlvsym\x00"
		// twice each: exported, and asked for
		$list_1 = "\x00readdir\x00"
		$list_2 = "\x00readdir64\x00"
		$list_3 = "\x00readdir_r\x00"
		$list_4 = "\x00readdir64_r\x00"
		$list_5 = "\x00getdents64\x00"
		$list_6 = "\x00scandir\x00"
		$more_1 = "\x00fopen\x00"
		$more_2 = "\x00fopen64\x00"
		$more_3 = "\x00__xstat\x00"
		$more_4 = "\x00__lxstat64\x00"
		$more_5 = "\x00lstat\x00"
		$more_6 = "\x00unlinkat\x00"
		$more_7 = "\x00accept\x00"
		$more_8 = "\x00pcap_loop\x00"
		$more_9 = "\x00pam_authenticate\x00"
		$more_10 = "\x00execve\x00"
		$more_11 = "\x00access\x00"
		$more_12 = "\x00openat\x00"
		$more_13 = "\x00stat\x00"
		$more_14 = "\x00write\x00"
		$more_15 = "\x00pam_prompt\x00"
		$more_16 = "\x00audit_log_acct_message\x00"
		// how it learns what it is asked about, and what it hides
		$how_1 = "/proc/self/fd/%d"
		$how_2 = /\/proc\/%[sdu]\/(stat|comm|cmdline|status|environ|exe|fd)/
		$how_3 = "ld.so.preload"
		$how_4 = /\/proc\/(self\/)?net\/(tcp|udp)6?\x00/
		$how_5 = /\x00(HIDE|HIDDEN|MAGIC|ROOTKIT|hidden|rootkit|hide)[_\w]{0,24}\x00/
		$how_6 = "/etc/ld.so.preload"
		// who does this for a good reason
		$good_1 = "UMOCKDEV_DIR"
		$good_2 = "FAKECHROOT"
		$good_3 = "FAKEROOTKEY"
		$good_4 = "__sanitizer_"
		$good_5 = "__interceptor_"
		$good_6 = "fiu_fail"
		$good_7 = "SBOX_"
		$good_8 = "PSEUDO_"
		$good_9 = "__collector_"
	condition:
		uint32(0) == 0x464C457F and uint8(16) == 3 and
		filesize < 1MB and ($dlsym or $dlvsym) and
		(
			// the hook itself and what a hider needs
			(for any of ($list_*) : (# >= 2) and
				(1 of ($how_*) or for any of ($more_*) : (# >= 2) or
				 ($list_1 and $list_2)) and
				not any of ($good_*)) or
			// many hooks and the loader's list
			($how_6 and 1 of ($list_*) and
				for 3 of ($more_*) : (# >= 2))
		)
}
