// SPDX-License-Identifier: GPL-2.0-or-later
//
// The shell opens a connection by itself, through the paths /dev/tcp and
// /dev/udp that only it knows, and takes its commands from there.

rule reverse_shell_dev_tcp
{
	meta:
		id = "80f1992d-74f1-4307-9461-5bd8033df06a"
		description = "Shell whose input and output are a network connection, opened through /dev/tcp or /dev/udp"
		severity = "high"
		attack = "T1059.004"
		attack = "T1095"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Notes and course material on penetration testing that quote such a line; scripts that only ask whether a port is open are not matched"
		reference = "https://www.gnu.org/software/bash/manual/html_node/Redirections.html"
	strings:
		// in one line, with whatever descriptors
		$shell = /\b(ba|da|z|k|mk|a)?sh["']?[ \t]{1,8}(-{1,2}[a-z]{1,12}[ \t]{1,8}){0,3}([0-9&]{0,3}>{1,2}&?|[0-9]{0,3}<>?)[ \t]{0,8}["']?\/dev\/(tcp|udp)\/[^\/\s]/
		// the connection gets a number first
		$open = /\bexec[ \t]{1,8}(\{\w{1,32}\}|[0-9]{0,3})(<>|<|>&?)[ \t]{0,8}["']?\/dev\/(tcp|udp)\//
		$open_late = /[0-9\}](<>|>&)[ \t]{0,8}["']?\$\{?\w{1,32}\}?\/[^\s\/]{1,80}\/[^\s\/]/
		$fed = /\b(ba|da|z|k|mk|a)?sh["']?[ \t]{0,8}(-[a-z]{1,4}[ \t]{1,8}){0,2}[0-2]?[<>]&[ \t]{0,4}["']?(\$\{?\w{1,32}|[0-9]{1,3})/
		// each line that arrives is run
		$read = /\bwhile[ \t]{1,8}[^\n;]{0,24}\bread[ \t][^\n;]{1,60}[;\n]\s{0,16}do\b/
		$run_line = /\bdo\s{1,16}(eval[ \t]{1,8})?["']?\$\{?\w{1,32}\}?["']?[ \t]{0,8}[0-9&]{0,3}>/
		$run_eval = /(\beval|sh[ \t]{1,8}-c)[ \t]{1,8}["']?\$\{?\w{1,32}\}?["']?[ \t]{0,8}([0-9&]{0,3}>|\)|\||`)/
		// the path in a variable
		$path = /=["']?\/dev\/(tcp|udp)["'\/\s;]/
		$interactive = /\b(ba|da|z|k|mk|a)?sh["']?[ \t]{1,8}-[a-z]{0,3}i[a-z]{0,3}\b[^\n]{0,16}[<>]/
		// connected to by way of a pipe
		$piped = /<[ \t]{0,8}["']?\/dev\/(tcp|udp)\/[^\s|]{1,100}[ \t]{0,8}\|[ \t]{0,8}(\/(usr\/)?bin\/)?(ba|da|z|k)?sh\b/
		$zsh = /\bztcp[ \t][^\n]{1,80}\bzsh[ \t][^\n]{0,12}[<>]&/
		// the same, still encoded
		$encoded_1 = "-i >& /dev/tcp/" base64
		$encoded_2 = "-i >&/dev/tcp/" base64
		$encoded_3 = "<>/dev/tcp/" base64
		$encoded_4 = " /dev/tcp/" base64
		$hexed = /(202f)(6465762f7463702f)/ nocase
		$decoder = /\b(base64|b64decode|base32|xxd|unhexlify|fromhex)\b/
	condition:
		filesize < 128KB and uint32(0) != 0x464C457F and
		(
			$shell or $piped or $zsh or
			($open and ($fed or $interactive or
				($read and ($run_line or $run_eval)))) or
			($path and ($interactive or ($open_late and $fed))) or
			1 of ($encoded_1, $encoded_2, $encoded_3) or
			($decoder and ($encoded_4 or $hexed))
		)
}
