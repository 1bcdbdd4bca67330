// SPDX-License-Identifier: GPL-2.0-or-later
//
// A way back in: an account, a key, a rule of sudo.

rule persistence_access
{
	meta:
		id = "69a0edae-5d98-43df-9f99-d098f2fc763f"
		description = "Script that makes itself a way back in: a second root account, or keys and sudo rules with their traces hidden"
		severity = "high"
		attack = "T1136.001"
		attack = "T1098.004"
		attack = "T1548.003"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Provisioning scripts that add a key or a sudo rule alone are not matched"
	strings:
		// a second account with the number 0
		$root_line = /\b(echo|printf)[ \t][^\n]{0,8}["']?[\w\-\.\$\{\}]{1,32}:[^:\n]{0,120}:0:[0-9]{1,6}:[^:\n]{0,60}:[^:\n]{0,60}:[^\n]{0,60}(>{2}|\btee[ \t]{1,4}-a)[ \t]{0,4}["']?\/etc\/passwd/
		$root_add = /\b(useradd|adduser)[ \t][^\n]{0,80}((-o|--non-unique)[ \t][^\n]{0,40}(-u|--uid)[ \t=]{0,4}0\b|(-u|--uid)[ \t=]{0,4}0[ \t][^\n]{0,40}(-o|--non-unique)\b|-[a-z]{0,4}ou[ \t]{1,4}0\b)/
		$root_mod = /\busermod[ \t][^\n]{0,40}(-o[ \t]{1,4}-u|-u)[ \t]{1,4}0[ \t]/
		$root_sed = /\bsed[ \t][^\n]{0,60}(x|\*|!):[0-9\\\[\]\+\-]{1,16}:[^\n]{0,24}:0:[^\n]{0,60}\/etc\/passwd/
		// keys
		$key = /(ssh-(rsa|ed25519|dss)|ecdsa-sha2-nistp[0-9]{3})[ \t]{1,4}(AAAA[A-Za-z0-9+\/]{8}|["'\$\{])/
		$key_write = /(>{1,2}|\btee[ \t]{1,4}(-a[ \t]{1,4})?)[ \t]{0,4}["']?[^\s"';]{0,60}authorized_keys2?\b/
		$key_open = /authorized_keys2?["'][ \t]{0,4},[ \t]{0,4}["'][wa]/
		// sudo
		$sudo_write = /\bNOPASSWD[ \t]{0,4}:[ \t]{0,4}ALL\b[^\n]{0,24}(>{1,2}|\btee[ \t]{1,4}(-a[ \t]{1,4})?)[ \t]{0,4}["']?\/etc\/sudoers/
		$setuid = /\bcp[ \t]{1,4}(-[a-z]{1,4}[ \t]{1,4})?(\/usr)?\/bin\/(ba|da|z|k)?sh[ \t]{1,4}[^\n]{1,80}|\binstall[ \t][^\n]{0,24}-m[ \t]{0,4}[4-7][0-7]{3}[ \t][^\n]{0,24}\/bin\/(ba|da|z|k)?sh/
		$setuid_bit = /\bchmod[ \t]{1,4}(-R[ \t]{1,4})?([4-7][0-7]{3}|[augo]{0,3}\+[rwx]{0,3}s)[ \t]{1,4}["']?(\/tmp|\/var\/tmp|\/dev\/shm|\/[\w\/\-]{0,40}\/\.[\w\-]|\$\{?\w|\.\w)/
		// and no trace
		$hide_attr = /\bchattr[ \t]{1,4}(-R[ \t]{1,4})?\+[a-z]{0,3}[ia]/
		$hide_unattr = /\bchattr[ \t]{1,4}(-R[ \t]{1,4})?-[a-z]{0,3}[ia]/
		$hide_touch = /\btouch[ \t]{1,4}(-[acm]{1,3}[ \t]{1,4})?(-r|-t|-d|--reference|--date)/
		$hide_history = /\bhistory[ \t]{1,4}-c|\bunset[ \t]{1,4}HISTFILE|\bHISTFILE=\/dev\/null|\.bash_history\b|\bset[ \t]{1,4}\+o[ \t]{1,4}history/
		$hide_log = /(>|\brm[ \t]{1,4}-r?f?[ \t]{1,4}|\btruncate[^\n]{1,12})[ \t]{0,4}\/var\/(log|run|adm)\/(wtmp|btmp|lastlog|auth\.log|secure|utmp|messages|syslog)/
		$open_root = /\bPermitRootLogin[ \t]{1,4}yes\b/
		$fetch = /\b(curl|wget)[ \t][^\n]{0,160}\|[ \t]{0,4}(ba|da|z|k)?sh\b/
	condition:
		filesize < 64KB and uint32(0) != 0x464C457F and
		(
			1 of ($root_*) or ($setuid and $setuid_bit) or
			(($key_write or $key_open) and $key and
				(1 of ($hide_*) or ($open_root and $fetch))) or
			($sudo_write and 1 of ($hide_*))
		)
}
