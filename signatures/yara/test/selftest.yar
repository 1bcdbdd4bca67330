// SPDX-License-Identifier: GPL-2.0-or-later
//
// A marker of our own for self tests, where the EICAR file would set off other
// products.  A small file that begins with it is found; it is written in
// hexadecimal here, so that this file is not.

rule khien_self_test
{
	meta:
		id = "af552974-f6b9-4791-9d92-34f595a7bb1a"
		description = "Marker of the agent's own self tests"
		severity = "informational"
		attack = "T1204.002"
		author = "Khiên"
		date = "2026-11-21"
		false_positives = "None: nothing else has a reason to carry it"
	strings:
		$marker = {
			4B 48 49 45 4E 2D 53 45 4C 46 2D 54 45 53 54 2D
			34 66 36 63 31 64 30 65 2D 32 62 35 37 2D 34 63
			33 38 2D 39 64 31 61 2D 36 65 30 61 37 63 39 33
			62 38 66 32
		}
	condition:
		filesize <= 4096 and $marker at 0
}
