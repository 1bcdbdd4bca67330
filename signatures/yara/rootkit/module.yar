// SPDX-License-Identifier: GPL-2.0-or-later

rule rootkit_module
{
	meta:
		id = "e2bf3cd3-5877-45a4-b3aa-2e7a6a6ba24e"
		description = "Kernel module that changes system calls or kernel functions to hide something or to give root"
		severity = "high"
		attack = "T1014"
		attack = "T1547.006"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Modules of security products that hook system calls; they do not hide themselves"
	strings:
		$vermagic = "vermagic="
		$init = "init_module"
		// finding what is not exported
		$find_1 = "sys_call_table"
		$find_2 = "kallsyms_lookup_name"
		$find_3 = "register_kprobe"
		$find_4 = "ftrace_set_filter_ip"
		$find_5 = "register_ftrace_function"
		$find_6 = "kallsyms_on_each_symbol"
		// getting at it
		$write_1 = "native_write_cr0"
		$write_2 = { 0F 22 C0 }
		$write_3 = "set_memory_rw"
		$write_4 = "lookup_address"
		$write_5 = "update_mapping_prot"
		// what is lied about
		$hook_1 = /(__x64_|__arm64_|__ia32_|\b)?sys_getdents(64)?\b/
		$hook_2 = "tcp4_seq_show"
		$hook_3 = "tcp6_seq_show"
		$hook_4 = "udp4_seq_show"
		$hook_5 = /(__x64_|__arm64_|\b)sys_kill\b/
		$hook_6 = /\b(filldir64|filldir|fillonedir|compat_filldir|iterate_dir|iterate_shared|proc_iterate|proc_pid_readdir|proc_root_readdir)\b/
		$hook_7 = /(__x64_|__arm64_|\b)sys_(init_module|finit_module|delete_module)\b/
		$hook_8 = "packet_rcv"
		$hook_9 = /\b(find_task_by_vpid|find_get_pid|audit_alloc|load_elf_binary|account_process_tick|vfs_statx|vfs_read|random_read|urandom_read|next_tgid|proc_pid_lookup)\b/
		$hook_10 = /(__x64_|__arm64_|\b)sys_(read|openat|open|statx|newlstat|newstat|execve|reboot|recvmsg|sysinfo|unlinkat|pread64)\b/
		$hook_11 = "inet_sk_diag_fill"
		$hook_12 = "tpacket_rcv"
		// and gained
		$root_1 = "prepare_creds"
		$root_2 = "commit_creds"
		$root_3 = "prepare_kernel_cred"
		$root_4 = "override_creds"
		$help = "call_usermodehelper"
		// words of hiding
		$word_1 = /\b(hide|unhide|hidden|hide_module|hide_me|hide_proc|hide_pid|hide_file|hide_port|hidden_pids?|rootkit|backdoor|magic_prefix|MAGIC_PREFIX|invisible|set_root|give_root|get_root|hooked_\w{2,24}|orig_(getdents|kill|read)\w{0,8}|hook_(getdents|kill|read)\w{0,8}|hk_sys_\w{2,16})\b/
		$livepatch = "livepatch=Y"
	condition:
		uint32(0) == 0x464C457F and uint8(16) == 1 and
		filesize < 8MB and $vermagic and $init and not $livepatch and
		(
			(1 of ($find_*) and 2 of ($hook_*) and
				(1 of ($root_*) or $word_1 or
				 ($help and 1 of ($write_*)))) or
			(1 of ($find_*) and 1 of ($hook_1, $hook_2, $hook_6) and
				(1 of ($write_1, $write_3, $write_5) or $word_1)) or
			(1 of ($find_*) and $word_1 and $root_1 and $root_2)
		)
}
