// SPDX-License-Identifier: GPL-2.0-or-later
//
// BPF programs may write into the memory of who makes a system call.  The call
// of helper 36, bpf_probe_write_user, is one instruction: 85 00 00 00 24 00 00
// 00.  A program that brings its BPF object along has it inside.

rule rootkit_bpf
{
	meta:
		id = "190f8dd2-4822-4bf1-ae71-19dd4581123c"
		description = "BPF program that changes what system calls return to programs: hidden files or processes, forged files"
		severity = "high"
		attack = "T1014"
		attack = "T1562"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Tracers that change arguments on purpose are rare and do not attach to the listing of folders"
		reference = "https://man7.org/linux/man-pages/man7/bpf-helpers.7.html"
	strings:
		$object = { 7F 45 4C 46 02 (01|02) 01 [9] 01 00 F7 00 }
		$write_user = { 85 00 00 00 24 00 00 00 }
		$override = { 85 00 00 00 3A 00 00 00 }
		$at_list = /(tp|tracepoint|raw_tp|raw_tracepoint|kprobe|kretprobe|ksyscall|kretsyscall|fentry|fexit|fmod_ret)\/[\w\/]{0,32}(getdents(64)?|filldir64|filldir|iterate_dir|vfs_readdir)\b/
		$at_read = /(tp|tracepoint|kprobe|kretprobe|ksyscall|kretsyscall|fentry|fexit|raw_tp|raw_tracepoint|fmod_ret)\/[\w\/]{0,32}(sys_(enter|exit)_(read|openat|open|pread64|execve|stat|newfstatat|statx|recvmsg|recvfrom|write|bpf)|__x64_sys_(read|openat|open|execve|kill|bpf)|sys_(enter|exit)\b)/
		$at_raw = /\b(raw_tp|raw_tracepoint|tp_btf)\/sys_(enter|exit)\b/
		$file = /\/etc\/(sudoers|passwd|shadow)\b|authorized_keys|\bcrontab\b|NOPASSWD/
		$hide = /\b(hidden|hide|pid_to_hide|hide_pid|backdoor|rootkit|payload|sudo|magic|knock)\w{0,24}\b/ nocase
		$license = /GPL\x00|Dual BSD\/GPL\x00/
	condition:
		uint32(0) == 0x464C457F and filesize < 16MB and
		(uint16(18) == 0xF7 or #object >= 1) and $license and
		(
			($write_user and ($at_list or
				(($at_read or $at_raw) and ($file or $hide)))) or
			($override and ($at_list or $at_read) and $hide)
		)
}
