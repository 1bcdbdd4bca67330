// SPDX-License-Identifier: GPL-2.0-or-later
//
// A library that the loader brings into every program.

rule persistence_preload
{
	meta:
		id = "bd384b93-e2f2-4792-a753-70a972bcf12d"
		description = "Script that makes the loader bring a library from a temporary, hidden or freshly made place into every program"
		severity = "high"
		attack = "T1574.006"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Installers of monitoring libraries write to /etc/ld.so.preload, too, but name a library in its usual place"
		reference = "https://man7.org/linux/man-pages/man8/ld.so.8.html"
	strings:
		$write = /(>{1,2}|\btee[ \t]{1,4}(-a[ \t]{1,4})?|\b(cp|mv|install|ln)[ \t][^\n;&|]{1,80}[ \t])[ \t]{0,4}["']?\/etc\/ld\.so\.preload\b/
		$write_var = /=["']?\/etc\/ld\.so\.preload\b/
		$write_open = /\b(f?open(at)?|file_put_contents|writeFile(Sync)?)[ \t]{0,4}\([ \t]{0,4}["']\/etc\/ld\.so\.preload["'][ \t]{0,4},/
		$profile = /(^|[\s;"'])export[ \t]{1,4}LD_PRELOAD=["'\\]{0,2}(\/tmp|\/dev\/shm|\/var\/tmp|\/[\w\/\-]{0,60}\/\.[\w\-])/
		$environment = /\bLD_PRELOAD=["'\\]{0,2}[^\n]{1,80}>{1,2}[ \t]{0,4}["']?(\/etc\/environment|\/etc\/profile|\/etc\/bash\.bashrc|\/etc\/default\/[\w\-]{1,24}|(~|\$\{?HOME\}?|\/root)\/\.(bashrc|profile|bash_profile|zshrc))/
		$place = /(\/tmp|\/dev\/shm|\/var\/tmp|\/run\/lock)\/[\w\.\-]{0,60}\.so\b|\/[\w\/\-]{0,60}\/\.[\w\-]{1,40}(\/[\w\.\-]{1,40})?\.so|\/\.[\w\-]{1,40}\.so/
		$compile = /\b(gcc|cc|clang|tcc)\b[^\n]{0,100}-shared\b|\b(gcc|cc|clang|tcc)\b[^\n]{0,100}-fPIC\b/
		$fetch = /\b(curl|wget)[ \t][^\n]{0,160}\.so\b/
		$decode = /\bbase64[ \t]{1,4}(-d|-D|--decode)\b/
		$guard = /\bchattr[ \t]{1,4}\+[a-z]{0,2}i/
		$age = /\btouch[ \t]{1,4}(-[acm]{1,3}[ \t]{1,4})?(-r|-t|-d|--reference)/
		$root_1 = "LD_PRELOAD"
		$root_2 = /\brm[ \t]{1,4}-r?f?[ \t]{1,4}(\$0|["']\$0)/
	condition:
		filesize < 256KB and uint32(0) != 0x464C457F and
		(
			(($write or $write_open or $write_var) and
				($place or $compile or $fetch or $decode or
				 $guard or $age or $root_2)) or
			(($profile or $environment) and
				($place or $compile or $fetch or $decode)) or
			($environment and $root_1 and ($guard or $age))
		)
}

rule persistence_preload_program
{
	meta:
		id = "1097e528-e593-4630-905a-45c10a051489"
		description = "Program that puts a library of its own into /etc/ld.so.preload"
		severity = "high"
		attack = "T1574.006"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "The loader itself, and tools that look for rootkits, know the path but write no library's name there"
	strings:
		$path = "/etc/ld.so.preload"
		$library = /(\/usr)?\/(lib|lib64|local\/lib|tmp|var\/tmp|dev\/shm|etc|lib\/x86_64-linux-gnu|usr\/lib\/x86_64-linux-gnu)\/([\w\.\-]{1,24}\/){0,3}(l[a-ce-z]|[a-km-zA-Z_0-9\.])[\w\.\-]{0,40}\.so(\.[0-9]{1,3}){0,3}(\n|\x00)/
		$library_line = /\/[\w\.\-\/]{1,60}\.so(\.[0-9]{1,3}){0,3}\n\x00/
		$echo = /\b(echo|printf|tee)\b[^\x00\n]{1,100}\/etc\/ld\.so\.preload/
		$chattr = /\bchattr[ \t]{1,4}[\+\-][a-z]{0,2}i/
		$write_1 = "fopen\x00"
		$write_2 = "open\x00"
		$write_3 = "system\x00"
		$write_4 = "rename\x00"
		$elf_inside = { 7F 45 4C 46 02 01 01 [9] 03 00 3E 00 }
		$unlink = "unlink\x00"
		$rtld = "--inhibit-cache"
		$hunter = /\b(chkrootkit|rkhunter|lynis|osquery|firejail)\b/
	condition:
		uint32(0) == 0x464C457F and filesize < 4MB and
		$path and not $rtld and not $hunter and
		(
			$echo or $library_line or
			(($library or #elf_inside > 1) and 1 of ($write_*) and
				($chattr or #elf_inside > 1 or $unlink))
		)
}
