// SPDX-License-Identifier: GPL-2.0-or-later

rule reverse_shell_perl
{
	meta:
		id = "6666ab1e-eab2-46f1-bfb5-52eaa08e3920"
		description = "Perl code that connects to a host and gives it a shell"
		severity = "high"
		attack = "T1059"
		attack = "T1095"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Course material that quotes such code"
	strings:
		$socket = /\bsocket[ \t]{0,4}\(|\bIO::Socket(::INET6?|::IP|::SSL)?\b/
		$connect = /\bconnect[ \t]{0,4}\(|\bPeer(Addr|Host|Port)\b|\bIO::Socket::INET6?->new[ \t]{0,4}\([ \t]{0,4}["'\$]|\baccept[ \t]{0,4}\(/
		// standard input and output become the connection
		$reopen = /\bopen[ \t]{0,4}\(?[ \t]{0,4}\*?STD(IN|OUT|ERR)[ \t]{0,4},[ \t]{0,4}["']\+?[<>]{1,2}&=?["']?/
		$fdopen = /(STD(IN|OUT|ERR)|\$~|\$_)[ \t]{0,4}->[ \t]{0,4}fdopen[ \t]{0,4}\([ \t]{0,4}\$/
		$shell = /\b(exec|system|popen)\b[ \t]{0,4}[\(\{]{0,2}[ \t]{0,4}(["']|qq?[\{\(\/!])[ \t]{0,4}(\/(usr\/)?bin\/(env[ \t]{1,4})?)?(ba|da|z|k|c|tc|a)?sh\b/
		$each = /\bsystem[ \t]{0,4}\(?[ \t]{0,4}\$_/
		// line by line
		$lines = /\bwhile[ \t]{0,4}\([ \t]{0,4}((my|our)?[ \t]{0,4}\$\w{1,32}[ \t]{0,4}=[ \t]{0,4})?<\$?\w{1,32}>/
		$ticks = /`\$(cmd|command|com|line|exec|run|code|input|arg|buf|data|msg|str|shell|c`|c |x`|x |_`|_ )|\$\w{1,24}[ \t]{1,2}2>&1[ \t]{0,2}`|\bqx[ \t]{0,4}(\{[ \t]{0,4}\$|\([ \t]{0,4}\$|\/\$|\[\$|\|\$|!\$)\w/
		$answer = /\bprint[ \t]{0,4}\{?[ \t]{0,4}\$?\w{1,32}[ \t]{0,4}\}?[ \t]{1,4}(`|qx|\$\w{1,32}|\@\w{1,32})|\$\w{1,32}[ \t]{0,4}->[ \t]{0,4}(print|send|syswrite)\b/
		$encoded_socket = "use Socket;" base64
		$encoded_io = "IO::Socket::INET" base64
		$encoded_open = "open(STD" base64
		$encoded_fdopen = "->fdopen(" base64
	condition:
		filesize < 64KB and uint32(0) != 0x464C457F and
		(
			($socket and $connect and
				((#reopen + #fdopen >= 2 and ($shell or $each)) or
				 (filesize < 8KB and $lines and $ticks and $answer))) or
			(1 of ($encoded_socket, $encoded_io) and
				1 of ($encoded_open, $encoded_fdopen))
		)
}
