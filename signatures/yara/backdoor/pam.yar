// SPDX-License-Identifier: GPL-2.0-or-later

rule backdoor_pam
{
	meta:
		id = "3da0b280-06c7-4005-b016-64d9890f2549"
		description = "PAM module that writes down or sends off passwords, or lets a fixed one in"
		severity = "high"
		attack = "T1556.003"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Modules that pass passwords to another service do not write them to files"
	strings:
		$auth = "\x00pam_sm_authenticate\x00"
		$get_1 = "\x00pam_get_authtok\x00"
		$get_2 = "\x00pam_get_item\x00"
		$get_3 = "\x00pam_get_user\x00"
		$get_4 = "\x00pam_prompt\x00"
		// user and password in one line
		$pair = /(\x00|[\w \]\)=\-\t>])(%s[ \t]{0,4}[:=\|][ \t]{0,4}%s([ \t]{0,4}[:=\|@][ \t]{0,4}%s)?(\\n|\n)?\x00)/
		$pair_blank = /\x00%s[ \t]{1,4}%s\n\x00/
		$pair_words = /(user(name)?|login|usr|account|u)[ \t]{0,4}[:=>\-]{1,3}[ \t]{0,4}['"]?%s[^%\x00]{1,24}(pass(word|wd)?|pwd|pw|p|secret|authtok)[ \t]{0,4}[:=>\-]{1,3}[ \t]{0,4}['"]?%s/ nocase
		$pair_url = /[\?&](u|user|login|name)=%s[^\x00]{0,40}&(p|pw|pass|password|pwd)=%s/ nocase
		// where to
		$file_1 = "\x00fopen\x00"
		$file_2 = "\x00fopen64\x00"
		$file_3 = "\x00open\x00"
		$file_4 = "\x00open64\x00"
		$place = /\x00(\/tmp|\/var\/tmp|\/dev\/shm|\/usr\/(include|share|lib|lib64|local)|\/var\/(log|lib|cache|spool|run)|\/etc|\/lib|\/opt|\/run)\/([\w\-]{1,40}\/){0,4}(\.[\w\-\.]{1,40}|[\w\-]{1,40}\.(log|h|txt|dat|tmp|bak|so\.[0-9]|lst|pwd))\x00/
		$hidden = /\x00(\/[\w\-]{1,24}){1,4}\/\.[\w\-\.]{1,40}\x00/
		$net_1 = "\x00connect\x00"
		$net_2 = "\x00sendto\x00"
		$net_3 = "\x00curl_easy_perform\x00"
		$net_4 = "\x00getaddrinfo\x00"
		$net_5 = "\x00gethostbyname\x00"
		$net_6 = "\x00inet_addr\x00"
		$run_1 = "\x00popen\x00"
		$run_2 = "\x00system\x00"
		$run_line = /\b(curl|wget|nc|ncat|sendmail|mail[ \t]{1,4}-s|nslookup|dig|ping)[ \t][^\x00]{0,100}%s/
		// a fixed password
		$compare_1 = "\x00strcmp\x00"
		$compare_2 = "\x00strncmp\x00"
		$compare_3 = "\x00memcmp\x00"
		$word = /\x00(magic_?pass(word)?|MAGIC_?PASS(WORD)?|master_?pass(word)?|MASTER_?PASS(WORD)?|backdoor\w{0,16}|BACKDOOR\w{0,16}|secret_?pass(word)?|SECRET_?PASS(WORD)?|skeleton\w{0,16}|godmode|pam_backdoor|log_pass(word|wd)?|save_pass(word|wd)?|steal_\w{1,16}|logpw|keylog\w{0,8}|bd_pass\w{0,8}|PWD_LOG|PASSLOG|cred_log|log_creds?)\x00/
		$known = /\x00(unix_chkpwd|\/sbin\/unix_chkpwd|\/usr\/sbin\/unix_chkpwd)\x00/
	condition:
		uint32(0) == 0x464C457F and uint8(16) == 3 and
		filesize < 1MB and $auth and 1 of ($get_*) and
		(
			(($pair or $pair_words or $pair_url) and
				((1 of ($file_*) and ($place or $hidden)) or
				 (1 of ($net_3, $net_6) or
					($net_2 and 1 of ($net_4, $net_5)) or
					($net_1 and $net_5)) or
				 $run_line)) or
			$pair_url or ($pair_blank and $hidden and 1 of ($file_*)) or
			($run_line and 1 of ($run_*)) or
			($word and 1 of ($compare_*)) or
			($known and #hidden >= 2 and 1 of ($file_*)) or
			($pair_words and 1 of ($file_*))
		)
}
