// SPDX-License-Identifier: GPL-2.0-or-later

rule webshell_jsp
{
	meta:
		id = "f822b1c5-0144-457d-a539-8f6c3987f876"
		description = "JSP page that runs a command or loads classes taken from the request"
		severity = "high"
		attack = "T1505.003"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Administration pages written without care: whoever reaches one can do the same"
	strings:
		$page = /<%|<jsp:(scriptlet|root|declaration)/
		$request = /\brequest[ \t]{0,4}\.[ \t]{0,4}(getParameter|getHeader|getReader|getInputStream|getParameterValues|getParameterMap|getQueryString|getCookies)\b|\$\{[ \t]{0,4}(param|header)[\.\[]/
		$runtime = /\bgetRuntime[ \t]{0,4}\([ \t]{0,4}\)/
		$exec = /\.[ \t]{0,4}exec[ \t]{0,4}\(/
		$builder = /\bnew[ \t]{1,4}(java\.lang\.)?ProcessBuilder[ \t]{0,4}\(/
		// by reflection
		$forname = /\bforName[ \t]{0,4}\(/
		$runtime_name = /["']java\.lang\.(["'][ \t]{0,4}\+[ \t]{0,4}["'])?(Runtime|ProcessBuilder|ProcessImpl|UNIXProcess)["']/
		$runtime_pieces = /["'](Run["'][ \t]{0,4}\+[ \t]{0,4}["']time|java\.lang\.Run["']|emitnuR|ex["'][ \t]{0,4}\+[ \t]{0,4}["']ec)/
		$invoke = /\binvoke[ \t]{0,4}\(/
		// classes from the request
		$define = /\bdefineClass\b/
		$loader = /\bextends[ \t]{1,4}(java\.lang\.)?ClassLoader\b|\bgetSystemClassLoader\b|\bURLClassLoader\b|\bgetContextClassLoader\b/
		$decode = /\b(decodeBuffer|getDecoder|Base64|parseBase64Binary|Cipher|doFinal)\b/
		// an engine that evaluates
		$engine = /\bScriptEngineManager[ \t]{0,4}\(/
		$eval = /\.[ \t]{0,4}eval[ \t]{0,4}\(/
		// the words as Java's escapes
		$escape = /\\u0{2,6}(52\\u0{2,6}75\\u0{2,6}6e\\u0{2,6}74|67\\u0{2,6}65\\u0{2,6}74\\u0{2,6}52|65\\u0{2,6}78\\u0{2,6}65\\u0{2,6}63)/ nocase
	condition:
		filesize < 256KB and uint32(0) != 0x464C457F and
		uint16(0) != 0x4B50 and $page in (0 .. 8192) and
		(
			($request and
				(($runtime and $exec) or $builder or
				 ($invoke and ($runtime_name or $runtime_pieces)) or
				 ($forname and $runtime_pieces) or
				 ($define and ($loader or $decode or $invoke)) or
				 ($engine and $eval))) or
			$escape
		)
}
