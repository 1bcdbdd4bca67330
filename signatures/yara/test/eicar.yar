// SPDX-License-Identifier: GPL-2.0-or-later
//
// The EICAR test file: its 68 bytes at the beginning, then at most white space
// (space, tab, line feed, carriage return, Ctrl-Z) up to 128 bytes in all.
// https://www.eicar.org/download-anti-malware-testfile/
//
// The string is written in hexadecimal, so that this file is no test file.

rule eicar_test_file
{
	meta:
		id = "be63a4d4-ada9-45c2-9412-dbe94fdf2b72"
		description = "EICAR anti-malware test file; it does no harm"
		severity = "high"
		attack = "T1204.002"
		author = "Khiên"
		date = "2026-11-21"
		false_positives = "None: the file exists to be detected"
		reference = "https://www.eicar.org/download-anti-malware-testfile/"
	strings:
		$eicar = {
			58 35 4F 21 50 25 40 41 50 5B 34 5C 50 5A 58 35
			34 28 50 5E 29 37 43 43 29 37 7D 24 45 49 43 41
			52 2D 53 54 41 4E 44 41 52 44 2D 41 4E 54 49 56
			49 52 55 53 2D 54 45 53 54 2D 46 49 4C 45 21 24
			48 2B 48 2A
		}
	condition:
		filesize >= 68 and filesize <= 128 and $eicar at 0 and
		(
			filesize == 68 or
			for all i in (68 .. filesize - 1) : (
				uint8(i) == 0x20 or uint8(i) == 0x09 or
				uint8(i) == 0x0A or uint8(i) == 0x0D or
				uint8(i) == 0x1A
			)
		)
}
