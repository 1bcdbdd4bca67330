// SPDX-License-Identifier: GPL-2.0-or-later
//
// What makes a program start again: cron, systemd, rc.local, profiles.

rule persistence_cron
{
	meta:
		id = "a222aa0d-29f9-406a-ab58-4e0f2e2c5deb"
		description = "cron entry, or a script that adds one, that fetches and runs something or starts a program from a temporary or hidden place"
		severity = "high"
		attack = "T1053.003"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "An administrator's own updates by `curl | sh` from cron: as dangerous as what this looks for"
	strings:
		// five fields of time, or @reboot, and what is run then
		$fetch = /((\*|[0-9]{1,2})[0-9\/,\-]{0,12}[ \t]{1,4}[\*0-9][0-9\/,\-]{0,12}[ \t]{1,4}[\*0-9][0-9\/,\-]{0,12}[ \t]{1,4}[\*0-9][0-9\/,\-]{0,12}[ \t]{1,4}[\*0-9][0-9\/,\-]{0,12}|@(reboot|hourly|daily))[ \t]{1,4}(root[ \t]{1,4})?[^\n]{0,40}(\b(curl|wget|cdl|wdl|cur|wge|fetch|lynx)\b|\bhttps?:\/\/)[^\n]{0,120}\|[ \t]{0,4}(sudo[ \t]{1,4})?(\/(usr\/)?bin\/)?((ba|da|z|k)?sh|python[0-9\.]{0,4}|perl)\b/
		$subst = /((\*|[0-9]{1,2})[0-9\/,\-]{0,12}[ \t]{1,4}[\*0-9][0-9\/,\-]{0,12}[ \t]{1,4}[\*0-9][0-9\/,\-]{0,12}[ \t]{1,4}[\*0-9][0-9\/,\-]{0,12}[ \t]{1,4}[\*0-9][0-9\/,\-]{0,12}|@(reboot|hourly|daily))[ \t]{1,4}(root[ \t]{1,4})?[^\n]{0,40}(\/dev\/tcp\/|\bsh[ \t]{1,4}<\([ \t]{0,4}(curl|wget)|sh[ \t]{1,4}-c[ \t]{1,4}[\\"']{0,2}\\?\$\((curl|wget)|base64[ \t]{1,4}(-d|--decode)[^\n]{0,12}\|)/
		$place = /((\*|[0-9]{1,2})[0-9\/,\-]{0,12}[ \t]{1,4}[\*0-9][0-9\/,\-]{0,12}[ \t]{1,4}[\*0-9][0-9\/,\-]{0,12}[ \t]{1,4}[\*0-9][0-9\/,\-]{0,12}[ \t]{1,4}[\*0-9][0-9\/,\-]{0,12}|@(reboot|hourly|daily))[ \t]{1,4}(root[ \t]{1,4})?(nohup[ \t]{1,4}|setsid[ \t]{1,4}|(\/bin\/)?(ba)?sh[ \t]{1,4}(-c[ \t]{1,4})?["']?|cd[ \t]{1,4}[^\n;&]{1,40}(;|&&)[ \t]{0,4}){0,3}((\/dev\/shm|\/tmp|\/var\/tmp|\/run\/lock|\/var\/run)\/[\w\.\-]|\/[\w\/\.\-]{0,60}\/\.[\w\-])/
		// how it gets there
		$tab_pipe = /\|[ \t]{0,4}(sudo[ \t]{1,4})?(\/usr\/bin\/)?crontab\b[ \t]{0,4}(-u[ \t]{1,4}\w{1,32}[ \t]{0,4})?(-|[;&\n"'`\)]|$|2>|>)/
		$tab_file = /(>{1,2}|\btee[ \t]{1,4}(-a[ \t]{1,4})?|\bcp[ \t][^\n;]{1,60}[ \t]|\bmv[ \t][^\n;]{1,60}[ \t])[ \t]{0,4}["']?(\/etc\/cron(tab|\.d\/|\.hourly\/|\.daily\/)|\/var\/spool\/cron)/
		$tab_load = /\bcrontab[ \t]{1,4}(\/tmp|\/dev\/shm|\/var\/tmp|\$\{?\w|\.?\/?\w{1,24}([;&\n]|[ \t]{0,4}$))/
		$tab_open = /\bopen[ \t]{0,4}\([ \t]{0,4}["'](\/etc\/cron(tab|\.d\/)|\/var\/spool\/cron)[^"'\n]{0,40}["'][ \t]{0,4},[ \t]{0,4}["'][wa]/
		// a file for cron itself: nothing but its lines and comments
		$script = "#!"
	condition:
		filesize < 64KB and uint32(0) != 0x464C457F and
		(
			(1 of ($fetch, $subst) and (1 of ($tab_*) or
				filesize < 4KB)) or
			($place and 1 of ($tab_*)) or
			($place and filesize < 2KB and not $script at 0)
		)
}

rule persistence_unit
{
	meta:
		id = "3de8679a-3234-46d9-aa14-739c4c90a6dc"
		description = "systemd unit, or a script that writes one, that starts a program from a temporary or hidden place or runs what it fetches"
		severity = "high"
		attack = "T1543.002"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "A developer's unit for a program that lies beneath a hidden folder of a home, such as ~/.local, is not matched"
	strings:
		$place = /ExecStart(Pre|Post)?[ \t]{0,4}=[ \t]{0,4}[\-\@:\+!]{0,3}["']?((\/usr)?\/bin\/)?((ba|da|z)?sh|env|nohup|setsid|python[0-9\.]{0,4}|perl)?[ \t]{0,4}(-c[ \t]{1,4})?["']?(\/tmp|\/dev\/shm|\/var\/tmp|\/run\/lock|\/dev)\/[\w\.\-]/
		$hidden = /ExecStart(Pre|Post)?[ \t]{0,4}=[ \t]{0,4}[\-\@:\+!]{0,3}["']?((\/usr)?\/bin\/)?((ba|da|z)?sh|env|nohup|setsid|python[0-9\.]{0,4}|perl)?[ \t]{0,4}(-c[ \t]{1,4})?["']?\/(usr|etc|lib|lib64|bin|sbin|var|opt|root|boot)\/([\w\-]{1,32}\/){0,5}\.[\w\-]{1,40}([\/ \t"';\n]|$)/
		$fetch = /ExecStart(Pre|Post)?[ \t]{0,4}=[ \t]{0,4}[^\n]{0,60}\b(curl|wget)\b[^\n]{0,120}(\|[ \t]{0,4}(\/(usr\/)?bin\/)?(ba|da|z|k)?sh\b|\bchmod\b)/
		$connect = /ExecStart(Pre|Post)?[ \t]{0,4}=[ \t]{0,4}[^\n]{0,80}(\/dev\/tcp\/|sh[ \t]{1,4}-i\b|base64[ \t]{1,4}(-d|--decode)[^\n]{0,24}\||\bn(c|cat)[ \t]{1,4}[^\n]{0,40}-e[ \t])/
		$unit = /\[(Service|Unit)\]/
		$cache = /\/\.(cache|local|config|npm|cargo|nvm|venv|virtualenv|pyenv|rbenv|asdf|deno|bun|dotnet|rustup|steam|wine|venvs|linuxbrew|build|buildkite-agent|gem|go|nix-profile)\//
	condition:
		filesize < 64KB and uint32(0) != 0x464C457F and $unit and
		($place or $fetch or $connect or ($hidden and not $cache))
}

rule persistence_login
{
	meta:
		id = "fd78a47c-ad93-4bfc-a4fe-79fa230349a6"
		description = "Script that adds to rc.local, a profile or an autostart entry what fetches and runs something, or starts a program from a temporary or hidden place"
		severity = "high"
		attack = "T1546.004"
		attack = "T1037.004"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Installers add a line to a profile, too, but it neither fetches nor starts hidden programs from /tmp"
	strings:
		$write = /\b(echo|printf|cat|tee|sed)\b[^\n]{0,240}(>{1,2}|\btee[ \t]{1,4}(-a[ \t]{1,4})?|-i[^\n]{0,120})[ \t]{0,4}["']?((~|\$\{?HOME\}?|\/root|\/home\/[^\/\s]{1,32}|\/etc\/skel)\/\.(bashrc|bash_profile|profile|zshrc|bash_logout|config\/autostart\/[\w\.\-]{1,40})|\/etc\/(rc\.local|rc\.d\/rc\.local|profile|bash\.bashrc|profile\.d\/[\w\.\-]{1,40}|init\.d\/[\w\.\-]{1,40}|update-motd\.d\/[\w\.\-]{1,40}|inittab|xdg\/autostart\/[\w\.\-]{1,40}|udev\/rules\.d\/[\w\.\-]{1,40}|NetworkManager\/dispatcher\.d\/[\w\.\-]{1,40}))/
		$line_fetch = /\b(echo|printf)[ \t][^\n]{0,80}\b(curl|wget)\b[^\n]{0,120}\|[ \t]{0,4}(ba|da|z|k)?sh\b[^\n]{0,60}>{1,2}/
		$line_place = /\b(echo|printf)[ \t][^\n]{0,60}(\/dev\/shm|\/tmp|\/var\/tmp|\/run\/lock)\/[\w\.\-]{1,60}[^\n]{0,40}(&|nohup|setsid|disown|>[ \t]{0,2}\/dev\/null)[^\n]{0,60}>{1,2}/
		$line_hidden = /\b(echo|printf)[ \t][^\n]{0,24}(nohup|setsid|sh|bash)?[ \t]{0,4}\/(usr|etc|lib|var|opt|root|tmp|dev|bin|sbin)\/([\w\-]{1,32}\/){0,4}\.[\w\-]{1,40}[^\n]{0,60}(&|>[ \t]{0,2}\/dev\/null)[^\n]{0,60}>{1,2}/
		$line_tcp = /\b(echo|printf)[ \t][^\n]{0,80}\/dev\/tcp\/[^\n]{0,80}>{1,2}/
		$line_run = /\bRUN\+=[\\"']{0,2}(\/dev\/shm|\/tmp|\/var\/tmp|[^\n"']{0,40}(curl|wget|\/dev\/tcp|\/\.[\w\-]))/
		// a text in place, its lines as they will be
		$here = /\bcat[ \t]{0,4}(<<[^\n>]{1,24})?>{1,2}[ \t]{0,4}["']?((~|\$\{?HOME\}?|\/root|\/home\/[^\/\s]{1,32}|\/etc\/skel)\/\.(bashrc|bash_profile|profile|zshrc)|\/etc\/(rc\.local|profile|bash\.bashrc|profile\.d\/[\w\.\-]{1,40}|init\.d\/[\w\.\-]{1,40}))/
		$in_fetch = /\b(curl|wget)\b[^\n]{0,100}\|[ \t]{0,4}(\/bin\/)?(ba|da|z|k)?sh\b[^\n&]{0,24}&[ \t]{0,2}\)?[ \t]{0,2}(\n|2>)/
		$in_place = /\n[ \t]{0,8}(nohup[ \t]{1,4}|setsid[ \t]{1,4}|\()?(\/dev\/shm|\/tmp|\/var\/tmp)\/[\w\.\-]{1,60}[^\n&]{0,40}&[ \t]{0,2}\)?[ \t]{0,2}(\n|2>)/
	condition:
		filesize < 64KB and uint32(0) != 0x464C457F and
		(
			($write and 1 of ($line_*)) or
			($here and 1 of ($in_*))
		)
}
