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
        'wait:wait until everything is in the store'
        'passwd:set or change the passphrase'
        'recover:open a vault with its recovery key'
        'repair:build the local state anew from the store and the dirty log'
        'doctor:check what this machine needs'
    )
    if (( CURRENT == 2 )); then
        _describe command commands
        return
    fi
    case $words[2] in
        up) _arguments '*:dir:_directories' '--name[name]:name:' '--store[store]:store:_directories' '--passphrase' {-f,--foreground} --read-only --allow-other '--cache-size:size:' '--passphrase-file:file:_files' ;;
        init) _arguments '*:store:_directories' '--name:name:' '--passphrase' '--passphrase-file:file:_files' ;;
        mount) _arguments '2:name:_drive_names' '*:dir:_directories' {-f,--foreground} --read-only --allow-other '--cache-size:size:' '--passphrase-file:file:_files' '-o:options:' ;;
        umount) _arguments '*:drive:_drive_names' --wait '--timeout:time:' --json ;;
        status) _alternative 'names:name:_drive_names' 'files:file:_files' ;;
        wait) _arguments '*:name:_drive_names' '--timeout:time:' --json ;;
        passwd) _arguments '*:name:_drive_names' '--passphrase-file:file:_files' '--new-passphrase-file:file:_files' ;;
        recover) _arguments '*:store:_directories' '--name:name:' '--passphrase-file:file:_files' ;;
        repair) _arguments '*:vault:' --json '--passphrase-file:file:_files' ;;
        list|doctor) _arguments --json ;;
    esac
}
_drive "$@"
