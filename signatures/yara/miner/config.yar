// SPDX-License-Identifier: GPL-2.0-or-later
//
// Mining of cryptocurrency.  It is work for somebody else's purse whoever began
// it, but some people do it on purpose: so a configuration and a miner are
// medium.  What brings a miner in unasked is high.

rule miner_config
{
	meta:
		id = "895c3d0b-7667-45c6-b571-820d11a83af6"
		description = "Configuration of a cryptocurrency miner: a pool, a wallet, an algorithm"
		severity = "medium"
		attack = "T1496"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "Somebody who mines on purpose; documentation of a miner with a whole example"
		reference = "https://attack.mitre.org/techniques/T1496/"
	strings:
		$scheme = /\bstratum[12]?\+?(tcp|ssl|tls|tcps)?:\/\/[\w\.\-\[\]:]{4,80}:[0-9]{2,5}/ nocase
		$url = /"url"\s{0,8}:\s{0,8}"[\w\.\-\[\]:\/+]{4,100}:[0-9]{2,5}"/
		$pools = /"pools"\s{0,8}:\s{0,8}\[/
		$user = /"(user|wallet|walletAddress|wallet_address|username|login)"\s{0,8}:\s{0,8}"/
		$pass = /"(pass|password|rig-id|worker|workerName)"\s{0,8}:/
		$algo = /"(algo|coin|algorithm)"\s{0,8}:\s{0,8}("?(rx\/|cn\/|cn-|randomx|cryptonight|argon2\/|kawpow|ethash|etchash|ghostrider|autolykos|verushash|yescrypt|monero|XMR|RVN|ETC|astrobwt|sha256d|scrypt|equihash|panthera|progpow|lyra2)|null)/ nocase
		$knob_1 = /"donate-(level|over-proxy)"/
		$knob_2 = /"(huge-pages|huge-pages-jit|1gb-pages|numa|wrmsr|rdmsr|cache_qos|scratchpad_prefetch_mode)"/
		$knob_3 = /"(randomx|cn\/0|cn-lite\/0|argon2-impl|astrobwt-avx2|asm)"\s{0,8}:/
		$knob_4 = /"(keepalive|nicehash|daemon-poll-interval|self-select|tls-fingerprint|submit-to-origin)"\s{0,8}:/
		$knob_5 = /"(max-cpu-usage|max-threads-hint|cpu-affinity|cpu-priority|cpu-max-threads|hw-aes)"\s{0,8}:/
		// what a purse looks like
		$monero = /(user|login|wallet|addr|xmr|monero|purse|payout|account|WALLET|USER|ADDR|XMR|LOGIN)\w{0,12}["\'\s:=,]{1,8}[48][0-9AB][1-9A-HJ-NP-Za-km-z]{93}([1-9A-HJ-NP-Za-km-z]{11})?[^A-Za-z0-9]|(-u 4|-u 8|-u "4|-u "8|-u=4|-u=8|-u \'4|-u \'8)[0-9AB][1-9A-HJ-NP-Za-km-z]{93}([1-9A-HJ-NP-Za-km-z]{11})?[^A-Za-z0-9]/
	condition:
		filesize < 256KB and uint32(0) != 0x464C457F and
		(
			($scheme and $monero) or
			($pools and ($url or $scheme) and $user and
				1 of ($knob_1, $knob_2, $knob_3, $knob_5,
				      $algo) and
				2 of ($knob_*, $algo, $pass)) or
			($scheme and $user and $pass and
				($algo or 1 of ($knob_*))) or
			($monero and $user and 1 of ($url, $pass, $pools) and
				1 of ($knob_*, $algo))
		)
}

rule miner_dropper
{
	meta:
		id = "8ceda444-1b6a-4578-9429-9aa67e841653"
		description = "Script that brings in a miner and hides it, or ends other miners first"
		severity = "high"
		attack = "T1496"
		attack = "T1105"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "None known: who mines on purpose neither hides it nor ends the miners of others"
	strings:
		$pool_1 = /\bstratum[12]?\+?(tcp|ssl|tls)?:\/\// nocase
		$pool_2 = /\b(xmr|monero|mine|mining|pool|minexmr|moneroocean|nanopool|supportxmr|hashvault|c3pool|f2pool|2miners|unmineable|nicehash|minergate|hashrefinery|zergpool|herominers|xmrpool)[\w\.\-]{0,40}:(3333|4444|5555|7777|8888|9999|443|80|10[0-9]{3}|14[0-9]{3}|3[0-9]{3}|13333|45[67]00|20[0-9]{3}|19999|1[0-9]{4}|2222)\b/ nocase
		$wallet = /(user|login|wallet|addr|xmr|monero|purse|payout|account|WALLET|USER|ADDR|XMR|LOGIN)\w{0,12}["\'\s:=,]{1,8}[48][0-9AB][1-9A-HJ-NP-Za-km-z]{93}([1-9A-HJ-NP-Za-km-z]{11})?[^A-Za-z0-9]|(-u 4|-u 8|-u "4|-u "8|-u=4|-u=8|-u \'4|-u \'8)[0-9AB][1-9A-HJ-NP-Za-km-z]{93}([1-9A-HJ-NP-Za-km-z]{11})?[^A-Za-z0-9]/
		$option_1 = /--donate-level\b/
		$option_2 = /[ \t](-o|--url)[ \t=]{1,4}["']?[\w\.\-\$\{\}:\/+]{4,100}/
		$option_3 = /[ \t]--(cpu-max-threads-hint|max-cpu-usage|randomx-1gb-pages|randomx-wrmsr|coin|algo|rig-id|nicehash|keepalive)\b/
		$miner = /\b(xmrig|xmr-stak|minerd|cpuminer|ccminer|kdevtmpfsi|kinsing|nbminer|lolMiner|t-rex|teamredminer|ethminer|xmrigMiner|xmrigDaemon|nanominer|srbminer|cnrig|ddgs|sysrv|watchbog|wolfminer)\b/ nocase
		$kill_1 = /\b(pkill|killall|kill)\b[^\n]{0,40}\b(xmrig|xmr|minerd|cpuminer|kdevtmpfsi|kinsing|cryptonight|stratum|miner|nanopool|monero|ddgs|watchbog|kworkerds|sysrv|masscan|cnrig)/ nocase
		$kill_2 = /\bgrep\b[^\n]{0,40}(xmrig|xmr|minerd|cpuminer|kdevtmpfsi|kinsing|cryptonight|stratum|nanopool|monero|ddgs|watchbog|kworkerds|sysrv|cnrig|:3333|:14444|pool\.)[^\n]{0,60}\|[^\n]{0,80}\bkill\b/ nocase
		$kill_3 = /\bps\b[^\n]{0,30}\|[^\n]{0,60}(\$3[ \t]{0,2}>[ \t]{0,2}[0-9]{1,2}|%?cpu)[^\n]{0,80}\bkill\b/ nocase
		$fetch = /\b(curl|wget|lwp-download|fetch|aria2c|tftp)[ \t]/
		$execute = /\bchmod[ \t]{1,4}(-R[ \t]{1,4})?([0-7]{0,1}7[0-7]{2}|[augo]{0,3}\+[rwxs]{0,3}x)/
		$hide = /(\/tmp|\/var\/tmp|\/dev\/shm|\/run\/user\/[0-9]{1,5}|\$HOME|~|\/root|\/usr\/(lib|bin|share))\/\.[\w\-]|(\/dev\/shm|\/var\/tmp)\/\w|\[k(worker|thread)|\bkswapd0\b|\bkworker/
		$persist = /\bcrontab\b|\/etc\/cron|\/var\/spool\/cron|systemctl[ \t]{1,4}(enable|start|daemon-reload)|\/etc\/rc\.local|\.bashrc\b|ld\.so\.preload/
		$quiet = /\bnohup\b|>[ \t]{0,2}\/dev\/null|\bsetsid\b|\bdisown\b/
		$msr = /\bmodprobe[ \t]{1,4}msr\b|vm\.nr_hugepages|\/nr_hugepages/
	condition:
		filesize < 128KB and uint32(0) != 0x464C457F and
		(
			(($pool_1 or $pool_2 or $wallet) and
				2 of ($fetch, $execute, $hide, $persist, $quiet) and
				1 of ($kill_*, $hide, $persist) and
				1 of ($option_*, $miner, $wallet, $msr)) or
			(2 of ($kill_*) and ($fetch or $execute) and
				2 of ($miner, $hide, $persist, $pool_1, $pool_2,
				      $wallet, $msr)) or
			(1 of ($kill_*) and $fetch and $execute and $quiet and
				$miner and ($persist or $hide)) or
			(#kill_1 + #kill_2 >= 4 and $fetch and
				1 of ($execute, $hide, $persist))
		)
}

rule miner_program
{
	meta:
		id = "75e0dc13-9565-4e55-a727-c2c40c3cfc21"
		description = "Program that mines cryptocurrency for a pool"
		severity = "medium"
		attack = "T1496"
		author = "Khien project"
		date = "2026-11-22"
		false_positives = "A miner that was installed on purpose"
	strings:
		$stratum = /stratum[12]?\+(tcp|ssl|tls):\/\//
		$method_1 = "mining.subscribe"
		$method_2 = "mining.authorize"
		$method_3 = "mining.submit"
		$method_4 = "mining.set_difficulty"
		$method_5 = "mining.notify"
		$login_1 = /"method":\s?"login"|\bkeepalived\b/
		$login_2 = /"job_id"|\bjob_id\b/
		$login_3 = "\"nonce\""
		$algo_1 = "randomx" nocase
		$algo_2 = "cryptonight" nocase
		$algo_3 = /\b(cn\/r|rx\/0|rx\/wow|cn\/half|cn-heavy|argon2\/chukwa|rx\/arq)\b/
		$algo_4 = /\b(ethash|etchash|kawpow|ghostrider|yescryptr|verushash|scrypt-jane|equihash|sha256d|lyra2z|x16r|autolykos)\b/
		$word_1 = "donate-level"
		$word_2 = /\b(hashrate|H\/s|kH\/s|MH\/s)\b/ nocase
		$word_3 = /share(s)? (accepted|rejected)|accepted[ :]{1,3}%|rejected[ :]{1,3}%|accepted \(%|new job from/ nocase
		$word_4 = /wrmsr|huge ?pages|nicehash/ nocase
	condition:
		uint32(0) == 0x464C457F and filesize < 32MB and
		(
			(3 of ($method_*) and 1 of ($word_*) and
				($stratum or 1 of ($algo_*))) or
			($stratum and 1 of ($algo_*) and 2 of ($word_*)) or
			(2 of ($algo_*) and 2 of ($login_*) and
				2 of ($word_*))
		)
}
