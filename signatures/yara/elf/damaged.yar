// SPDX-License-Identifier: GPL-2.0-or-later
//
// Programs for Linux whose headers were made so that the kernel still runs them
// and tools for analysis do not read them.

rule elf_damaged_header
{
	meta:
		id = "568a66cd-55c9-4325-8c2b-1cdfe0702a77"
		description = "ELF program whose header is damaged in places that the kernel does not look at, but tools do"
		severity = "medium"
		attack = "T1027"
		attack = "T1036"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Test files of tools that read ELF; very small programs written by hand"
		reference = "https://man7.org/linux/man-pages/man5/elf.5.html"
	condition:
		uint32(0) == 0x464C457F and filesize > 128 and
		filesize < 64MB and
		// a program or library for a known machine, with program headers
		(
			// x86-64, aarch64: 64 bits, little end first
			((uint16(18) == 62 or uint16(18) == 183) and
			 (uint16(16) == 2 or uint16(16) == 3) and
			 uint16(54) == 56 and uint16(56) > 0 and
			 uint16(56) < 64 and uint32(32) >= 64 and
			 uint32(32) < filesize and uint32(36) == 0 and
			 // which the kernel finds a segment in
			 for any i in (0 .. uint16(56) - 1) : (
				uint32(uint32(32) + i * 56) == 1
			 ) and
			 (
				(uint8(4) != 2 and
				 not (uint8(4) == 1 and uint16(18) == 62)) or
				uint8(5) != 1 or uint8(6) != 1 or
				uint32(20) != 1 or
				// sections that lie outside of the file
				(uint16(60) > 0 and uint32(40) > 0 and
				 uint32(44) == 0 and
				 uint32(40) + uint16(60) * 64 > filesize and
				 uint16(58) == 64 and
				 uint32(40) > filesize) or
				(uint16(60) > 0 and uint16(58) != 64) or
				(uint16(60) > 0 and uint16(62) >= uint16(60) and
				 uint16(62) != 0xFFFF) or
				uint32(44) > 0xFFFF
			 )) or
			// i386, arm: 32 bits, little end first
			((uint16(18) == 3 or uint16(18) == 40) and
			 (uint16(16) == 2 or uint16(16) == 3) and
			 uint16(42) == 32 and uint16(44) > 0 and
			 uint16(44) < 64 and uint32(28) >= 52 and
			 uint32(28) < filesize and
			 for any i in (0 .. uint16(44) - 1) : (
				uint32(uint32(28) + i * 32) == 1
			 ) and
			 (
				uint8(4) != 1 or uint8(5) != 1 or
				uint8(6) != 1 or uint32(20) != 1 or
				(uint16(48) > 0 and uint16(46) == 40 and
				 uint32(32) > filesize) or
				(uint16(48) > 0 and uint16(46) != 40) or
				(uint16(48) > 0 and uint16(50) >= uint16(48) and
				 uint16(50) != 0xFFFF)
			 ))
		)
}

rule elf_writable_code
{
	meta:
		id = "9efc8f88-378b-4588-b6dc-42cb7ecde8a8"
		description = "ELF program without sections that begins in memory which is writable and executable: shellcode in an ELF coat, or a packer of its own"
		severity = "medium"
		attack = "T1027.002"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Very small programs written by hand, and firmware in ELF"
	condition:
		uint32(0) == 0x464C457F and filesize < 64MB and
		(
			((uint16(18) == 62 or uint16(18) == 183) and
			 (uint16(16) == 2 or uint16(16) == 3) and
			 uint16(60) == 0 and
			 uint16(54) == 56 and uint16(56) > 0 and
			 uint16(56) < 16 and uint32(36) == 0 and
			 for any i in (0 .. uint16(56) - 1) : (
				uint32(uint32(32) + i * 56) == 1 and
				uint32(uint32(32) + i * 56 + 4) & 7 == 7 and
				uint32(24) >= uint32(uint32(32) + i * 56 + 16) and
				uint32(24) < uint32(uint32(32) + i * 56 + 16) +
					uint32(uint32(32) + i * 56 + 40) and
				uint32(28) == uint32(uint32(32) + i * 56 + 20)
			 )) or
			((uint16(18) == 3 or uint16(18) == 40 or
			  uint16(18) == 8) and
			 (uint16(16) == 2 or uint16(16) == 3) and
			 uint16(48) == 0 and
			 uint16(42) == 32 and uint16(44) > 0 and
			 uint16(44) < 16 and
			 for any i in (0 .. uint16(44) - 1) : (
				uint32(uint32(28) + i * 32) == 1 and
				uint32(uint32(28) + i * 32 + 24) & 7 == 7 and
				uint32(24) >= uint32(uint32(28) + i * 32 + 8) and
				uint32(24) < uint32(uint32(28) + i * 32 + 8) +
					uint32(uint32(28) + i * 32 + 20)
			 ))
		)
}
