// SPDX-License-Identifier: GPL-2.0-or-later
//
// gawk opens connections by names like /inet/tcp/0/HOST/PORT.  What is read
// from there is run, and what that prints goes back.

rule reverse_shell_awk
{
	meta:
		id = "eff72b9f-b9e6-4de1-bae0-f1b2987a7e53"
		description = "awk program that runs what a network connection tells it"
		severity = "high"
		attack = "T1059.004"
		attack = "T1095"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "None known: awk clients of network services do not run what they receive"
		reference = "https://www.gnu.org/software/gawk/manual/gawkinet/"
	strings:
		$inet = /\/inet[46]?\/(tcp|udp)\//
		$inet_parts = /["']\/inet[46]?\/?["']/
		// a line from the connection into a variable
		$take = /\|&[ \t]{0,4}getline[ \t]{1,4}\w{1,32}/
		// that variable as a command, its output line by line
		$run_while = /while[ \t]{0,4}\([ \t]{0,4}(\w{1,16}[ \t]{0,4}&&[ \t]{0,4})?\(?[ \t]{0,4}\w{1,32}[ \t]{0,4}\|[ \t]{0,4}getline([ \t]{1,4}\w{1,32})?[ \t]{0,4}\)?([ \t]{0,4}>|[ \t]{0,4}\))/
		$run_back = /\|&[ \t]{0,4}getline[ \t]{0,4}\)?[ \t]{0,4}>[ \t]{0,4}0[ \t]{0,4}\)[\s\{]{0,8}print[^\n|]{0,20}\|&/
		$run_system = /\bsystem[ \t]{0,4}\([ \t]{0,4}\w{1,32}[ \t]{0,4}[\)"]/
		$give = /\bprintf?\b[^\n|]{0,40}\|&[ \t]{0,4}\w/
	condition:
		filesize < 64KB and uint32(0) != 0x464C457F and
		($inet or $inet_parts) and $take and $give and
		($run_while or $run_back or $run_system)
}
