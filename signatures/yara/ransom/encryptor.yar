// SPDX-License-Identifier: GPL-2.0-or-later

rule ransom_encryptor
{
	meta:
		id = "7d8ab559-6249-4084-ad10-83b14d45c1f6"
		description = "Program or script that encrypts the files of a machine or of its virtual machines and asks for money"
		severity = "critical"
		attack = "T1486"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "None known for programs; reports about such programs are no programs"
	strings:
		// virtual machines are stopped first
		$vm_1 = /\besxcli\b[^\x00\n]{0,60}\bvm process (kill|list)\b/
		$vm_2 = /\bvim-cmd\b[^\x00\n]{0,16}vmsvc\/(power\.off|getallvms|snapshot\.removeall|power\.shutdown)/
		$vm_3 = /\b(virsh[ \t]{1,4}(destroy|list|shutdown)|qm[ \t]{1,4}stop|VBoxManage[ \t]{1,4}controlvm)/
		$disk_1 = "/vmfs/volumes"
		$disk_2 = /\.(vmdk|vmem|vswp|vmsn|vmx|vmsd|vmss|nvram|vmxf|qcow2|vhdx?|vdi|ova)\b/
		// note
		$note_1 = /\b[a-z2-7]{56}\.onion\b|\b(http:\/\/)?[\w\.\-]{1,60}\.onion\b/
		$note_2 = /\b(your|all( of)?( your)?|the|important|company)\b[^\x00\n]{0,40}\b(files?|data|documents|network|servers?|systems?)\b[^\x00\n]{0,40}\b(encrypted|locked|stolen|crypted)\b/ nocase
		$note_3 = /\b(to )?(decrypt|restor|recover)(e|y|ing)?\b[^\x00\n]{0,60}\b(files?|data|key|price|tool|decryptor|contact|pay|bitcoin|payment)\b/ nocase
		$note_4 = /\b(bitcoin|btc|monero|xmr|tox id|qtox|session id|protonmail|tutanota|onionmail|ransom)\b/ nocase
		$note_5 = /\b(README|HOW|DECRYPT|RESTORE|RECOVER|RANSOM|READ_ME|INSTRUCTIONS)[\w\-\. ]{0,32}(DECRYPT|RESTORE|RECOVER|FILES|NOTE|README|BACK|INSTRUCTIONS)[\w\-\.]{0,16}(\.(txt|html|md|hta)\b|\x00)/ nocase
		// a program's own work
		$walk_1 = /\x00(opendir|readdir(64)?|nftw(64)?|ftw|fts_open|scandir|getdents64)\x00/
		$walk_2 = "path/filepath.Walk"
		$rename = /\x00(rename|renameat2?|unlink)\x00|\bos\.Rename\b/
		$cipher = /\b(chacha20|salsa20|sosemanuk|curve25519|x25519|rabbit|ntru|aes(_|-)?(128|256|ctr|cbc|gcm)|EVP_Encrypt\w{0,12}|EVP_aes_\w{0,12}|RSA_public_encrypt|AES_set_encrypt_key|rsa|expand 32-byte k)\b/ nocase
		$mode_1 = /--?(path|encrypt|skip|size|vmkill|vm-kill|stopvm|kill-vm|no-vm-kill|detach|percent|fast|partial|ep|daemon|log|threads|exclude|timer|enable-dry-run|whitelist)\b/
		$mode_2 = /\b(encrypted files|files encrypted|encrypting|already encrypted|encrypt(ed)? (file|dir|path)|total encrypted|skipped files|encryption (done|finished|complete|speed))\b/ nocase
		// a script's own work
		$script_find = /\bfind[ \t]{1,4}[^\n]{1,160}(-type[ \t]{1,4}f|-name|-iname|-regex)/
		$script_walk = /\b(os\.walk|glob\.glob|rglob|Path\([^\n]{0,24}\)\.(rglob|glob)|iglob)[ \t]{0,4}\(/
		$script_encrypt = /\bopenssl[ \t]{1,4}(enc|smime|rsautl|pkeyutl|aes-256-\w{3})\b[^\n]{0,80}(-e\b|-encrypt|-aes|-salt|-pbkdf2|-pass|-k\b|-in\b)|\bgpg[ \t][^\n]{0,80}(--encrypt|--symmetric|-c\b|-e\b|--recipient|-r\b)|\b(7z|zip|rar)[ \t]{1,4}[^\n]{0,40}-(p|P|hp)["'\$\w]|\bage[ \t]{1,4}-(r|e|p)\b|\bccrypt\b/
		$script_cipher = /\b(Fernet|AES\.new|ChaCha20\w{0,10}|Cipher[ \t]{0,4}\([ \t]{0,4}algorithms|SecretBox|PKCS1_OAEP|AESGCM)\b/
		$script_remove = /\b(rm[ \t]{1,4}-r?f?|shred[ \t]|unlink[ \t\(]|os\.(remove|rename|unlink|replace)|wipe[ \t]|srm[ \t]|mv[ \t][^\n]{1,80}\.(enc|locked|crypt|encrypted|lock|crypted)\b|-delete\b)/
		$script_end = /\.(enc|locked|crypt|encrypted|lock|crypted|crypto|pwned|ransom|cry)\b["'}]?/
		$backup = /\bvssadmin\b|\b(rm|find)[ \t][^\n]{0,60}\b(backup|snapshot|\.bak|\.snap|veeam)|\b(lvremove|zfs[ \t]{1,4}destroy|btrfs[ \t]{1,4}subvolume[ \t]{1,4}delete)\b/
	condition:
		(
			uint32(0) == 0x464C457F and filesize < 16MB and
			(
				(1 of ($vm_*) and ($disk_1 or #disk_2 >= 2) and
					2 of ($note_*, $mode_2, $cipher)) or
				($note_1 and ($note_2 or $note_3) and
					1 of ($walk_*) and $rename) or
				($note_2 and $note_3 and 1 of ($walk_*) and
					$rename and
					2 of ($note_4, $note_5, $cipher, $mode_1,
					      $mode_2))
			)
		) or
		(
			uint32(0) != 0x464C457F and filesize < 128KB and
			(
				(($script_find or $script_walk) and
					($script_encrypt or $script_cipher) and
					($script_remove or $script_end) and
					($note_2 or $note_3 or $note_5) and
					2 of ($note_*, $backup)) or
				(1 of ($vm_1, $vm_2) and
					($disk_1 or $disk_2) and
					($script_encrypt or $note_2 or
					 ($script_find and
						(1 of ($note_*) or $mode_2))))
			)
		)
}

rule ransom_note
{
	meta:
		id = "a22a8def-c0be-44c9-8bf9-310b6cd3d870"
		description = "Note that asks for money in exchange for files"
		severity = "medium"
		attack = "T1486"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Reports and training material that quote a whole note"
	strings:
		$harm = /\b(your|all( of)?( your)?|company|important)\b[^\n]{0,60}\b(files?|data|documents|databases|network|servers?|systems?|backups|infrastructure|machines)\b[^\n]{0,60}\b(encrypted|locked|stolen|exfiltrated|crypted|downloaded|leaked)\b/ nocase
		$harm_2 = /\b(encrypted|locked|stolen|exfiltrated|downloaded)\b[^\n]{0,40}\b(your|all)\b[^\n]{0,24}\b(files|data|documents|network|servers)\b/ nocase
		$pay_1 = /\b(pay|payment|ransom|price|send|transfer)\b[^\n]{0,80}\b(bitcoins?|btc|monero|xmr|usd|cryptocurrency|wallet)\b|\b(bitcoins?|btc|monero|xmr)\b[^\n]{0,60}\b(pay|payment|wallet|address|send)\b/ nocase
		$pay_2 = /\b(decryptor|decryption (key|tool|software|program)|private key|unlock key|recovery (key|tool))\b/ nocase
		$reach_1 = /\b[a-z2-7]{16,56}\.onion\b/
		$reach_2 = /\b(tor browser|torproject\.org|qtox|tox id|tox chat|session messenger|session id|onionmail|protonmail|tutanota|cock\.li|jabber)\b/ nocase
		$reach_3 = /\b(contact|write|email|e-mail|message)\b[^\n]{0,40}[\w\.\-]{2,40}@[\w\-]{2,40}\.[a-z]{2,8}/ nocase
		$reach_4 = /\bbc1q[a-z0-9]{25,58}\b/
		$threat_1 = /\b(do not|don't|dont|never)\b[^\n]{0,40}\b(rename|modify|delete|restore|recover|decrypt|shut ?down|third[- ]party|police|fbi|recovery compan)/ nocase
		$threat_2 = /\b(publish|leak|sell|release)(ed|ing)?\b[^\n]{0,60}\b(data|files|information|darknet|dark web|blog|public)\b/ nocase
		$threat_3 = /\b(within|in|after|you have)\b[^\n]{0,16}\b[0-9]{1,3} ?(hours|days|h|business days)\b/ nocase
		$proof = /\b(decrypt|test)\b[^\n]{0,40}\b(one|two|three|1|2|3|several|few|sample)\b[^\n]{0,24}\bfiles?\b[^\n]{0,24}\b(free|guarantee|proof|charge)\b/ nocase
		$page = /<html|<!DOCTYPE|<\?xml|^\.TH |\\documentclass/ nocase
	condition:
		filesize < 16KB and uint32(0) != 0x464C457F and
		($harm or $harm_2) and
		1 of ($pay_*) and 1 of ($reach_*) and
		(1 of ($threat_*) or $proof) and
		(not $page or ($pay_1 and $pay_2 and $reach_1))
}
