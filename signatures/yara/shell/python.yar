// SPDX-License-Identifier: GPL-2.0-or-later
//
// Python that hands a connection to a shell: as its standard input and output,
// or line by line.

rule reverse_shell_python
{
	meta:
		id = "fc5b1b12-bcd9-4e60-b983-b7ddc4a9e66d"
		description = "Python code that connects to a host and gives it a shell"
		severity = "high"
		attack = "T1059.006"
		attack = "T1095"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Course material that quotes such code; remote consoles written in a few lines"
	strings:
		$socket = "socket" fullword
		$connect = /\b(connect|connect_ex|create_connection|accept)[ \t]{0,4}\(/
		$dup = /\bdup2?\b/
		$fileno = "fileno" fullword
		$shell = /["'](\/(usr\/)?bin\/)?(ba|da|z|k|c|tc|fi|a)?sh["' ]/
		$spawn = /\bspawn[ \t]{0,4}\(/
		$environ = /environ[^\n]{0,12}["']SHELL["']/
		$pty = "pty" fullword
		// the connection is what the child reads and writes
		$standard = /\bstd(in|out|err)[ \t]{0,4}=[ \t]{0,4}[a-z_]\w{0,24}(\.fileno\(\)|\.makefile\([^\n\)]{0,12}\))?[ \t]{0,4},\s{0,16}std(in|out|err)[ \t]{0,4}=[ \t]{0,4}[a-z_]\w{0,24}(\.fileno\(\)|\.makefile\([^\n\)]{0,12}\)|[ \t]{0,4}[,\)\n])/
		// line by line
		$receive = /\.(recv|makefile|readline)[ \t]{0,4}\(/
		$send = /\.(send|sendall|write)[ \t]{0,4}\(/
		$run = /\b(Popen|check_output|getoutput|getstatusoutput|run|popen|system|call)[ \t]{0,4}\([ \t]{0,4}(\[[ \t]{0,4}["'](\/bin\/)?(ba)?sh["'][ \t]{0,4},[ \t]{0,4}["']-c["'][ \t]{0,4},[ \t]{0,4})?[a-z_]\w{0,24}(\.decode\([^\n\)]{0,12}\)|\.strip\(\)|\[[^\n\]]{0,8}\])?[ \t]{0,4}[,\)\]]/
		$by_shell = /\bshell[ \t]{0,4}=[ \t]{0,4}(True|1)\b|\bos\.popen\b|\bgetoutput\b|\bgetstatusoutput\b|\["?'?(\/bin\/)?(ba)?sh["'][ \t]{0,4},[ \t]{0,4}["']-c/
		$shell_pipes = /\bPopen[ \t]{0,4}\([ \t]{0,4}\[?[ \t]{0,4}["'](\/bin\/)?(ba|da|z|k)?sh["'][^\n]{0,80}\bPIPE\b/
		$async_connect = "open_connection"
		$async_run = /\bcreate_subprocess_(shell|exec)[ \t]{0,4}\([ \t]{0,4}([a-z_]\w{0,24}[ \t]{0,4}[,\)]|["'](\/bin\/)?(ba|da|z)?sh["'])/
		// the same, still encoded
		$encoded_socket = "socket.socket(" base64
		$encoded_import = "import socket" base64
		$encoded_dup = "os.dup2(" base64
		$encoded_pty = "pty.spawn(" base64
		$encoded_sub = "subprocess." base64
	condition:
		filesize < 64KB and uint32(0) != 0x464C457F and
		(
			($socket and $connect and
				(($dup and $fileno and ($shell or $environ)) or
				 ($dup and $spawn and $pty) or
				 ($standard and ($shell or $environ)) or
				 (filesize < 6KB and $receive and $send and
					(($run and $by_shell) or
					 $shell_pipes)))) or
			($async_connect and $async_run and filesize < 6KB) or
			(1 of ($encoded_socket, $encoded_import) and
				1 of ($encoded_dup, $encoded_pty, $encoded_sub))
		)
}
