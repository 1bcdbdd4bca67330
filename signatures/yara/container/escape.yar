// SPDX-License-Identifier: GPL-2.0-or-later

rule container_escape
{
	meta:
		id = "e4c59dd5-a934-49f2-be1d-465acdb76b45"
		description = "Script that leaves a container for its host: release_agent, core_pattern, the daemon's socket, the host's disk"
		severity = "high"
		attack = "T1611"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Tools that test how well containers are shut in"
		reference = "https://attack.mitre.org/techniques/T1611/"
	strings:
		// a program of the host's that the kernel starts
		$agent = /(>|\btee[ \t]{1,4}(-a[ \t]{1,4})?)[ \t]{0,4}["']?[\w\/\.\-\$\{\}]{0,80}\/release_agent\b/
		$agent_py = /\bopen[ \t]{0,4}\([^\n]{0,80}release_agent["'][^\n]{0,24}["']w/
		$notify = "notify_on_release"
		$cgroup = /\bmount[ \t]{1,4}-t[ \t]{1,4}cgroup\b/
		$core = /(>|\btee[ \t]{1,4}|\bsysctl[ \t]{1,4}-w[ \t]{1,4})[ \t]{0,4}["']?(\/[\w\/\.\-]{0,60}\/proc\/sys\/kernel\/(core_pattern|modprobe|uevent_helper|hotplug)|\/proc\/sys\/kernel\/(core_pattern|modprobe)|\/sys\/kernel\/uevent_helper|kernel\.core_pattern|\/proc\/sys\/fs\/binfmt_misc\/register)/
		$core_pipe = /\b(echo|printf|sysctl)[ \t][^\n]{0,60}\|[ \t]{0,2}[\/\$\\]|\bwrite[ \t]{0,4}\([^\n]{0,8}["\']\|/
		$upper = /\b(upperdir|perdir|workdir)\\?=/
		$mtab = /\/etc\/mtab\b|\/proc\/(self\/|1\/)?(mounts|mountinfo)\b/
		// the daemon's socket
		$socket = /\b(docker|containerd|crio|podman)\.sock\b/
		$create = /\/containers\/create\b|\bdocker[ \t]{1,4}(-H[ \t]{1,4}[^\s]{1,60}[ \t]{1,4})?run\b|\bctr[ \t][^\n]{0,24}\brun\b|\bcontainers\.run[ \t]{0,4}\(/
		$host_root = /["']\/:\/[\w\/]{0,40}(:rw)?["']|(-v|--volume)[ \t=]{1,4}["']?\/:\/[\w\/]{0,40}|\bsource=\/,|src=\/,|["']\/["'][ \t]{0,4}:[ \t]{0,4}\{[ \t]{0,4}["']bind["']|"Source"[ \t]{0,4}:[ \t]{0,4}"\/"/
		$chroot = /\bchroot[ \t]{1,4}["']?\/?[\w\$\{][^\n]{0,40}|["']chroot["'][ \t]{0,4},|\bPidMode["'][ \t]{0,4}:[ \t]{0,4}["']host|"Privileged"[ \t]{0,4}:[ \t]{0,4}true|--privileged\b/
		$host_write = /\/(etc\/(cron|shadow|passwd|sudoers|ld\.so\.preload|crontab)|var\/spool\/cron|root\/\.ssh|\.ssh\/authorized_keys)/
		$remote = /\b(tcp:\/\/|http:\/\/|-H[ \t]{1,4})[^\s"']{0,60}:(2375|2376|4243|10250|10255|6443)\b/
		// the host's namespaces and disks
		$nsenter = /\bnsenter[ \t][^\n]{0,60}(-t[ \t]{0,4}1\b|--target[ \t=]{1,4}1\b)[^\n]{0,80}\b(ba|da|z|k)?sh\b/
		$proc_root = /\b(chroot|ls|cat|cp|echo|tee)[ \t][^\n]{0,60}\/proc\/1\/root\b/
		$disk = /\b(debugfs[ \t]{1,4}(-w[ \t]{1,4})?\/dev\/(sd|vd|nvme|xvd)\w{1,12}|mount[ \t][^\n]{0,24}\/dev\/(sd|vd|nvme|xvd)\w{1,12}[ \t]{1,4}["']?(\/mnt|\/tmp|\/host|\/media|\$\{?\w)|mknod[ \t][^\n]{0,40}[ \t]b[ \t]{1,4}[0-9]{1,3}[ \t]{1,4}[0-9])/
		$detect = /\/\.dockerenv\b|\/proc\/(1|self)\/cgroup\b|\bkubepods\b|\/var\/run\/secrets\/kubernetes\.io\b|\bCapEff\b|\bcapsh[ \t]{1,4}--print/
		$reverse = /\/dev\/tcp\/|\b(curl|wget)[ \t][^\n]{0,120}\|[ \t]{0,4}(ba)?sh\b|\bnc[ \t][^\n]{0,24}-e\b/
	condition:
		filesize < 64KB and uint32(0) != 0x464C457F and
		(
			(($agent or $agent_py) and ($notify or $upper or $cgroup)) or
			($core and $core_pipe and
				($upper or $mtab or $detect or $reverse)) or
			(($socket or $remote) and $create and $host_root and
				($chroot or $host_write)) or
			($nsenter and ($detect or $create or $reverse)) or
			($proc_root and ($detect or $reverse) and $host_write) or
			($disk and $detect and ($chroot or $host_write))
		)
}
