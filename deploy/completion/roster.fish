# fish completion for roster; install it as ~/.config/fish/completions/roster.fish
function __roster_ids
    roster list --no-headers -o columns=fullid 2>/dev/null
end

complete -c roster -f
complete -c roster -l help -d 'Help'
complete -c roster -n __fish_use_subcommand -l version -d 'Version'
complete -c roster -n __fish_use_subcommand -a list -d 'List the containers on this host'
complete -c roster -n __fish_use_subcommand -a watch -d 'Report containers as they come, change and go'
complete -c roster -n __fish_use_subcommand -a get -d 'Show one container'
complete -c roster -n __fish_use_subcommand -a lookup -d 'Say whose a process, namespace or cgroup is'
complete -c roster -n __fish_use_subcommand -a doctor -d 'Say what works on this host, what does not, and why'
complete -c roster -n __fish_use_subcommand -a daemon -d 'Keep the roll call'
complete -c roster -n __fish_use_subcommand -a uninstall -d 'Remove pins, socket and state'
complete -c roster -n __fish_use_subcommand -a version -d 'Show versions'
complete -c roster -n __fish_use_subcommand -a completion -d 'Print the completion script of a shell'

set -l selecting '__fish_seen_subcommand_from list ls watch'
complete -c roster -n $selecting -s n -l namespace -x -d 'Kubernetes namespace'
complete -c roster -n $selecting -s p -l pod -x -d 'Kubernetes pod'
complete -c roster -n $selecting -s c -l container -x -d 'Name of the container'
complete -c roster -n $selecting -s l -l selector -x -d 'Labels'
complete -c roster -n $selecting -l runtime -x -a 'docker containerd podman cri-o runc crun youki runsc' -d 'Engine or runtime'
complete -c roster -n $selecting -l oci-config -d 'Include config.json'

complete -c roster -n '__fish_seen_subcommand_from list ls lookup' -s o -l output -x -a 'table wide json yaml columns='
complete -c roster -n '__fish_seen_subcommand_from get' -s o -l output -x -a 'text table wide json yaml columns='
complete -c roster -n '__fish_seen_subcommand_from watch doctor version' -s o -l output -x -a 'text json'
complete -c roster -n '__fish_seen_subcommand_from list ls get lookup' -l no-headers -d 'Leave the header out'

complete -c roster -n '__fish_seen_subcommand_from list ls' -l sort -x -d 'Columns to sort by'
complete -c roster -n '__fish_seen_subcommand_from list ls' -l filter -x -d 'Column filter, COLUMN:VALUE'
complete -c roster -n '__fish_seen_subcommand_from list ls' -s w -l watch -d 'Print a line for each change'
complete -c roster -n '__fish_seen_subcommand_from list ls' -l output-watch-events -d 'With --watch: a column that says what happened'
complete -c roster -n '__fish_seen_subcommand_from watch' -l existing -d 'Begin with those there'
complete -c roster -n '__fish_seen_subcommand_from watch' -l precreate -d 'Tell of requests too'
complete -c roster -n '__fish_seen_subcommand_from watch' -l no-reconnect -d 'End with the daemon'
complete -c roster -n '__fish_seen_subcommand_from get' -a '(__roster_ids)'
complete -c roster -n '__fish_seen_subcommand_from lookup' -l pid -x -a '(__fish_complete_pids)'
complete -c roster -n '__fish_seen_subcommand_from lookup' -l mntns -x -d 'Inode number'
complete -c roster -n '__fish_seen_subcommand_from lookup' -l netns -x -d 'Inode number'
complete -c roster -n '__fish_seen_subcommand_from lookup' -l cgroup -r -F -d 'Cgroup id or directory'
complete -c roster -n '__fish_seen_subcommand_from daemon' -l hold-deadline -x -d 'Longest pause of a runtime'
complete -c roster -n '__fish_seen_subcommand_from daemon' -l node-name -x
complete -c roster -n '__fish_seen_subcommand_from daemon' -l host-mntns -x
complete -c roster -n '__fish_seen_subcommand_from daemon' -l log-level -x -a 'debug info warning error'
complete -c roster -n '__fish_seen_subcommand_from daemon' -l log-format -x -a 'auto text journal json'
complete -c roster -n '__fish_seen_subcommand_from uninstall' -l force -d 'Stop the daemon first'
complete -c roster -n '__fish_seen_subcommand_from uninstall' -l dry-run -d 'Only say what would be removed'
complete -c roster -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'
complete -c roster -n '__fish_seen_subcommand_from list ls watch get doctor daemon uninstall version' -l socket -r -F
complete -c roster -n '__fish_seen_subcommand_from list ls get lookup doctor daemon uninstall' -l pin-dir -r -F
complete -c roster -n '__fish_seen_subcommand_from doctor daemon uninstall' -l state-dir -r -F
