// SPDX-License-Identifier: GPL-2.0-or-later
//
// Programs made for connections, with a shell at one end.

rule reverse_shell_netcat
{
	meta:
		id = "c6aa260f-de88-457e-bde0-ab5f2b235659"
		description = "netcat or telnet joined to a shell, by option or by a named pipe"
		severity = "high"
		attack = "T1059.004"
		attack = "T1095"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Course material that quotes such a line"
	strings:
		// the option to run a program, in any order; not while listening
		$option = /\b(nc|ncat|netcat|nc\.traditional|nc\.openbsd)[ \t]{1,4}[^\n|;&#<]{0,60}(-[a-km-z]{0,6}[ec]|--(sh-)?exec)[ \t=]{1,4}["']?(\/(usr\/)?bin\/)?(ba|da|z|k|a)?sh\b/
		$listening = /\b(nc|ncat|netcat)[^\n|;&#<]{0,30}[ \t](-[a-z]{0,6}l[a-z]{0,6}|--listen)[ \t][^\n|;&#<]{0,30}(-[a-z]{0,6}[ec]|--(sh-)?exec)[ \t=]{1,4}["']?(\/(usr\/)?bin\/)?(ba|da|z|k|a)?sh[ \t"';&\n]/
		$script = /^#!/
		// a named pipe in a ring: pipe -> shell -> network -> pipe
		$pipe = /\b(mkfifo|mknod)[ \t]{1,4}/
		$ring = /\b(ba|da|z|k|a)?sh\b[ \t]{0,4}(-[a-z]{1,4}[ \t]{0,4})?[^\n|;]{0,40}\|[ \t&]{0,4}[^\n|;]{0,24}\b(nc|ncat|netcat|telnet|nc\.traditional|nc\.openbsd)[ \t]{1,4}[^\n|;]{1,80}(>|\|&?[ \t]{0,4}tee)/
		$ring_back = /\b(nc|ncat|netcat|telnet|nc\.traditional|nc\.openbsd)[ \t]{1,4}[^\n|;]{1,80}<[^\n|;]{1,40}\|[ \t&]{0,4}(\/(usr\/)?bin\/)?(ba|da|z|k|a)?sh\b/
		$ring_sh = /\b(nc|ncat|netcat|telnet)[ \t]{1,4}[^\n|;]{3,60}\|[ \t&]{0,4}(\/(usr\/)?bin\/)?(ba|da|z|k|a)?sh\b[^\n|;]{0,24}\|[ \t&]{0,4}(nc|ncat|netcat|telnet)[ \t]{1,4}/
		$encoded_1 = "nc -e /bin/" base64
		$encoded_2 = "/bin/sh -i 2>&1|nc " base64
		$encoded_3 = "2>&1 | nc " base64
		$encoded_4 = "mkfifo " base64
	condition:
		filesize < 64KB and uint32(0) != 0x464C457F and
		(
			#option > #listening or ($listening and ($script or filesize < 4KB)) or
			$ring_sh or
			($pipe and ($ring or $ring_back)) or
			$encoded_1 or $encoded_2 or ($encoded_3 and $encoded_4)
		)
}
