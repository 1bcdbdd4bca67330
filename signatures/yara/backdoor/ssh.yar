// SPDX-License-Identifier: GPL-2.0-or-later

rule backdoor_ssh
{
	meta:
		id = "feaaf86d-a724-42cc-961a-b3e17c81f59e"
		description = "SSH server or client that writes down passwords or lets a fixed one in"
		severity = "high"
		attack = "T1554"
		attack = "T1556"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Honeypots that are built from OpenSSH write down passwords on purpose"
	strings:
		$openssh = /\bOpenSSH_[0-9]|SSH-2\.0-(OpenSSH|dropbear)|\bssh-userauth\b/
		$server = /\bauthctxt\b|\buserauth_passwd\b|sshpam_|\bauth_password\b|\bPermitRootLogin\b|Failed password for|auth-passwd\.c|\bsvr-authpasswd/
		$client = /\bssh_askpass\b|password: |Permission denied, please try again|userauth_passwd|sshconnect2\.c/
		// user and password in one line
		$pair_1 = /(user(name)?|login|usr|account)[ \t]{0,4}[:=>\-]{1,3}[ \t]{0,4}['"]?%s[^%\x00]{1,24}(pass(word|wd)?|pwd|pw|secret)[ \t]{0,4}[:=>\-]{1,4}[ \t]{0,4}['"]?%s/ nocase
		$pair_2 = /(user|login|name)[ \t]{0,2}[:\/][ \t]{0,2}pass(word|wd)?[^%\x00]{0,16}%s[ \t]{0,4}[:\/|][ \t]{0,4}%s/ nocase
		$pair_3 = /(\x00|\n)[^%\x00\n]{0,16}%s[ \t]{0,2}[:|@][ \t]{0,2}%s[ \t]{0,2}[:|@][ \t]{0,2}%s(:%[du])?[ \t]{0,2}\n\x00/
		$pair_4 = /\b(pass(word|wd)?|pwd)[ \t]{0,2}(from|for|of)[ \t]{1,2}%s[^%\x00]{0,24}(:|=|is|->)[ \t]{0,2}['"]?%s/ nocase
		$pair_5 = /[\?&](u|user|login|name)=%s[^\x00]{0,40}&(p|pw|pass|password|pwd)=%s/ nocase
		$place = /\x00(\/tmp|\/var\/tmp|\/dev\/shm|\/usr\/(include|share|lib|lib64|local|games)|\/var\/(log|lib|cache|spool|run|html)|\/etc|\/lib|\/opt|\/bin|\/sbin|\/run)\/([\w\-]{1,40}\/){0,4}(\.[\w\-\.]{1,40}|[\w\-]{1,40}\.(h|txt|dat|tmp|lst|log\.[0-9]|bak))\x00/
		$word = /\x00(magic_?pass(word)?|MAGIC_?PASS(WORD)?|master_?pass(word)?|MASTER_?PASS(WORD)?|backdoor_?(pass|active|user|login|pwd|key|auth)\w{0,16}|BACKDOOR\w{0,16}|secret_?pass(word)?|SECRET_?PASS(WORD)?|secret_?ok|SECRETPW|skeleton_?key|bd_pass\w{0,8}|log_pass(word|wd)?_?file|ILOG|OLOG|PASSLOG|pass_?sniff\w{0,8}|sniffed\w{0,8}|ssh_?sniff\w{0,8}|log_creds?|cred_?log|steal_\w{1,16})\x00/
	condition:
		uint32(0) == 0x464C457F and filesize < 8MB and
		$openssh and ($server or $client) and
		(
			$pair_2 or $pair_4 or $pair_5 or $word or
			(($pair_1 or $pair_3) and $place) or
			($pair_1 and $server)
		)
}
