// SPDX-License-Identifier: GPL-2.0-or-later

rule webshell_cgi
{
	meta:
		id = "86bf0e13-091e-41fd-a4fc-67947dea6245"
		description = "CGI script or small web server that runs a command taken from the request"
		severity = "high"
		attack = "T1505.003"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Training applications; device firmware with such a page is as open as a web shell"
	strings:
		// shell
		$sh = /^#!\s?[^\n]{0,24}sh\b/
		$content = /[Cc]ontent-[Tt]ype:/
		$query = /\$\{?(QUERY_STRING|HTTP_[A-Z_]{1,24}|REQUEST_BODY)\b/
		$sh_eval = /(\beval|sh[ \t]{1,4}-c)[ \t]{1,4}["\']?[^\n;|]{0,16}\$[\{\(]?\w{1,32}|(\| sh|\|sh|\| bash|\|bash|\| \/bin\/sh|\|\/bin\/sh|\| \/bin\/bash)\b[ \t]{0,4}([0-9&>|;\)\n])|(=|"| )\$\(\$\{?\w{1,32}\}?|(=|"| )`\$\w{1,32}[^\n`]{0,24}`/
		// Perl
		$perl = /^#!\s?[^\n]{0,24}perl/
		$perl_request = /\bparam[ \t]{0,4}\([ \t]{0,4}["']?\w|\$ENV\{[ \t]{0,2}["']?(QUERY_STRING|HTTP_\w{1,24}|CONTENT_LENGTH)/
		$perl_run = /`\$(cmd|command|com|line|exec|run|code|input|arg|buf|data|msg|str|shell|c`|c |x`|x |_`|_ )|\$\w{1,24}[ \t]{1,2}2>&1[ \t]{0,2}`|\bqx[ \t]{0,4}(\{[ \t]{0,4}\$|\([ \t]{0,4}\$|\/\$|\[\$|\|\$|!\$)\w|\bsystem[ \t]{0,4}\(?[ \t]{0,4}["\']?\$\w{1,32}|\bopen[ \t]{0,4}\(?[^\n;]{1,24},[ \t]{0,4}["\'](-\|["\'][ \t]{0,4},[ \t]{0,4}|)["\']?\$\w{1,32}[^\n;"\']{0,12}\|?["\']|\beval[ \t]{0,4}\(?[ \t]{0,4}["\']?\$\w{1,24}/
		// Python
		$python_request = /\bFieldStorage[ \t]{0,4}\(|\brequest\.(args|form|values|headers|data|get_data|get_json|json|cookies|GET|POST|query_params)\b|\bparse_qs[l]?[ \t]{0,4}\(/
		$python_direct = /\b(os\.system|os\.popen|popen|check_output|Popen|getoutput|run|eval|exec)[ \t]{0,4}\([ \t]{0,4}(b64decode[ \t]{0,4}\([ \t]{0,4}|base64\.b64decode[ \t]{0,4}\([ \t]{0,4}|unquote[ \t]{0,4}\([ \t]{0,4}|str[ \t]{0,4}\([ \t]{0,4}){0,2}(flask\.)?(request\.(args|form|values|headers|data|get_data|get_json|json|cookies|GET|POST|query_params)|form\.getvalue|form\[|\w{1,16}\.getvalue[ \t]{0,4}\(|parse_qs)/
		$python_taken = /\b(cmd|command|c|exec|run|shell|code|x)[ \t]{0,4}=[ \t]{0,4}(flask\.)?(request\.(args|form|values|headers)|\w{1,16}\.getvalue[ \t]{0,4}\(|[^\n]{0,24}parse_qs)/
		$python_run = /\b(os\.system|os\.popen|popen|check_output|Popen|getoutput|run)[ \t]{0,4}\([ \t]{0,4}(cmd|command|c|exec|run|shell|code|x)[ \t]{0,4}[,\)]/
		$python_index = /\b(os\.system|os\.popen|popen|check_output|Popen|getoutput|run)[ \t]{0,4}\([ \t]{0,4}[a-z_]\w{0,16}(\[|\.get[ \t]{0,2}\()[ \t]{0,2}["']/
	condition:
		filesize < 32KB and uint32(0) != 0x464C457F and
		(
			(filesize < 8KB and $sh at 0 and $content and $query and
				$sh_eval) or
			(filesize < 8KB and $perl at 0 and $content and
				$perl_request and $perl_run) or
			$python_direct or
			($python_request and (($python_taken and $python_run) or
				$python_index))
		)
}
