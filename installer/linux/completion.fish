# fish completion for drive
function __drive_names
    drive list 2>/dev/null | awk '/ mounted | not mounted /{print $1}'
end
complete -c drive -f
set -l commands up init mount umount list status wait passwd recover repair doctor
complete -c drive -n "not __fish_seen_subcommand_from $commands" -a up -d 'Make a vault on the first run, and mount it'
complete -c drive -n "not __fish_seen_subcommand_from $commands" -a init -d 'Make a new vault'
complete -c drive -n "not __fish_seen_subcommand_from $commands" -a mount -d 'Mount a vault'
complete -c drive -n "not __fish_seen_subcommand_from $commands" -a umount -d 'Unmount a drive'
complete -c drive -n "not __fish_seen_subcommand_from $commands" -a list -d 'List vaults'
complete -c drive -n "not __fish_seen_subcommand_from $commands" -a status -d 'Say where your data is'
complete -c drive -n "not __fish_seen_subcommand_from $commands" -a wait -d 'Wait until all is in the store'
complete -c drive -n "not __fish_seen_subcommand_from $commands" -a passwd -d 'Change the passphrase'
complete -c drive -n "not __fish_seen_subcommand_from $commands" -a recover -d 'Open a vault with its recovery key'
complete -c drive -n "not __fish_seen_subcommand_from $commands" -a repair -d 'Build the local state anew'
complete -c drive -n "not __fish_seen_subcommand_from $commands" -a doctor -d 'Check this machine'
complete -c drive -n "__fish_seen_subcommand_from mount umount status wait passwd" -a '(__drive_names)'
complete -c drive -n "__fish_seen_subcommand_from up init mount recover status umount" -F
complete -c drive -n "__fish_seen_subcommand_from list status wait umount repair doctor" -l json -d 'Print JSON'
complete -c drive -n "__fish_seen_subcommand_from up mount" -s f -l foreground -d 'Stay in the foreground'
complete -c drive -n "__fish_seen_subcommand_from up mount" -l read-only -d 'Refuse changes'
complete -c drive -n "__fish_seen_subcommand_from up mount" -l allow-other -d 'Let other users in'
complete -c drive -n "__fish_seen_subcommand_from up mount" -l cache-size -x -d 'Limit of local bytes'
complete -c drive -n "__fish_seen_subcommand_from up mount init recover repair passwd" -l passphrase-file -r -F -d 'Passphrase from a file'
complete -c drive -n "__fish_seen_subcommand_from passwd" -l new-passphrase-file -r -F -d 'New passphrase from a file'
complete -c drive -n "__fish_seen_subcommand_from up init recover" -l name -x -d 'Name on this machine'
complete -c drive -n "__fish_seen_subcommand_from up" -l store -r -F -d 'Where the vault is kept'
complete -c drive -n "__fish_seen_subcommand_from umount" -l wait -d 'Wait for the store first'
complete -c drive -n "__fish_seen_subcommand_from umount wait" -l timeout -x -d 'Give up after'
