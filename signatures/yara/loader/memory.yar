// SPDX-License-Identifier: GPL-2.0-or-later
//
// A program that was never a file: it is written to a descriptor of
// memfd_create(2), and started from there.

rule loader_memfd_script
{
	meta:
		id = "2183d2d0-90bd-49a6-a742-74207fa39840"
		description = "Script that starts a program from memory alone, so that it never is a file"
		severity = "high"
		attack = "T1620"
		attack = "T1059"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Demonstrations of memfd_create; libraries that seal shared memory do not run it"
		reference = "https://man7.org/linux/man-pages/man2/memfd_create.2.html"
	strings:
		$name = /[\.:>\)]memfd_create[ \t]{0,4}\(|["']memfd_create["'][ \t]{0,4}\)[ \t]{0,4}\(/
		$number_x86 = /\bsyscall[ \t]{0,4}(->[ \t]{0,2})?\(?[ \t]{0,4}(319|0x13[fF]|279|0x117|356|385)[ \t]{0,4},/
		$number_perl = /\bsyscall[ \t]{0,4}\([ \t]{0,4}(\$\w{1,24}|&?SYS_memfd_create|&?__NR_memfd_create)/
		$number_php = /\bsyscall\b[^\n]{0,24}\b(319|279)\b/
		$run_path = /\/proc\/(self|\$\$|%d|\{[\w\.\(\) ]{0,24}\}|["'][^\n"']{0,40}["']|\$\{?\w{1,16}\}?|#\{[\w\$]{1,16}\}|\d{1,7})\/fd\//
		$run_join = /["']\/proc\/["'][ \t]{0,4}[\.\+,][^\n]{1,40}["']?\/fd\/?["']?/
		$run_fexec = /[\.:>](fexecve|execveat)[ \t]{0,4}\(|\bsyscall[ \t]{0,4}\([ \t]{0,4}(322|0x142|281|358)[ \t]{0,4},/
		$run_number = /\bos\.execv?e?[ \t]{0,4}\([ \t]{0,4}[a-z_]\w{0,12}[ \t]{0,4},/
		$run = /\b(exec|execv|execve|execl|execle|execvp|spawn|system|Popen|call|run|check_call|execFile|popen|posix_spawn)\b[ \t]{0,4}[\(\{]?/
		$ctypes = /\b(ctypes|CDLL|ffi|Fiddle|dl)\b/
		// a shell script that starts a program from a descriptor
		$gdb = /\bcall[ \t]{1,4}\(?(int|void)?[^\n]{0,12}\bmemfd_create\b/
		$ddexec_seek = /\b(dd|tail|hexdump|xxd|cmp|od|perl)\b[^\n]{0,80}(seek=|seek_bytes|-c[ \t]{0,2}\+|bs=1)/
		$ddexec_maps = /\/proc\/(self|\$\$|\$\{?\w{1,16}\}?)\/(maps|syscall|auxv|stat)\b/
		$ddexec_write = />[ \t]{0,4}["']?\/proc\/(self|\$\$|\$\{?\w{1,16}\}?)\/mem\b|\bexec[ \t]{1,4}[0-9\{\w\}]{1,8}<?>[ \t]{0,4}["']?\/proc\/(self|\$\$|\$\{?\w{1,16}\}?)\/mem\b|of=["']?\/proc\/(self|\$\$|\$\{?\w{1,16}\}?)\/mem\b/
		$encoded_1 = "memfd_create" base64
		$encoded_2 = "yscall(319" base64
		$encoded_3 = "/proc/self/fd/" base64
	condition:
		filesize < 8MB and uint32(0) != 0x464C457F and
		uint32(0) != 0x72613C21 and
		(
			(($name or $number_x86 or $number_php) and
				(filesize < 64KB or $ctypes or $number_x86) and
				(($run_path and $run) or
				 ($run_join and $run) or $run_fexec or
				 ($run_number and filesize < 3KB)) and
				(not $name or $ctypes or $number_x86 or
				 filesize < 32KB)) or
			($number_perl and $run_path and $run and
				filesize < 64KB) or
			(filesize < 64KB and $gdb and $run_path) or
			(filesize < 64KB and $ddexec_write and $ddexec_maps and
				$ddexec_seek) or
			(($encoded_1 or $encoded_2) and $encoded_3)
		)
}

rule loader_memfd_program
{
	meta:
		id = "314242a7-54e0-4306-a063-a8e5d7897d1d"
		description = "Small program that fetches or unpacks another one into memory and starts it from there"
		severity = "high"
		attack = "T1620"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Container runtimes copy themselves into memory before they start; they are larger and know namespaces"
	strings:
		$memfd = "memfd_create\x00"
		$exec_1 = "fexecve\x00"
		$exec_2 = "execveat\x00"
		$exec_3 = /\/proc\/(self|%d|%i|%u|%ld|thread-self)\/fd\/(%d|%i|%u|[0-9]|\x00)/
		$exec_4 = "execve\x00"
		$exec_5 = "execv\x00"
		$exec_6 = "execl\x00"
		$exec_7 = "posix_spawn\x00"
		// where it comes from
		$net_1 = "connect\x00"
		$net_2 = "recv\x00"
		$net_3 = "curl_easy_perform\x00"
		$net_4 = "getaddrinfo\x00"
		$net_5 = "SSL_read\x00"
		$net_6 = "inet_pton\x00"
		$net_7 = "inet_addr\x00"
		$net_8 = "gethostbyname\x00"
		$unpack_1 = "inflate\x00"
		$unpack_2 = "uncompress\x00"
		$unpack_3 = "EVP_DecryptUpdate\x00"
		$unpack_4 = "EVP_DecryptInit_ex\x00"
		$unpack_5 = "RC4\x00"
		$unpack_6 = "AES_decrypt\x00"
		$unpack_7 = "crypto_secretbox_open_easy\x00"
		$inside = { 7F 45 4C 46 (01|02) 01 01 }
		// system calls by number: memfd_create, then execveat, in amd64 code
		$raw_memfd = { (B8 3F 01 00 00 | 68 3F 01 00 00 | 66 B8 3F 01 | C7 C0 3F 01 00 00) [0-64] 0F 05 }
		$raw_exec = { (B8 42 01 00 00 | 68 42 01 00 00 | 66 B8 42 01 | C7 C0 42 01 00 00) [0-64] 0F 05 }
		$raw_execve = { (B8 3B 00 00 00 | 6A 3B 58 | B0 3B) [0-64] 0F 05 }
		$raw_connect = { (B8 2A 00 00 00 | 6A 2A 58 | B0 2A) [0-64] 0F 05 }
		$number_call = { BF 3F 01 00 00 }
		$dynamic = "libc.so.6\x00"
		$raw_path = /\/proc\/self\/fd\//
		// who copies itself on purpose
		$good_1 = /libcontainer|liblxc|lxc_|_LIBCONTAINER|crun|bubblewrap|systemd|flatpak|gvisor|snapd|snap-|libbpf: /
		$good_2 = /\bCLONE_NEW|unshare\x00|setns\x00/
	condition:
		uint32(0) == 0x464C457F and filesize < 8MB and
		(
			($memfd and not 1 of ($good_*) and filesize < 2MB and
				(1 of ($exec_1, $exec_2) or
				 ($exec_3 and
					1 of ($exec_4, $exec_5, $exec_6,
					      $exec_7))) and
				(2 of ($net_*) or 1 of ($unpack_*) or
				 #inside >= 2 or filesize < 24KB)) or
			($number_call and $exec_3 and filesize < 1MB and
				not 1 of ($good_*) and uint16(18) == 62 and
				(1 of ($exec_4, $exec_5, $exec_6, $exec_7) or
				 not $dynamic)) or
			($raw_memfd and $raw_exec and filesize < 2MB and
				not 1 of ($good_*) and uint16(18) == 62) or
			(filesize < 64KB and $raw_memfd and
				($raw_exec or
				 ($raw_execve and
					($raw_path or $raw_connect))))
		)
}
