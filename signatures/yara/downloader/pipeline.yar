// SPDX-License-Identifier: GPL-2.0-or-later
//
// Scripts whose whole purpose is to fetch something else and run it, and to
// leave no trace of that.

rule downloader_many_machines
{
	meta:
		id = "8533fa4e-52c4-427e-87ee-cbe907bb5224"
		description = "Script that fetches one program for many kinds of processor and tries each"
		severity = "high"
		attack = "T1105"
		attack = "T1059.004"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "None known: an installer asks uname which one it needs"
	strings:
		$fetch = /\b(wget|curl|tftp|ftpget|busybox[ \t]{1,4}(wget|tftp|ftpget|curl))[ \t]/
		$execute = /\bchmod[ \t]{1,4}(-R[ \t]{1,4})?([0-7]{0,1}7[0-7]{2}|[augo]{0,3}\+[rwxs]{0,3}x)|\bcat[ \t]{1,4}[^\n>]{1,40}>[ \t]{0,2}\w/
		$place = /\bcd[ \t]{1,4}["']?\/(tmp|var\/run|mnt|root|var\/tmp|dev\/shm|run|var|dev|etc)\b/
		$machine_1 = /[\/\.\-_ ]mips(el|le|64|eb)?\b/
		$machine_2 = /[\/\.\-_ ](mpsl|mipsel|mipsle)\b/
		$machine_3 = /[\/\.\-_ ]arm(4|5|6|7|v4l|v5l|v6l|v7l|v5|v6|v7|hf|eb)?\b/
		$machine_4 = /[\/\.\-_ ]arm(5|6|v5l|v6l|v5|v6)\b/
		$machine_5 = /[\/\.\-_ ](x86|i[3456]86|x32|x86_32)\b/
		$machine_6 = /[\/\.\-_ ](ppc|powerpc|ppc440fp|powerpc-440fp)\b/
		$machine_7 = /[\/\.\-_ ](sh4|superh)\b/
		$machine_8 = /[\/\.\-_ ](m68k|68k)\b/
		$machine_9 = /[\/\.\-_ ](spc|sparc)\b/
		$machine_10 = /[\/\.\-_ ](arc|arcle|arc700)\b/
		$machine_11 = /[\/\.\-_ ](x86_64|amd64|x64)\b/
		$machine_12 = /[\/\.\-_ ](arm64|aarch64)\b/
		$run = /(^|[\n;&|])[ \t]{0,8}\.\/[\w\.\-\$\{]|\b(sh|bash)[ \t]{1,4}\.?\/?[\w\.\-]|;[ \t]{0,4}\.\/|\/(tmp|dev\/shm|var\/run|var\/tmp)\/[\w\.\-\$\{]{1,40}[ \t]{1,4}[\w\.\-]{1,24}/
		$clean = /\brm[ \t]{1,4}-r?f?r?[ \t]/
	condition:
		filesize < 32KB and uint32(0) != 0x464C457F and
		$fetch and $execute and $run and
		(5 of ($machine_*) and ($place or $clean))
}

rule downloader_no_trace
{
	meta:
		id = "bbeb8cae-4f44-4fca-a67e-6ec212fa5de5"
		description = "Script that fetches a program, makes it executable in a temporary or hidden place, runs it and wipes the shell's history"
		severity = "high"
		attack = "T1105"
		attack = "T1070.003"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Scripts that seal a machine's image wipe the history, but do not run what they fetch from a temporary place"
	strings:
		$fetch = /\b(curl|wget|lwp-download|aria2c|fetch|tftp|ftpget)[ \t]|\burlretrieve\b|\/dev\/tcp\//
		$execute = /\bchmod[ \t]{1,4}(-R[ \t]{1,4})?([0-7]{0,1}[57][0-7]{2}|[augo]{0,3}\+[rwxs]{0,3}x)|\|[ \t]{0,4}(sudo[ \t]{1,4})?(\/(usr\/)?bin\/)?(ba|da|z|k)?sh\b|\b(ba|da|z)?sh[ \t]{1,4}<\(|\b(ba|da|z)?sh[ \t]{1,4}-c[ \t]{1,4}["']?\$\([ \t]{0,4}(curl|wget)/
		$place = /\/(tmp\/|var\/tmp\/|dev\/shm\/|run\/user\/|run\/lock\/)[\w\.\$\{\-]|\bmktemp\b/
		$hidden_1 = /\b(chmod|curl|wget|mkdir|nohup|bash|setsid|touch)[ \t][^\n]{0,80}[\/ ]\.[\w\-]{1,40}/
		$hidden_2 = /\$HOME\/\.\w|\$\{HOME\}\/\.\w|=~\/\.\w|\/root\/\.\w/
		$history_1 = /\bhistory[ \t]{1,4}-[cwr]/
		$history_2 = /\bunset[ \t]{1,4}(-v[ \t]{1,4})?(HISTFILE|HISTSIZE|HISTFILESIZE|HISTSAVE|HISTLOG)\b/
		$history_3 = /\bHIST(FILE|SIZE|FILESIZE|CONTROL)=["']?(\/dev\/null|0|[ \t;\n"'])/
		$history_4 = /\bset[ \t]{1,4}\+o[ \t]{1,4}history\b/
		$history_5 = /(>|\brm[ \t]{1,4}(-[rf]{1,2}[ \t]{1,4})?|\bshred[^\n;]{1,16}|\bln[ \t]{1,4}-s[f]?[ \t]{1,4}\/dev\/null[ \t]{1,4}|\btruncate[^\n;]{1,16}|\becho[ \t]{0,4}(-n[ \t]{1,4})?(""|'')?[ \t]{0,4}>)[ \t]{0,4}["']?(~|\$\{?HOME\}?|\/root|\/home\/[\w\*]{1,32})\/\.(\w{1,8}_)?history/
		$remove = /\brm[ \t]{1,4}-[rf]{1,2}[ \t]{1,4}["']?(\$0|\$\{0\}|\$\{?BASH_SOURCE|\/tmp|\/dev\/shm|\/var\/tmp|\.\/|\.|\$\{?\w)|\bshred[ \t]/
		$quiet = /\bnohup\b|\bsetsid\b|\bdisown\b|>[ \t]{0,2}\/dev\/null[ \t]{0,2}2>&1[ \t]{0,2}&|&>[ \t]{0,2}\/dev\/null[ \t]{0,2}&/
	condition:
		filesize < 32KB and uint32(0) != 0x464C457F and
		$fetch and $execute and ($place or 1 of ($hidden_*)) and
		1 of ($history_*) and
		($remove or $quiet)
}

rule downloader_encoded_pipe
{
	meta:
		id = "27252545-4494-4f79-bf53-62b645fab678"
		description = "Encoded text that is decoded and given to an interpreter at once, and that fetches something or opens a connection"
		severity = "high"
		attack = "T1027.010"
		attack = "T1105"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Deployment tools that wrap a command in base64; most carry no download in it"
	strings:
		$shell = /\bbase64[ \t]{1,4}(-d|-D|--decode|-di|-d[ \t]{1,4}-i)\b[^\n|]{0,24}\|[ \t]{0,4}(sudo[ \t]{1,4})?(\/(usr\/)?bin\/)?((ba|da|z|k)?sh|python[0-9\.]{0,4}|perl|php|node|ruby)\b/
		$shell_arg = /\b(eval|(ba|da|z)?sh[ \t]{1,4}-c)[ \t]{1,4}["']?[\$`]\(?[^\n\)`]{1,2000}\|[ \t]{0,4}base64[ \t]{1,4}(-d|-D|--decode)/
		$shell_here = /\bbase64[ \t]{1,4}(-d|-D|--decode)[ \t]{0,4}<<<[^\n|]{1,2000}\|[ \t]{0,4}(ba|da|z|k)?sh\b|\b(ba|da|z)?sh[ \t]{1,4}<\([ \t]{0,4}[^\n\)]{0,2000}base64[ \t]{1,4}(-d|-D|--decode)/
		$python = /\b(exec|eval)[ \t]{0,4}\([ \t]{0,4}(compile[ \t]{0,4}\([ \t]{0,4})?([\w\.]{1,24}[ \t]{0,4}\([ \t]{0,4}|__import__\([ \t]{0,4}["']\w{1,12}["'][ \t]{0,4}\)\.){0,3}(base64\.|__import__\([ \t]{0,4}["']base64["'][ \t]{0,4}\)\.)?b64decode[ \t]{0,4}\(/
		$python_packed = /\bexec[ \t]{0,4}\([ \t]{0,4}(compile[ \t]{0,4}\([ \t]{0,4})?(marshal\.loads[ \t]{0,4}\([ \t]{0,4})?(__import__[ \t]{0,4}\([ \t]{0,4}["'](zlib|lzma|bz2|gzip|marshal)["'][ \t]{0,4}\)|zlib|lzma|bz2|gzip|marshal)\.(decompress|loads)[ \t]{0,4}\([^\n]{0,60}b(64|85|32)decode[ \t]{0,4}\([ \t]{0,4}b?["']/
		$perl = /\beval[ \t]{0,4}[\(\{]?[ \t]{0,4}(MIME::Base64::)?decode_base64[ \t]{0,4}\(|\beval[ \t]{1,4}(unpack|pack)[ \t]{0,4}\(?[ \t]{0,4}["'](u|H)/
		$openssl = /\bopenssl[ \t]{1,4}(enc[ \t]{1,4})?-?(base64|enc)[^\n|]{0,40}-d[^\n|]{0,40}\|[ \t]{0,4}(ba|da|z|k)?sh\b/
		$hex = /\bxxd[ \t]{1,4}-r[^\n|]{0,16}\|[ \t]{0,4}(ba|da|z|k)?sh\b/
		$in_curl = "curl " base64
		$in_wget = "wget " base64
		$in_http = "http://" base64
		$in_https = "https://" base64
		$in_tcp = "/dev/tcp" base64
		$in_socket = "socket" base64
		$in_urllib = "urlopen(" base64
		$in_chmod = "chmod +x" base64
		$hex_curl = "6375726c20" nocase
		$hex_wget = "7767657420" nocase
		$hex_http = "687474703a2f2f" nocase
		$hex_tcp = "2f6465762f746370" nocase
	condition:
		filesize < 256KB and uint32(0) != 0x464C457F and
		(
			(1 of ($shell, $shell_arg, $shell_here, $python, $perl,
			       $openssl) and 1 of ($in_*)) or
			($python_packed and filesize < 64KB) or
			($hex and 1 of ($hex_*))
		)
}
