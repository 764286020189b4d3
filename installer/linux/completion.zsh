#compdef drive
_drive_names() {
    local -a names
    names=(${(f)"$(drive list 2> /dev/null | awk '/ mounted | not mounted /{print $1}')"})
    compadd -a names
}
_drive() {
    local -a commands
    commands=(
        'up:make a vault on the first run, and mount it'
        'init:make a new vault'
        'mount:mount a vault that this machine knows'
        'umount:unmount a drive'
        'list:list the vaults that this machine knows'
        'status:say where your data is'
        'history:versions of a file or folder'
        'restore:bring a file or folder back as it was'
        'undelete:bring back what was deleted'
        'diff:what changed between two times'
        'rewind:undo a bad hour'
        'snapshot:name states of a drive'
        'backup:back up folders of this machine'
        'pin:keep a file or folder on this machine'
        'unpin:let a pinned file or folder go'
        'evict:free the local space of a file or folder'
        'limit:limit the bytes per second to and from the store'
        'gc:forget old versions and give space in the store back'
        'store:look at places for a vault, and sign in to them'
        'wait:wait until everything is in the store'
        'passwd:set or change the passphrase'
        'recovery-key:replace the recovery key'
        'join:make this machine a device of a vault'
        'recover:open a vault with its recovery key'
        'device:who belongs to a vault'
        'conflicts:files that two machines changed'
        'repair:build the local state anew from the store and the dirty log'
        'check:see whether the store has everything'
        'du:what folders cost in the store'
        'doctor:check what this machine needs'
    )
    if (( CURRENT == 2 )); then
        _describe command commands
        return
    fi
    case $words[2] in
        up) _arguments '*:dir:_directories' '--name[name]:name:' '--store[store]:store:_directories' '--log-store:store:' '--single-writer' '--passphrase' {-f,--foreground} --show-snapshots --read-only --allow-other '--cache-size:size:' '--limit-up:rate:' '--limit-down:rate:' '--poll:time:' '--passphrase-file:file:_files' ;;
        init) _arguments '*:store:_directories' '--name:name:' '--log-store:store:' '--single-writer' '--passphrase' '--passphrase-file:file:_files' ;;
        mount) _arguments '2:name:_drive_names' '*:dir:_directories' '--at:time:' {-f,--foreground} --show-snapshots --read-only --allow-other '--cache-size:size:' '--limit-up:rate:' '--limit-down:rate:' '--poll:time:' '--passphrase-file:file:_files' '-o:options:' ;;
        umount) _arguments '*:drive:_drive_names' --wait '--timeout:time:' --json ;;
        pin|unpin|evict) _files ;;
        history) _arguments '*:path:_files' --json ;;
        restore) _arguments '*:path:_files' '--at:time:' '--to:dir:_directories' --overwrite --json ;;
        undelete) _arguments '*:path:_files' '--to:dir:_directories' --overwrite --json ;;
        diff) _arguments '2:time:' '3:time:' '*:path:_files' --json ;;
        rewind) _arguments '*:path:_files' '--to:time:' --dry-run --json ;;
        snapshot) _arguments '1:what:(create list delete)' '--drive:name:_drive_names' --json ;;
        backup) _arguments '2:what:(add run list status pause resume remove verify accept)' '3:set:' '*:path:_files' '--vault:name:_drive_names' '--passphrase-file:file:_files' '*--exclude:pattern:' '*--preset:preset:(caches temporary trash)' '--schedule:when:(hourly daily weekly monthly on-change)' '--keep:rule:' --one-file-system '--max-size:size:' '--stale-after:days:' '--on-failure:command:' '--webhook:address:' --paranoid '--percent:percent:' --json ;;
        limit) _arguments '2:name:_drive_names' '--up:rate:' '--down:rate:' ;;
        gc) _arguments '2:name:_drive_names' --dry-run '--lapse:device:' '--keep:rule:' --json ;;
        store) _values 'command' check login logout ;;
        status) _alternative 'names:name:_drive_names' 'files:file:_files' ;;
        wait) _arguments '*:name:_drive_names' '--timeout:time:' --json ;;
        passwd) _arguments '*:name:_drive_names' '--passphrase-file:file:_files' '--new-passphrase-file:file:_files' ;;
        join | recover) _arguments '*:store:_directories' '--name:name:' '--log-store:store:' '--device-name:name:' '--passphrase-file:file:_files' '--again' '--take-over' ;;
        recovery-key) _arguments '1:what:(renew)' '--name:name:' '--passphrase-file:file:_files' '--unasked' ;;
        device) _arguments '1:what:(add list rename revoke writer hand-over take-over account-key)' '--name:name:' '--passphrase-file:file:_files' '--json' '--all' '--no-wait' '--from:device:' ;;
        conflicts) _arguments '*:path:_files' '--keep:which:(mine theirs both)' '--json' ;;
        repair) _arguments '*:vault:' --history --json '--passphrase-file:file:_files' ;;
        check) _arguments '--name:name:' '--passphrase-file:file:_files' '--read-data::share:' --repair --search-packs --json ;;
        du) _arguments '*:folder:_directories' --json ;;
        list|doctor) _arguments --json ;;
    esac
}
_drive "$@"
