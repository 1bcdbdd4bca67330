// SPDX-License-Identifier: GPL-2.0-or-later

rule evasion_log_wiper
{
	meta:
		id = "eb82b047-9b0e-4469-87a6-cb430e2d98a6"
		description = "Program or script that removes entries from, or empties, the records of who logged in"
		severity = "medium"
		attack = "T1070.002"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Scripts that seal a machine before it becomes an image empty the same files"
	strings:
		// emptied or removed by a script
		$empty = /(>|\brm[ \t]{1,4}(-[rf]{1,3}[ \t]{1,4})?|\btruncate[ \t][^\n;|]{0,24}[ \t]|\bshred[ \t][^\n;|]{0,24}[ \t]?|\bcat[ \t]{1,4}\/dev\/null[ \t]{0,4}>|\bunlink[ \t]{1,4}|\bdd[ \t][^\n;|]{0,40}of=|\bcp[ \t]{1,4}(-f[ \t]{1,4})?\/dev\/null[ \t]{1,4}|\bln[ \t]{1,4}-s?f?s?[ \t]{1,4}\/dev\/null[ \t]{1,4})[ \t]{0,4}["']?\/var\/(log|run|adm)\/(wtmp|btmp|lastlog|utmp|auth\.log|secure|messages|syslog|maillog|audit\/audit\.log|kern\.log|cron|faillog|journal|xferlog|boot\.log|daemon\.log|user\.log|httpd|apache2|nginx)/
		$empty_list = /\b(rm|shred|truncate)[ \t][^\n]{0,40}\/var\/(log|run|adm)\/[^\n]{0,80}(wtmp|btmp|lastlog)[^\n]{0,80}(wtmp|btmp|lastlog|auth\.log|secure|utmp)/
		$list = /\bfor[ \t]{1,4}\w{1,16}[ \t]{1,4}in[ \t][^\n;]{0,160}(wtmp|btmp|lastlog|utmp)[^\n;]{0,160}(wtmp|btmp|lastlog|utmp)/
		$each = /(\brm[ \t]{1,4}(-[rf]{1,3}[ \t]{1,4})?|\btruncate[ \t][^\n]{1,24}|\bshred[ \t][^\n]{0,24}|\/dev\/null[ \t]{0,4}>|\/dev\/null[ \t]{1,4}|\becho[ \t][^\n]{0,8}>|\bdo (: )?>|\bdo\n\s{0,8}(: )?>|\bcat \/dev\/null >)[ \t]{0,4}["\']?(\/var\/log\/)?\$\{?\w{1,16}/
		$who = /\/(wtmp|btmp|lastlog|utmp)\b/
		$sed = /\bsed[ \t]{1,4}(-i|--in-place)[^\n]{0,80}\/d[^\n]{0,40}\/var\/(log|adm)\/(auth\.log|secure|messages|syslog|audit|kern|wtmp|btmp|lastlog)/
		$utmpdump = /\butmpdump[ \t]{1,4}[^\n]{0,80}(\|[ \t]{0,4}(grep[ \t]{1,4}-v|sed|awk)[^\n]{0,100}\butmpdump[ \t]{1,4}(-r|--reverse)|>)/
		$history = /\bhistory[ \t]{1,4}-[cw]|\bHISTFILE\b|\.bash_history\b|\bHISTSIZE=0/
		// a program of that kind
		$path_1 = "/var/log/wtmp"
		$path_2 = /\/var\/(run|adm|log)\/utmp|\/run\/utmp/
		$path_3 = "/var/log/lastlog"
		$path_4 = "/var/log/btmp"
		$word_1 = /\b(wip(e|ed|er|ing)|zapp?(ed|er|ing|[0-9])?|cleaned|cloak(ed|er)?|eras(e|ed|er|ing)|erasing|scrub(bed|ber)?|vanish(ed|er)?|logclean(er)?|clean_?(utmp|wtmp|lastlog|btmp)|del_?(utmp|wtmp|lastlog|log)|(utmp|wtmp|lastlog|btmp)_?(clean|clear|wipe|del|zap)\w{0,8})\b/ nocase
		$word_2 = /(entr(y|ies)|record[s]?|line[s]?|login[s]?) (was |were )?(removed|deleted|wiped|erased|cleaned|zapped|replaced)|(remov|delet|wip|eras|clean|clear|zapp?)(e|ed|ing)?[^\x00\n]{0,24}\b(utmp|wtmp|lastlog|btmp|log entr)/ nocase
		$call_1 = /\x00(ftruncate(64)?|truncate(64)?|pututxline|pututline|pwrite(64)?|utmpname|utmpxname)\x00/
		$call_2 = /\x00(lseek(64)?|fseek(o)?(64)?)\x00/
		$call_3 = /\x00(utimes|utime|utimensat|futimens|rename)\x00/
		$call_write = /\x00(write|pwrite(64)?|ftruncate(64)?)\x00/
		$box = /BusyBox|util-linux|OpenSSH|dropbear|systemd/
	condition:
		(
			uint32(0) != 0x464C457F and filesize < 64KB and
			((#empty >= 3 and $who and ($history or #empty >= 5)) or
			 $empty_list or ($list and $each) or
			 ($sed and ($history or $who or #sed >= 2)) or
			 $utmpdump)
		) or
		(
			uint32(0) == 0x464C457F and filesize < 2MB and
			2 of ($path_*) and
			($word_1 or ($word_2 and $call_write)) and
			($call_1 or $call_2 or $call_3 or
				3 of ($path_*)) and not $box
		)
}

rule evasion_security_off
{
	meta:
		id = "971fad03-bd9e-4c2a-8fd9-8743fc69d385"
		description = "Script that turns off several protections of the machine, one after the other"
		severity = "medium"
		attack = "T1562.001"
		attack = "T1562.004"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Installation notes of old server software turn off SELinux and the firewall; this asks for more than these two"
	strings:
		$off_1 = /\bsetenforce[ \t]{1,4}0\b|\bSELINUX=disabled\b|>[ \t]{0,4}\/selinux\/enforce/
		$off_2 = /\b(systemctl|service|rc-service|chkconfig|update-rc\.d)[ \t][^\n]{0,60}\bapparmor\b|\baa-teardown\b|\/etc\/init\.d\/apparmor[ \t]{1,4}(stop|teardown)/
		$off_3 = /\bufw[ \t]{1,4}(--force[ \t]{1,4})?disable\b|\bsystemctl[ \t]{1,4}[^\n]{0,24}(stop|disable|mask)[^\n]{0,24}\b(ufw|firewalld|nftables|iptables)\b|\bservice[ \t]{1,4}(iptables|ufw|firewalld)[ \t]{1,4}stop/
		$off_4 = /\b(ip6?tables|nft)[ \t]{1,4}(-F\b|-X\b|flush[ \t]{1,4}ruleset|-P[ \t]{1,4}(INPUT|OUTPUT)[ \t]{1,4}ACCEPT)/
		$off_5 = /\b(systemctl|service|chkconfig)[ \t][^\n]{0,40}(stop|disable|mask|off)?[^\n]{0,24}\b(auditd|rsyslog|syslog-ng|systemd-journald|osqueryd|falcon-sensor|clamav-daemon|clamd|crowdsec|fail2ban|wazuh-agent|ossec|sophos\w{0,8}|mdatp|ds_agent|cbagentd|elastic-agent|auditbeat|filebeat|aliyun\w{0,8}|aegis|cloudmonitor|sentinelone|esets?|khien\w{0,8}|sysmon)\b/
		$off_6 = /\b(pkill|killall|kill|rm|apt-get|apt|yum|dpkg|rpm|dnf)[ \t][^\n]{0,60}\b(auditd|osqueryd|falcon-sensor|clamd|clamav\w{0,8}|fail2ban|wazuh\w{0,8}|ossec\w{0,8}|mdatp|aegis|AliYunDun\w{0,8}|aliyun\w{0,12}|YDService|YDLive|qcloud\w{0,8}|cloudmonitor|BCM-agent|sentinel\w{0,8}|falco\w{0,8}|elastic-agent|chkrootkit|rkhunter|crowdsec|khien\w{0,8})\b/
		$off_7 = /\bauditctl[ \t]{1,4}(-e[ \t]{1,4}0|-D)\b|\baudit=0\b/
		$off_8 = /kernel\.nmi_watchdog[ \t]{0,2}=[ \t]{0,2}0|\/proc\/sys\/kernel\/nmi_watchdog|\bkernel\.randomize_va_space[ \t]{0,2}=[ \t]{0,2}0|\/proc\/sys\/kernel\/randomize_va_space|\bkernel\.kptr_restrict[ \t]{0,2}=[ \t]{0,2}0|\bkernel\.dmesg_restrict[ \t]{0,2}=[ \t]{0,2}0/
		$off_9 = /\bchattr[ \t]{1,4}(-R[ \t]{1,4})?-[a-z]{0,3}[iau][a-z]{0,3}[ \t][^\n]{0,60}(\/etc\/(passwd|shadow|ld\.so\.preload|cron|sudoers|hosts)|\/var\/spool\/cron|\.ssh|\/tmp|\/usr\/bin)/
		$off_10 = /(>|\brm[ \t]{1,4}-[rf]{1,2}[ \t]{1,4})[ \t]{0,4}\/var\/log\/(audit|syslog|auth\.log|secure|messages|wtmp)|\/etc\/(rsyslog|audit)[\w\.\/]{0,40}[ \t]{0,4}(\n|;|$)/
		$off_11 = /\b(unset[ \t]{1,4}HISTFILE|HISTFILE=\/dev\/null|history[ \t]{1,4}-c|set[ \t]{1,4}\+o[ \t]{1,4}history)\b/
		$off_12 = /\/(usr\/local\/(aegis|qcloud|sa)|opt\/(CrowdStrike|microsoft\/mdatp|sophos|ds_agent|carbonblack))\b/
		$off_13 = /\bulimit[ \t]{1,4}-n[ \t]{1,4}(65535|65536|655350|999999|1000000)\b/
	condition:
		filesize < 128KB and uint32(0) != 0x464C457F and
		(
			5 of ($off_*) or
			(4 of ($off_*) and
				1 of ($off_5, $off_6, $off_7, $off_12) and
				1 of ($off_9, $off_10, $off_11))
		)
}
