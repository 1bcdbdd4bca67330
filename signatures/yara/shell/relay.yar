// SPDX-License-Identifier: GPL-2.0-or-later

rule reverse_shell_relay
{
	meta:
		id = "e513cfa9-38c4-4e69-9bdb-efe741b4b2b8"
		description = "socat, openssl or ssh joined to a shell, so that what is said is encrypted or has a terminal"
		severity = "high"
		attack = "T1059.004"
		attack = "T1573"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Course material that quotes such a line; a console server built with socat"
	strings:
		$socat_1 = /\bsocat[0-9]?[ \t]{1,4}[^\n]{0,80}(tcp[46]?|tcp[46]?-connect|openssl|openssl-connect|ssl|udp[46]?|sctp|socks4a?|proxy):[^\n]{3,100}(exec|system):\\?["']{0,2}([^\n"']{0,24}[ \/])?(ba|da|z|k|a)?sh\b/ nocase
		$socat_2 = /\bsocat[0-9]?[ \t]{1,4}[^\n]{0,40}(exec|system):\\?["']{0,2}([^\n"']{0,24}[ \/])?(ba|da|z|k|a)?sh\b[^\n]{0,80}[ \t"'](tcp[46]?|tcp[46]?-connect|openssl|openssl-connect|ssl|udp[46]?|sctp|socks4a?|proxy):/ nocase
		$s_client_1 = /\b(ba|da|z|k|a)?sh\b[ \t]{0,4}(-[a-z]{1,4}[ \t]{0,4})?[^\n|;]{0,40}\|[ \t&]{0,4}[^\n|;]{0,16}openssl[ \t]{1,4}s_client[ \t]/
		$s_client_2 = /\bopenssl[ \t]{1,4}s_client[ \t][^\n|;]{1,100}\|[ \t&]{0,4}(\/(usr\/)?bin\/)?(ba|da|z|k|a)?sh\b/
		$encoded_1 = "openssl s_client -quiet" base64
		$encoded_2 = "socat exec:" base64
	condition:
		filesize < 64KB and uint32(0) != 0x464C457F and any of them
}
