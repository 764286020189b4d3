# bash completion for drive
_drive() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W 'up init mount umount list status wait passwd recover repair doctor --help --version' -- "$cur")
        return
    fi
    case $prev in
        --passphrase-file | --new-passphrase-file) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
        --store) mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
    esac
    local words
    case $command in
        up) words='--name --store --passphrase --foreground --read-only --allow-other --cache-size --passphrase-file --options' ;;
        init) words='--name --passphrase --passphrase-file' ;;
        mount) words='--foreground --read-only --allow-other --cache-size --passphrase-file --options' ;;
        umount) words='--wait --timeout --json' ;;
        list | status | doctor) words='--json' ;;
        wait) words='--timeout --json' ;;
        passwd) words='--passphrase-file --new-passphrase-file' ;;
        repair) words='--json --passphrase-file' ;;
        recover) words='--name --passphrase-file' ;;
    esac
    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$words --help" -- "$cur")
        return
    fi
    local names=
    case $command in
        mount | umount | status | wait | passwd) names=$(drive list 2> /dev/null | awk '/ mounted | not mounted /{print $1}') ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$names" -- "$cur"; compgen -f -- "$cur")
}
complete -o filenames -F _drive drive
