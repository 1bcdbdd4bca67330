// SPDX-License-Identifier: GPL-2.0-or-later

rule evasion_kernel_thread_name
{
	meta:
		id = "793ab35d-dca1-4be4-a72e-a57e3f28c081"
		description = "Program or script that calls itself as a kernel thread is called"
		severity = "high"
		attack = "T1036.004"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Programs that only show kernel threads do not start under such a name; tests of such programs may"
	strings:
		$exec_a = /\bexec[ \t]{1,4}-a[ \t]{1,4}["']?\\?\[?(kworker|kthreadd|ksoftirqd|kswapd|migration|watchdogd?|rcu_\w{2,12}|khugepaged|kdevtmpfs|kauditd|scsi_\w{2,12}|jbd2|irq|khelper|kblockd|ata_sff|md|crypto|bioset|nfsd|cpuhp|netns|mm_percpu_wq|writeback)\b/
		$assign = /\$0[ \t]{0,4}=[ \t]{0,4}["']\[?(kworker|kthreadd|ksoftirqd|kswapd|migration|watchdogd?|rcu_\w{2,12}|khugepaged|kdevtmpfs|kauditd|scsi_\w{2,12}|jbd2|khelper|kblockd|\/usr\/sbin\/(httpd|apache2|sshd|cron)|\/usr\/local\/apache\/bin\/httpd|sshd: |\[)/
		$title = /\bsetproctitle[ \t]{0,4}\([ \t]{0,4}["']\[(kworker|kthreadd|ksoftirqd|kswapd|migration|watchdog|rcu_|khugepaged|kdevtmpfs|kauditd|scsi_|jbd2)/
		$prctl_py = /\bprctl[ \t]{0,4}\([ \t]{0,4}15[ \t]{0,4},[ \t]{0,4}b?["']\[?(kworker|kthreadd|ksoftirqd|kswapd|migration|watchdog|rcu_|khugepaged|kdevtmpfs|kauditd|scsi_|jbd2)/
		// in a program
		$name = /\x00\[(kworker\/[u0-9:H\-]{1,12}|kthreadd|ksoftirqd\/[0-9]|kswapd[0-9]|migration\/[0-9]|watchdogd?(\/[0-9])?|rcu_(sched|preempt|gp|bh|par_gp)|khugepaged|kdevtmpfs|kauditd|scsi_eh_[0-9]|jbd2\/[\w\-]{1,16}|khelper|kblockd|ata_sff|crypto|bioset|netns|mm_percpu_wq|writeback|kpsmoused|kstrp|nfsd4?|khungtaskd|oom_reaper|kcompactd[0-9]|ksmd|kintegrityd|md|edac-poller|devfreq_wq|cpuhp\/[0-9]|ext4-rsv-conver|kthrotld|deferwq|charger_manager|irq\/[\w\-]{1,24}|card0-crtc[0-9]|slub_flushwq|inet_frag_wq|zswap-shrink|kaluad|kmpath_rdacd|ipv6_addrconf|xfsalloc)(\]|\x00)/
		$name_bare = /\x00(kworker\/[u0-9:H\-]{1,12}|ksoftirqd\/[0-9]|migration\/[0-9]|rcu_(sched|preempt|gp|par_gp)|kthreadd|kswapd0|khugepaged)\x00/
		// the name as a number in amd64 code
		$name_code = { 48 (B8 | B9 | BA | BB | BE | BF) 5B 6B (77 6F 72 6B 65 72 | 74 68 72 65 61 64 | 73 6F 66 74 69 72 | 73 77 61 70 64 30) }
		// the command lines of daemons, to choose one from
		$daemon_1 = /\/sbin\/udevd -d|\/(usr\/)?lib\/systemd\/systemd-udevd\x00/
		$daemon_2 = /\/sbin\/(mingetty \/dev\/tty|agetty (-o |--noclear))/
		$daemon_3 = "console-kit-daemon --no-daemon"
		$daemon_4 = "hald-addon-acpi: listening on"
		$daemon_5 = /dbus-daemon --system[ -\~]{0,60}\x00/
		$daemon_6 = "avahi-daemon: chroot helper"
		$daemon_7 = /\b(qmgr|pickup) -l -t (fifo|unix) -u/
		$daemon_8 = /\/sbin\/auditd -n|\/usr\/sbin\/(crond?|atd) -[fn]\x00/
		$daemon_9 = /\/usr\/sbin\/sshd -D[ -\~]{0,40}\x00|\/usr\/sbin\/rsyslogd -n/
		$daemon_10 = /\/(usr\/)?lib\/systemd\/systemd-(journald|logind)\x00/
		$system = /libsystemd|systemd-analyze|DefaultDependencies/
		$call_1 = "prctl\x00"
		$call_2 = "execve\x00"
		$call_3 = "fexecve\x00"
		$call_4 = "execv\x00"
		$call_5 = "execl\x00"
		$call_6 = "execvp\x00"
		$call_7 = "setproctitle\x00"
		$fork = "fork\x00"
		$session = "setsid\x00"
	condition:
		(
			uint32(0) != 0x464C457F and filesize < 128KB and
			1 of ($exec_a, $assign, $title, $prctl_py)
		) or
		(
			uint32(0) == 0x464C457F and filesize < 2MB and
			((($name or $name_code) and
				(1 of ($call_*) or ($fork and $session))) or
			 ($name_code and filesize < 1MB) or
			 ($name_bare and $call_1 and filesize < 256KB) or
			 (4 of ($daemon_*) and not $system and
				(1 of ($call_*) or $fork)) or
			 (6 of ($daemon_*) and not $system))
		)
}
