// SPDX-License-Identifier: GPL-2.0-or-later

rule backdoor_irc_script
{
	meta:
		id = "c59cbbfe-b784-4cb1-b565-9a05dfb18fa0"
		description = "Script that waits in a chat channel for commands and runs them"
		severity = "high"
		attack = "T1071"
		attack = "T1059"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Chat bots with a command that runs programs for their owners"
	strings:
		$irc_1 = "PRIVMSG"
		$irc_2 = /\bNICK[ \t]{1,2}[\$%"'\{#\w]/
		$irc_3 = /\bJOIN[ \t]{1,2}[#\$%"'\{&]/
		$irc_4 = /\bPONG\b/
		$irc_5 = /\bUSER[ \t]{1,2}[\$%"'\{\w]/
		$connect = /\bIO::Socket::INET|\bsocket\.(socket|create_connection)[ \t]{0,4}\(|\bfsockopen[ \t]{0,4}\(|\/dev\/tcp\/|\bTCPSocket\.(new|open)|\bsocket[ \t]{0,4}\([ \t]{0,4}\w{1,16}[ \t]{0,4},[ \t]{0,4}PF_INET|\bnc[ \t]{1,4}/
		$run = /`\$(cmd|command|com|line|exec|run|code|input|arg|buf|data|msg|str|shell|c`|c |x`|x |_`|_ )|\$\w{1,24}[ \t]{1,2}2>&1[ \t]{0,2}`|\bqx[ \t]{0,4}(\{[ \t]{0,4}\$|\([ \t]{0,4}\$|\/\$|\[\$|\|\$|!\$)\w|\bsystem[ \t]{0,4}\([ \t]{0,4}["\']?\$\w|\b(os\.popen|os\.system|check_output|getoutput|Popen)[ \t]{0,4}\([ \t]{0,4}[a-z_]\w{0,24}|\b(shell_exec|passthru|system|exec)[ \t]{0,4}\([ \t]{0,4}\$\w|\beval[ \t]{1,4}["\']?\$\{?\w|\$\([ \t]{0,4}eval[ \t]{1,4}["\']?\$\w|2>&1[ \t]{0,4}\)/
		$attack_1 = /\b(udp|tcp|http|syn|icmp)[ _\-]?(flood|attack|kill)\w{0,8}\b/ nocase
		$attack_2 = /\b(portscan|backconnect|back_?connect|googlescan|milw0rm|ddos|getshell|rshell|spreader|scanner|revshell)\w{0,8}\b/ nocase
		$hide = /\$0[ \t]{0,4}=[ \t]{0,4}["'][^\n"']{2,60}["'\.]|\bsetproctitle\b|\bprctl\b|\$SIG\{["']?(INT|HUP|TERM|CHLD|PS)["']?\}[ \t]{0,4}=[ \t]{0,4}["']IGNORE/
		$fork = /\bfork\b[ \t]{0,4}(\(|;|\band\b|&&)|\bexit[ \t]{1,4}if[ \t]{1,4}\$?\w{0,8}fork\b|\bnohup\b/
	condition:
		filesize < 256KB and uint32(0) != 0x464C457F and
		$irc_1 and 3 of ($irc_*) and $connect and $run and
		(1 of ($attack_*) or $hide or $fork or filesize < 4KB)
}

rule backdoor_ssh_spread
{
	meta:
		id = "dbf498d5-a33a-44ce-9fc9-80209dd52ce0"
		description = "Script that goes on to other machines by the keys and hosts it finds in .ssh"
		severity = "high"
		attack = "T1021.004"
		attack = "T1552.004"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Administration scripts read a list of hosts of their own, not every user's known_hosts"
	strings:
		$known = /\bknown_hosts\b/
		$config = /\/\.ssh\/config\b|\bHostName\b/
		$bash_history = /\.bash_history\b/
		$keys = /\b(id_rsa|id_dsa|id_ecdsa|id_ed25519|IdentityFile|\.pem\b|\*\.key)\b/
		$everywhere = /(\/root|\/home|~|\$HOME|\$\{HOME\})[^\n]{0,40}\/?\*?\/?\.ssh\b|\bfind[ \t][^\n]{0,80}(\.ssh|id_rsa|known_hosts|\.pem)/
		$login = /\b(ssh|scp|sshpass)[ \t][^\n]{0,160}(StrictHostKeyChecking[ =]no|BatchMode[ =]yes|UserKnownHostsFile[ =]\/dev\/null)[^\n]{0,200}/
		$run = /(StrictHostKeyChecking|BatchMode|UserKnownHostsFile|ConnectTimeout|PasswordAuthentication)[^\n]{0,200}\b(curl|wget|bash|sh|chmod|nohup|\/tmp|\/dev\/shm|base64)\b/
		$loop = /\bfor[ \t]{1,4}\w{1,24}[ \t]{1,4}in\b|\bwhile[ \t]{1,4}(IFS=[^\n]{0,4}[ \t]{1,4})?read\b|\bxargs\b/
		$address = /\b(grep|sed|awk|egrep|cut)\b[^\n]{0,120}(-d[ \t]{0,2}["\' ,]|\[0-9\]|\\d|\\b\(|\[\[:digit:\]\]|-F[ \t]{0,2}["']?[ ,]|known_hosts)/
	condition:
		filesize < 64KB and uint32(0) != 0x464C457F and
		$known and $login and $run and $loop and
		($keys or $everywhere or $config or $bash_history) and
		$address
}
