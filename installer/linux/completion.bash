# bash completion for drive
_drive() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W 'up init mount umount list status wait conflicts history restore undelete diff rewind snapshot backup pin unpin evict limit gc store passwd recovery-key join recover device repair check du doctor serve --help --version' -- "$cur")
        return
    fi
    case $prev in
        --passphrase-file | --new-passphrase-file) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        --preset) mapfile -t COMPREPLY < <(compgen -W 'caches temporary trash' -- "$cur"); return ;;
        --schedule) mapfile -t COMPREPLY < <(compgen -W 'hourly daily weekly monthly on-change' -- "$cur"); return ;;
        --store) mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
    esac
    local words
    case $command in
        up) words='--name --store --log-store --single-writer --passphrase --foreground --read-only --show-snapshots --allow-other --cache-size --limit-up --limit-down --poll --passphrase-file --options' ;;
        init) words='--name --log-store --single-writer --passphrase --passphrase-file --without-account-key' ;;
        mount) words='--at --foreground --read-only --show-snapshots --allow-other --cache-size --limit-up --limit-down --poll --passphrase-file --options' ;;
        umount) words='--wait --timeout --json' ;;
        list | status | doctor) words='--json' ;;
        wait) words='--timeout --json' ;;
        passwd) words='--passphrase-file --new-passphrase-file --without-account-key' ;;
        check) words='--name --passphrase-file --read-data --repair --search-packs --json' ;;
        du) words='--json' ;;
        repair) words='--history --json --passphrase-file' ;;
        join | recover) words='--name --log-store --device-name --passphrase-file --again --take-over' ;;
        gc) words='--dry-run --lapse --keep --json' ;;
        conflicts) words='--keep --json' ;;
        recovery-key) words='--name --passphrase-file --unasked' ;;
        history | diff) words='--json' ;;
        restore) words='--at --to --overwrite --json' ;;
        undelete) words='--to --overwrite --json' ;;
        rewind) words='--to --dry-run --json' ;;
        snapshot) words='--drive --json' ;;
        backup) words='--vault --passphrase-file --json --exclude --preset --schedule --keep --one-file-system --max-size --stale-after --on-failure --webhook --paranoid --percent' ;;
        device) words='--name --passphrase-file --json --all --no-wait --from' ;;
    esac
    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$words --help" -- "$cur")
        return
    fi
    local names=
    case $command in
        recovery-key) names='renew' ;;
        device) names='add list rename revoke writer hand-over take-over account-key' ;;
        snapshot) names='create list delete' ;;
        backup) names='add run list status pause resume remove verify accept' ;;
        mount | umount | status | wait | passwd) names=$(drive list 2> /dev/null | awk '/ mounted | not mounted /{print $1}') ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$names" -- "$cur"; compgen -f -- "$cur")
}
complete -o filenames -F _drive drive
