// SPDX-License-Identifier: GPL-2.0-or-later

rule credential_from_memory
{
	meta:
		id = "2cc9c01c-5eaa-4fdb-9fd8-98c44c0b3b6f"
		description = "Reads the memory of login programs to find passwords in it"
		severity = "high"
		attack = "T1003.007"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Forensic tools that read memory do not name login programs and check password hashes"
	strings:
		$memory_1 = /\/proc\/[^"'\n\x00]{0,40}\/mem\b/
		$memory_2 = /\/proc\/[^"'\n\x00]{0,40}\/maps\b/
		$memory_3 = /\bgcore\b|\bprocess_vm_readv\b|dump[ \t]{1,4}memory[ \t]|\bgenerate-core-file\b/
		$memory_4 = /["']\/?(mem|maps)["']/
		$proc = "/proc/"
		$who_1 = "gnome-keyring-daemon"
		$who_2 = /\bgdm-(password|session|session-worker)\b/
		$who_3 = "lightdm" fullword
		$who_4 = "vsftpd" fullword
		$who_5 = "sshd" fullword
		$who_6 = "apache2" fullword
		$who_7 = /\b(kdm|sddm|xrdp|lxdm|su -l|sudo)\b/
		$who_8 = /\b(kwalletd5?|ssh-agent|gpg-agent)\b/
		$needle_1 = "_pammodutil_getpwnam_root_1"
		$needle_2 = "libgck-1.so"
		$needle_3 = /libgcrypt\.so\.[0-9]{2}|libgcrypt\\?\./
		$needle_4 = "_pammodutil_getspnam_"
		$needle_5 = "gkr_system_authtok"
		$needle_6 = "libgcr-3.so"
		$needle_7 = /sudo\.\+|\^\.\+libgck|libpango-1\.0/
		$check_1 = "/etc/shadow"
		$check_2 = /\bcrypt(\.crypt)?[ \t]{0,4}\(|\bcrypt\x00|crypt_r\x00|\bmkpasswd\b|openssl[ \t]{1,4}passwd|\bpasslib\b/
	condition:
		filesize < 2MB and $proc and
		(
			(2 of ($who_*) and 1 of ($memory_*) and
				2 of ($needle_*)) or
			(3 of ($who_*) and 1 of ($memory_1, $memory_3) and
				$check_1 and $check_2) or
			(1 of ($needle_1, $needle_4, $needle_5) and
				1 of ($memory_*) and 1 of ($who_*))
		)
}

rule credential_caught
{
	meta:
		id = "8e8b71cf-c6cc-444c-878c-8788d5c319b5"
		description = "Script that catches passwords as they are typed: a false sudo or su, a tracer on sshd or ssh, pam_exec"
		severity = "high"
		attack = "T1056"
		attack = "T1556"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Scripts that ask for the sudo password and pass it on do so without writing it down"
	strings:
		// a false sudo: asks, writes down, passes on
		$ask = /\bread[ \t]{1,4}(-[a-zA-Z]{0,4}s[a-zA-Z]{0,4}\b|-r[ \t]{1,4}-s\b)[^\n]{0,80}|\bstty[ \t]{1,4}-echo\b|\bgetpass[ \t]{0,4}\(/
		$pass_on = /-S[ \t]{0,4}<<<|sudo[ \t]{1,4}(-[a-zA-Z]{0,4}S|-k[ \t]{1,4}-S|--stdin|-p[ \t]{1,4}["']{2}[ \t]{1,4}-S)\b|\bsu[ \t]{1,4}-c\b|["']-S["']/
		$write_down = /\b(echo|printf)[ \t][^\n|]{0,60}\$\{?\w{1,32}\}?[^\n|]{0,60}>{1,2}[ \t]{0,4}["']?(\/tmp|\/var\/tmp|\/dev\/shm|~\/\.|\$\{?HOME\}?\/\.|\/[\w\/\-]{0,60}\/\.[\w\-])/
		$send_off = /\b(curl|wget|nc|ncat)[ \t][^\n]{0,120}\$\{?(\w{0,16}(pass|pwd|pw|secret|cred|psw)\w{0,16}|p|x|REPLY)\b|\/dev\/tcp\//
		$alias = /\balias[ \t]{1,4}(sudo|su|ssh|passwd)=/
		$prompt = /\[sudo\][ \t]{1,4}password|Sorry, try again/
		$function = /(^|[\n;])[ \t]{0,8}(function[ \t]{1,4})?(sudo|su|ssh)[ \t]{0,4}\(\)[ \t]{0,4}\{/
		// a tracer on who reads passwords
		$trace_ssh = /\bstrace[ \t][^\n]{0,80}-p[ \t]{0,4}["']?(\$\(|`)[^\n\)`]{0,40}(pgrep|pidof|ps|cat)[^\n\)`]{0,40}\b(sshd|su|sudo|login)\b/
		$trace_pid = /\b(pgrep|pidof)[ \t][^\n]{0,24}\bsshd\b/
		$trace_use = /\bstrace[ \t][^\n]{0,60}(-e[ \t]{1,4}(trace=)?["']?(read|write)[^\n]{0,60}|-o[ \t]{0,4}[^\n]{0,60}\bssh\b|-p[ \t]{0,4})/
		$trace_alias = /\balias[ \t]{1,4}(ssh|su|sudo|scp)=["'][^\n]{0,24}\bstrace\b/
		$trace_out = /\bstrace[ \t][^\n]{0,80}-o[ \t]{0,4}["']?(\/tmp|\/var\/tmp|\/dev\/shm|\/[\w\/\-]{0,60}\/\.[\w\-]|~\/\.|\$\{?HOME\}?\/\.)/
		// PAM gives the password to a program
		$pam_exec = /\bpam_exec\.so[^\n]{0,60}\bexpose_authtok\b[^\n]{0,60}(\/tmp|\/var\/tmp|\/dev\/shm|\/[\w\/\-]{0,60}\/\.[\w\-])/
		$pam_any = /\bpam_exec\.so[^\n]{0,60}\bexpose_authtok\b/
		$pam_write = /(>{1,2}|\btee[ \t]{1,4}(-a[ \t]{1,4})?|\bsed[ \t]{1,4}-i[^\n]{0,160})[ \t]{0,4}["']?\/etc\/pam\.d\//
		$pam_permit = /\bauth[ \t]{1,8}sufficient[ \t]{1,8}pam_permit\.so/
		$pam_user = /\bPAM_USER\b/
	condition:
		filesize < 64KB and uint32(0) != 0x464C457F and
		(
			($ask and $pass_on and ($write_down or $send_off) and
				($alias or $prompt or $function or
				 filesize < 2KB)) or
			$trace_ssh or $trace_alias or
			($trace_pid and $trace_use and $trace_out) or
			$pam_exec or ($pam_write and ($pam_any or $pam_permit)) or
			($pam_user and ($write_down or $send_off) and
				filesize < 2KB)
		)
}
