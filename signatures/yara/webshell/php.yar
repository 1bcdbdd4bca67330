// SPDX-License-Identifier: GPL-2.0-or-later
//
// PHP pages that do as the request says.

rule webshell_php_request
{
	meta:
		id = "d1ce4bbe-eac4-4150-9469-67400b513613"
		description = "PHP page that runs code or a command taken from the request"
		severity = "high"
		attack = "T1505.003"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Deliberately vulnerable training applications"
	strings:
		$php = "<?"
		$php_script = "language=\"php\""
		// the request as the argument, with decoders or @ in between
		$direct = /\b(eval|assert|system|exec|shell_exec|passthru|popen|proc_open|pcntl_exec|create_function)[ \t]{0,4}\(\s{0,8}(["']{2}[ \t]{0,4},[ \t]{0,4})?(\@?[a-z_0-9]{1,24}[ \t]{0,4}\([ \t]{0,4}){0,4}["']?\{?\@?\$\{?["']?_(GET|POST|REQUEST|COOKIE|SERVER|FILES)\b/ nocase
		$input = /\b(eval|assert|system|shell_exec|passthru)[ \t]{0,4}\(\s{0,8}(\@?[a-z_0-9]{1,24}[ \t]{0,4}\([ \t]{0,4}){0,4}["']php:\/\/input/ nocase
		$header = /\b(eval|assert|system|exec|shell_exec|passthru)[ \t]{0,4}\(\s{0,8}(\@?[a-z_0-9]{1,24}[ \t]{0,4}\([ \t]{0,4}){0,4}(getallheaders|apache_request_headers|getenv[ \t]{0,4}\([ \t]{0,4}["']HTTP_)/ nocase
		$ticks = /`[^`\n]{0,24}\{?\$_(GET|POST|REQUEST|COOKIE)[ \t]{0,2}\[[^`\n]{1,24}\]\}?[^`\n]{0,16}`[ \t]{0,4}(;|\?>)/
		// the request names the function
		$function = /\$\{?["']?_(GET|POST|REQUEST|COOKIE)["']?\}?[ \t]{0,2}[\[\{][^\]\}\n]{1,24}[\]\}][ \t]{0,4}\([ \t]{0,4}["']?\{?\@?\$\{?["']?\w/
		$by_variable = /\$\w{1,32}[ \t]{0,4}\([ \t]{0,4}(\@?\w{1,16}[ \t]{0,4}\([ \t]{0,4}){0,2}\$_(GET|POST|REQUEST|COOKIE)\b/
		$named = /\$\w{1,32}[ \t]{0,4}=[ \t]{0,4}["'](assert|system|eval|exec|shell_exec|passthru|create_function|call_user_func)["'][ \t]{0,4};/
		$given = /=[ \t]{0,4}\$_(COOKIE|POST|GET|REQUEST)[ \t]{0,4};/
		$by_member = /"\]\(\$|'\]\(\$|0\]\(\$|1\]\(\$|2\]\(\$/
		$extract = /\b(extract|parse_str)[ \t]{0,4}\([ \t]{0,4}\$_(REQUEST|GET|POST|COOKIE|SERVER)/
		$callback = /\b(call_user_func(_array)?|array_(map|filter|walk|reduce|udiff|diff_ukey)|usort|uasort|uksort|register_shutdown_function|preg_replace_callback|ob_start|iterator_apply)[ \t]{0,4}\([^\n;]{0,60}(["'](assert|system|exec|shell_exec|passthru|eval)["'][^\n;]{0,40}\$_(GET|POST|REQUEST|COOKIE)|\$_(GET|POST|REQUEST|COOKIE)[ \t]{0,2}\[[^\n\]]{1,24}\][^\n;]{0,24}\$_(GET|POST|REQUEST|COOKIE))/ nocase
		$replace = /\bpreg_replace[ \t]{0,4}\([ \t]{0,4}["']([\/#~\@|])[^"'\n]{0,24}[\/#~\@|][a-z]{0,4}e[a-z]{0,4}["'][^\n;]{0,60}\$_(GET|POST|REQUEST|COOKIE)/ nocase
		$include = /\b(include|require)(_once)?\b[ \t]{0,4}\(?[ \t]{0,4}["'](data:|php:\/\/input)/ nocase
		// through a variable
		$taken = /\$(\w{1,32})[ \t]{0,4}=[ \t]{0,4}\(?[ \t]{0,4}(\@?[a-z_0-9]{1,24}[ \t]{0,4}\([ \t]{0,4}){0,3}["']?\@?\$\{?["']?_(GET|POST|REQUEST|COOKIE|SERVER)\b/
		$taken_input = /\$(\w{1,32})[ \t]{0,4}=[ \t]{0,4}(\@?[a-z_0-9]{1,24}[ \t]{0,4}\([ \t]{0,4}){1,3}["']php:\/\/input/
		$run = /[^\w>:\$](eval|assert|system|shell_exec|passthru|popen|proc_open|pcntl_exec)[ \t]{0,4}\([ \t]{0,4}(\@?[a-z_0-9]{1,24}[ \t]{0,4}\([ \t]{0,4}){0,3}["']?\{?\$[a-z_]\w{0,31}\}?["']?[ \t]{0,4}(\)|\.[ \t]{0,4}["'][ \t]{0,4}2>&1|\.[ \t]{0,4}["']{2}|,|\[)/
	condition:
		filesize < 512KB and ($php in (0 .. 4096) or $php_script) and
		(
			$direct or ($input and filesize < 4KB) or $header or $ticks or $function or
			$callback or $replace or $include or
			($by_variable and ($named or filesize < 1KB)) or
			(filesize < 2KB and $given and $by_member) or
			(filesize < 512 and $extract) or
			(filesize < 4KB and ($taken or $taken_input) and $run)
		)
}

rule webshell_php_hidden
{
	meta:
		id = "792991d1-47ff-4607-82ff-3b93231bdbac"
		description = "PHP page that unpacks code and runs it, or puts together the names of what it calls"
		severity = "high"
		attack = "T1505.003"
		attack = "T1027"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "A few commercial applications are packed so by their makers"
	strings:
		$php = "<?"
		// decoders around a long text, or around a variable
		$unpack = /\b(eval|assert)[ \t]{0,4}\(\s{0,8}(["']\?>["'][ \t]{0,4}\.[ \t]{0,4})?(\@?(gzinflate|gzuncompress|gzdecode|base64_decode|str_rot13|strrev|convert_uudecode|hex2bin|rawurldecode|urldecode|pack)[ \t]{0,4}\([ \t]{0,4}){1,5}["'][^"'\n]{24}/ nocase
		$unpack_two = /\b(eval|assert)[ \t]{0,4}\(\s{0,8}(["']\?>["'][ \t]{0,4}\.[ \t]{0,4})?(\@?(gzinflate|gzuncompress|gzdecode|str_rot13|strrev|convert_uudecode|hex2bin)[ \t]{0,4}\([ \t]{0,4})(\@?(gzinflate|gzuncompress|gzdecode|base64_decode|str_rot13|strrev|convert_uudecode|hex2bin)[ \t]{0,4}\([ \t]{0,4}){1,4}\$/ nocase
		// names in pieces, backwards or as escapes
		$name_pieces = /["'](b["'][ \t]{0,4}\.[ \t]{0,4}["']?ase64_decode|base["'][ \t]{0,4}\.[ \t]{0,4}["']64|bas["'][ \t]{0,4}\.[ \t]{0,4}["']e64|ass["'][ \t]{0,4}\.[ \t]{0,4}["']ert|as["'][ \t]{0,4}\.[ \t]{0,4}["']s(ert|["'])|sys["'][ \t]{0,4}\.[ \t]{0,4}["']tem|sy["'][ \t]{0,4}\.[ \t]{0,4}["']s|ev["'][ \t]{0,4}\.[ \t]{0,4}["']al|shell_["'][ \t]{0,4}\.[ \t]{0,4}["']exec|pass["'][ \t]{0,4}\.[ \t]{0,4}["']thru|cre["'][ \t]{0,4}\.[ \t]{0,4}["']ate_)/
		$name_back = /["'](edoced_46esab|etalfnizg|tressa|metsys|cexe_llehs|urhtssap|lave|noitcnuf_etaerc)["']/
		$name_hex = /\\x(65\\x76\\x61\\x6c|61\\x73\\x73\\x65\\x72\\x74|73\\x79\\x73\\x74\\x65\\x6d|62\\x61\\x73\\x65\\x36\\x34|47\\x4c\\x4f\\x42\\x41\\x4c)/ nocase
		$name_chr = /(\bchr[ \t]{0,4}\([ \t]{0,4}[0-9x]{1,4}([ \t]{0,4}[\^\-+][ \t]{0,4}[0-9]{1,3})?[ \t]{0,4}\)[ \t]{0,4}\.[ \t]{0,4}){4}/ nocase
		$name_xor = /\'\^\'|\' \^ \'|"\^"|" \^ "/
		$request_pieces = /_(P|G|RE|CO)["\'] ?\. ?(\'OST\'|"OST"|\'ET\'|"ET"|\'QUEST|"QUEST|\'OKIE|"OKIE)|(\'_\'|"_") ?\. ?["\'](POST|GET|REQUEST|COOKIE|P|G)["\']/
		$request = /_(GET|POST|REQUEST|COOKIE)\b|php:\/\/input/
		$evaluated = /\b(eval|assert|create_function)[ \t]{0,4}\(/
		$globals = /\$\{["'](\\x|_|GLOB)[^\n"']{1,40}["']\}/
	condition:
		filesize < 1MB and $php in (0 .. 4096) and
		(
			$unpack or $unpack_two or
			(filesize < 128KB and
				1 of ($name_pieces, $name_back, $name_hex) and
				($request or $request_pieces or $globals or
				 filesize < 8KB)) or
			(filesize < 64KB and ($request_pieces or $globals) and
				($evaluated or #request_pieces >= 2)) or
			(filesize < 32KB and ($name_chr or #name_xor >= 3) and
				($evaluated or $request_pieces or
				 filesize < 4KB) and
				($request or $request_pieces))
		)
}
