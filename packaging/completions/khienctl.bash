# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion of khienctl(1)

_khienctl()
{
	local cur prev word command= i
	local commands="status detections show events tree query scan rules
		doctor reload quarantine update guard stop"
	local types="process file network privilege agent fork exec exit seed
		create open read close rename unlink link symlink chmod chown
		xattr mkdir rmdir mount umount stop connect accept disconnect
		datagram dns credentials escalate ptrace vm_write mem_open
		memfd_create map_exec module_load module_unload bpf_load
		unshare setns chroot pivot_root guard map_file map_denied loss
		peer clock config store
		act listener update"
	local options="--socket --json --help --version"

	cur=${COMP_WORDS[COMP_CWORD]}
	prev=${COMP_WORDS[COMP_CWORD - 1]}
	COMPREPLY=()

	case $prev in
	--socket | --path | --to)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--type)
		mapfile -t COMPREPLY < <(compgen -W "$types" -- "$cur")
		return
		;;
	--min-severity)
		mapfile -t COMPREPLY < <(compgen -W \
			"informational low medium high critical" -- "$cur")
		return
		;;
	--since | --until)
		mapfile -t COMPREPLY < <(compgen -W "5m 1h 1d 1w now" -- "$cur")
		return
		;;
	--for)
		mapfile -t COMPREPLY < <(compgen -W "1m 10m 1h" -- "$cur")
		return
		;;
	--rule | --limit | --remote)
		return
		;;
	--pid)
		mapfile -t COMPREPLY < <(compgen -W \
			"$(cd /proc && echo [0-9]*)" -- "$cur")
		return
		;;
	esac

	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		--socket)
			((i++))
			;;
		-*) ;;
		*)
			command=$word
			break
			;;
		esac
	done

	case $command in
	status)
		options+=" --hot"
		;;
	detections)
		options+=" --since --until --min-severity --rule --limit
			--follow"
		;;
	events)
		options+=" --type --pid --path --remote --since --until
			--limit --follow"
		;;
	quarantine)
		options+=" --to"
		;;
	guard)
		options+=" --for"
		;;
	stop)
		options+=" --if-running --service"
		;;
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
		return
	fi
	case $command in
	'')
		mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur")
		;;
	scan)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	quarantine)
		if [[ $prev == quarantine ]]; then
			mapfile -t COMPREPLY < <(compgen -W \
				"list restore delete allowed revoke" -- "$cur")
		fi
		;;
	update)
		if [[ $prev == update ]]; then
			mapfile -t COMPREPLY < <(compgen -W \
				"status check now import" -- "$cur")
		elif [[ $prev == import ]]; then
			compopt -o filenames 2>/dev/null
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		fi
		;;
	guard)
		if [[ $prev == guard ]]; then
			mapfile -t COMPREPLY < <(compgen -W \
				"status on off" -- "$cur")
		fi
		;;
	tree)
		mapfile -t COMPREPLY < <(compgen -W \
			"$(cd /proc && echo [0-9]*)" -- "$cur")
		;;
	esac
}

complete -F _khienctl khienctl
