// SPDX-License-Identifier: GPL-2.0-or-later

rule reverse_shell_interpreter
{
	meta:
		id = "39bad9f1-6930-44a1-957e-8d04c93150c7"
		description = "Ruby, Node.js, Lua, Tcl, Java, Go or Groovy code that connects to a host and gives it a shell"
		severity = "high"
		attack = "T1059"
		attack = "T1095"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Course material that quotes such code"
	strings:
		// Ruby
		$ruby_socket = /\bTCPSocket\.(new|open)\b/
		$ruby_number = /\b(exec|system|spawn)[ \t]{0,4}\(?[ \t]{0,4}(sprintf[ \t]{0,4}\(?[ \t]{0,4})?["'][^"'\n]{0,24}sh\b[^"'\n]{0,24}[<>]&(%d|#\{)/
		$ruby_table = /(:in|\[:in|STDIN|\$stdin|0)[^\n]{0,40}=>[ \t]{0,4}\w{1,32}[^\n]{0,40}=>|\[:in[^\n\]]{1,24}\][ \t]{0,4}=>/
		$ruby_shell = /\b(exec|system|spawn)[ \t]{0,4}\(?[ \t]{0,4}["'](\/bin\/)?(ba|da|z)?sh\b/
		$ruby_reopen = /(\$std(in|out|err)|STD(IN|OUT|ERR))\.reopen/
		$ruby_lines = /\bIO\.popen[ \t]{0,4}\(?[ \t]{0,4}\$?\w{1,32}[ \t]{0,4},|`#\{\w{1,32}\}`|%x[\(\{]#\{/
		$ruby_gets = /\w\.(gets|readline|recv)\b/
		$ruby_puts = /\w\.(print|puts|write|send)\b/
		// Node.js
		$node_net = /\b(require[ \t]{0,4}\([ \t]{0,4}["'](node:)?(net|tls)["'][ \t]{0,4}\)|from[ \t]{1,4}["'](node:)?(net|tls)["'])/
		$node_spawn = /\b(spawn|exec|execFile|fork)[ \t]{0,4}\([ \t]{0,4}["'](\/(usr\/)?bin\/)?(ba|da|z|k)?sh\b/
		$node_pipe = /\.std(out|err)\.(pipe|on)[ \t]{0,4}\(/
		$node_stdin = /\.pipe[ \t]{0,4}\([ \t]{0,4}\w{1,32}\.stdin[ \t]{0,4}\)|\.stdin\.write[ \t]{0,4}\(/
		// Lua
		$lua_socket = /\brequire[ \t]{0,4}\(?[ \t]{0,4}["']socket["']/
		$lua_connect = /[:\.]connect[ \t]{0,4}\(/
		$lua_run = /\b(os\.execute|io\.popen)[ \t]{0,4}\(/
		$lua_shell = /\bos\.execute[ \t]{0,4}\([ \t]{0,4}["'][^"'\n]{0,24}sh\b[^"'\n]{0,24}[<>]&[ \t]{0,2}[0-9]/
		$lua_receive = /[:\.]receive[ \t]{0,4}\(/
		$lua_send = /[:\.]send[ \t]{0,4}\(/
		// Tcl
		$tcl_socket = /\bset[ \t]{1,4}\w{1,32}[ \t]{1,4}\[[ \t]{0,4}socket[ \t]/
		$tcl_exec = /"exec[ \t]{1,4}\$\w|\[[ \t]{0,4}(catch[ \t]{1,4}[\{"][ \t]{0,4}[^\n]{0,24})?\bexec\b[^\n\]]{0,40}\$\w{1,32}|catch[ \t]{1,4}[\{"][^\n]{0,32}\bexec[ \t][^\n]{0,24}\$\w{1,32}/
		$tcl_gets = /\bgets[ \t]{1,4}\$\w{1,32}/
		// Java and Groovy
		$java_socket = /\bnew[ \t]{1,4}(java\.net\.)?Socket[ \t]{0,4}\(/
		$java_run = /\b(ProcessBuilder[ \t]{0,4}\(|getRuntime[ \t]{0,4}\([ \t]{0,4}\)[ \t]{0,4}\.[ \t]{0,4}exec[ \t]{0,4}\()/
		$java_shell = /["'](\/(usr\/)?bin\/)?(ba|da|z)?sh["']/
		$java_out = /\.getOutputStream[ \t]{0,4}\([ \t]{0,4}\)/
		$java_in = /\.get(Input|Error)Stream[ \t]{0,4}\([ \t]{0,4}\)/
		// Go
		$go_dial = /\bnet\.Dial(Timeout)?[ \t]{0,4}\([ \t]{0,4}"tcp/
		$go_shell = /\bexec\.Command[ \t]{0,4}\([ \t]{0,4}"(\/(usr\/)?bin\/)?(ba|da|z)?sh"/
		$go_std = /\.Std(in|out|err)(,[ \t]{0,4}\w{1,32}\.Std(in|out|err)){0,2}[ \t]{0,4}=[ \t]{0,4}[a-z]\w{0,32}\b/
	condition:
		filesize < 64KB and uint32(0) != 0x464C457F and
		(
			($ruby_socket and ($ruby_number or
				($ruby_shell and ($ruby_table or $ruby_reopen)) or
				($ruby_lines and $ruby_gets and $ruby_puts))) or
			($node_net and $node_spawn and $node_stdin and
				$node_pipe) or
			($lua_socket and $lua_connect and ($lua_shell or
				($lua_run and $lua_receive and $lua_send))) or
			($tcl_socket and $tcl_exec and $tcl_gets) or
			($java_socket and $java_run and $java_shell and
				#java_out >= 2 and #java_in >= 2) or
			($go_dial and $go_shell and $go_std)
		)
}
