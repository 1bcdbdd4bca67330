// SPDX-License-Identifier: GPL-2.0-or-later

rule exploit_kernel_root
{
	meta:
		id = "6b04a40e-9502-40e2-805d-0363b5febb86"
		description = "Program for ordinary users that knows how the kernel gives root: an exploit of the kernel"
		severity = "high"
		attack = "T1068"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Tracers and crash analysers know kernel symbols, but do not make ready a shell"
	strings:
		$cred_1 = "prepare_kernel_cred"
		$cred_2 = "commit_creds"
		$cred_3 = "init_cred" fullword
		$cred_4 = "modprobe_path"
		$cred_5 = "/proc/sys/kernel/modprobe"
		$cred_6 = "core_pattern"
		$symbols = "/proc/kallsyms"
		$way_1 = /\x00(add_key|keyctl|msgsnd|msgrcv|userfaultfd|setxattr|sendmsg|unshare|io_uring_setup|pipe2?|splice|mmap(64)?|setsockopt|perf_event_open|bpf|sched_setaffinity|syscall)\x00/
		$shell = /\/bin\/(ba|da)?sh\x00/
		$word_1 = /\b(spawning|popping|got|getting|enjoy)\b[^\x00\n]{0,24}\b(root|shell)\b/ nocase
		$word_2 = /\b(kaslr|kernel|KERNEL)[ _]?(base|leak|slide|text)\b|\bleak(ed|ing)?\b[^\x00\n]{0,24}\b(kernel|address|base|kaslr|heap)\b/ nocase
		$word_3 = /\b(exploit(ed|ing)?|rop[ _]?chain|payload|spray(ed|ing)?|heap spray|uaf|use-after-free|overwrit(e|ing)|privesc|escalat\w{0,6}|pwn\w{0,6}|trigger(ed|ing)?)\b/ nocase
		$word_4 = /\[\+\] |\[\*\] |\[-\] |\[!\] /
		$uid_1 = "getuid\x00"
		$uid_2 = "setuid\x00"
		$uid_3 = "setresuid\x00"
		$uid_4 = "geteuid\x00"
		$dummy = /\\x(ff|FF)\\x(ff|FF)|\/tmp\/[\w\.\-\/]{1,24}\x00/
		$module = "vermagic="
		$kernel = "Linux version "
		$tracer = /\b(bpftrace|perf_event_attr|libbpf|SystemTap|trace-cmd|crash>|kpatch|drgn)\b/
	condition:
		uint32(0) == 0x464C457F and
		(uint8(16) == 2 or uint8(16) == 3) and filesize < 2MB and
		not $module and not $kernel and not $tracer and
		(
			($cred_1 and $cred_2 and
				($shell or $symbols or 1 of ($word_*)) and
				1 of ($uid_*, $way_1)) or
			(1 of ($cred_3, $cred_4, $cred_5) and
				1 of ($uid_*) and $word_4 and
				2 of ($word_1, $word_2, $word_3, $shell, $dummy)) or
			($cred_2 and $cred_3 and $shell and 1 of ($word_*)) or
			(1 of ($cred_4, $cred_5) and $word_4 and
				3 of ($word_1, $word_2, $word_3, $shell, $dummy)) or
			($cred_6 and $shell and $word_4 and
				$word_2 and $word_3)
		)
}
