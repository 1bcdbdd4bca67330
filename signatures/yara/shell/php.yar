// SPDX-License-Identifier: GPL-2.0-or-later

rule reverse_shell_php
{
	meta:
		id = "b78c169c-590e-48f7-a0ab-885a1a26bec2"
		description = "PHP code that connects to a host and gives it a shell"
		severity = "high"
		attack = "T1059"
		attack = "T1505.003"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Course material that quotes such code"
	strings:
		$connect = /\b(p?fsockopen|stream_socket_client|socket_connect)[ \t]{0,4}\(/
		// a shell on a numbered descriptor
		$shell_number = /\b(exec|shell_exec|system|passthru|popen|proc_open)[ \t]{0,4}\([ \t]{0,4}["'][^"'\n]{0,40}sh\b[^"'\n]{0,24}[<>]&[ \t]{0,2}\$?\{?\w/
		$ticks_number = /`[^`\n]{0,40}sh\b[^`\n]{0,24}[<>]&[ \t]{0,2}\$?\{?\w[^`\n]{0,24}`/
		// the connection in the child's table of descriptors
		$table = /[012][ \t]{0,4}=>[ \t]{0,4}\$\w{1,32}[ \t]{0,4},\s{0,16}[012][ \t]{0,4}=>[ \t]{0,4}\$\w{1,32}/
		$proc_open = /\bproc_open[ \t]{0,4}\(/
		$shell = /["'](\/(usr\/)?bin\/)?(ba|da|z|k|a)?sh([ \t]{1,4}-[a-z]{1,3})?["']|[^\n]{0,40}\/bin\/(ba)?sh[ \t]{1,4}-i/
		$select = /\bstream_(select|set_blocking|copy_to_stream)[ \t]{0,4}\(/
		// line by line
		$read = /\b(fgets|fread|socket_read|stream_get_line)[ \t]{0,4}\([ \t]{0,4}\$/
		$write = /\b(fwrite|fputs|socket_write)[ \t]{0,4}\([ \t]{0,4}\$/
		$run = /\b(shell_exec|exec|system|passthru|popen)[ \t]{0,4}\([ \t]{0,4}(trim[ \t]{0,4}\([ \t]{0,4})?["\']?\{?\$\w{1,32}|`\{?\$(cmd|command|line|input|data|buf)|2>&1[ \t]{0,2}`/
		$encoded_1 = "fsockopen(" base64
		$encoded_2 = "/bin/sh -i" base64
		$encoded_3 = "proc_open(" base64
	condition:
		filesize < 64KB and uint32(0) != 0x464C457F and
		(
			($connect and
				($shell_number or $ticks_number or
				 ($proc_open and $table and $shell) or
				 ($proc_open and $select and $shell) or
				 (filesize < 8KB and $read and $write and $run))) or
			($encoded_1 and ($encoded_2 or $encoded_3))
		)
}
