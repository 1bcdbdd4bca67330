// SPDX-License-Identifier: GPL-2.0-or-later
//
// UPX leaves its magic "UPX!" in front of the packed bytes, behind them, and at
// the end, so that it can unpack what it packed.  Its own stub does without:
// who wants to keep others from unpacking a program only overwrites it.

rule elf_packed_upx
{
	meta:
		id = "84bc50b2-ac10-45f2-81f1-b03c19e73606"
		description = "ELF program packed with UPX"
		severity = "low"
		attack = "T1027.002"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Some makers pack their programs to save space"
		reference = "https://upx.github.io/"
	strings:
		$magic = "UPX!"
		$info = "$Info: This file is packed with the UPX"
		$id = "$Id: UPX "
	condition:
		uint32(0) == 0x464C457F and filesize < 64MB and
		#magic >= 2 and ($info or $id or $magic in (0 .. 512)) and
		$magic in (filesize - 64 .. filesize) and
		(
			(uint8(4) == 2 and uint16(60) == 0) or
			(uint8(4) == 1 and uint16(48) == 0)
		)
}

rule elf_packed_upx_damaged
{
	meta:
		id = "edba187e-483f-4af3-a431-ed17259c1c26"
		description = "ELF program packed with UPX, whose marks were taken away so that it cannot be unpacked"
		severity = "high"
		attack = "T1027.002"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "None known: UPX itself always leaves its marks"
	strings:
		$magic = "UPX!"
		// what the stub writes when memory is refused
		$stub = "PROT_EXEC|PROT_WRITE failed."
		$info = "$Info: This file is packed with the UPX"
		$id = "$Id: UPX "
		$text = "executable packer http://upx.sf.net"
		// how the stub reads the next bit (amd64, i386)
		$bit_64 = { 01 DB 74 02 F3 C3 8B 1E 48 83 EE FC 11 DB }
		$bit_32 = { 01 DB 75 07 8B 1E 83 EE FC 11 DB }
		$bit_64_b = { 01 DB 75 ?? 8B 1E 48 83 EE FC 11 DB }
	condition:
		uint32(0) == 0x464C457F and filesize < 64MB and
		(
			(uint8(4) == 2 and uint16(60) == 0 and uint16(56) < 8) or
			(uint8(4) == 1 and uint16(48) == 0 and uint16(44) < 8)
		) and
		(
			// the stub without the marks
			(1 of ($stub, $info, $id, $text) and
				(#magic < 2 or not $magic in (0 .. 512) or
				 not $magic in (filesize - 64 .. filesize))) or
			(1 of ($bit_*) and
				not $magic in (0 .. 512) and
				not $magic in (filesize - 64 .. filesize)) or
			// the marks with sizes of nought: p_info behind l_info
			(#magic >= 1 and $magic in (0 .. 512) and
				1 of ($stub, $info, $id, $bit_64, $bit_32, $bit_64_b) and
				uint32(@magic[1] + 12) == 0 and
				uint32(@magic[1] + 16) == 0)
		)
}
