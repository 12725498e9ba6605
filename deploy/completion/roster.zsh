#compdef roster
# zsh completion for roster; install it as _roster in a directory of $fpath

_roster_ids() {
  local -a ids
  ids=(${(f)"$(roster list --no-headers -o columns=fullid 2>/dev/null)"})
  compadd -a ids
}

_roster() {
  local -a commands selectors common
  commands=(
    'list:List the containers on this host'
    'watch:Report containers as they come, change and go'
    'get:Show one container, by its id or the beginning of it'
    'lookup:Say whose a process, namespace or cgroup is'
    'doctor:Say what works on this host, what does not, and why'
    'daemon:Keep the roll call'
    'uninstall:Remove pins, socket and state'
    'version:Show the versions of program, ABI and daemon'
    'completion:Print the completion script of a shell'
  )
  selectors=(
    '(-n --namespace)'{-n,--namespace}'[Kubernetes namespace]:filter:'
    '(-p --pod)'{-p,--pod}'[Kubernetes pod]:filter:'
    '(-c --container)'{-c,--container}'[name of the container]:filter:'
    '*'{-l,--selector}'[labels]:expression:'
    '--runtime[engine or runtime]:names:(docker containerd podman cri-o runc crun youki runsc)'
  )
  common=('--help[help]')
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
    list|ls)
      _arguments $common $selectors '(-o --output)'{-o,--output}'[format]:format:(table wide json yaml columns=)' \
        '--sort[columns to sort by]:columns:' '*--filter[column filter]:COLUMN\:VALUE:' '--no-headers[leave the header out]' '(-w --watch)'{-w,--watch}'[print changes]' \
        '--output-watch-events[with --watch: a column that says what happened]' \
        '--oci-config[include config.json]' '--socket[socket]:path:_files' '--pin-dir[pins]:path:_files -/' ;;
    watch)
      _arguments $common $selectors '(-o --output)'{-o,--output}'[format]:format:(text json)' '--existing[begin with those there]' \
        '--precreate[tell of requests too]' '--oci-config[include config.json]' '--no-reconnect[end with the daemon]' \
        '--socket[socket]:path:_files' ;;
    get)
      _arguments $common '1:id:_roster_ids' '(-o --output)'{-o,--output}'[format]:format:(text table wide json yaml columns=)' \
        '--no-headers[leave the header out]' '--socket[socket]:path:_files' '--pin-dir[pins]:path:_files -/' ;;
    lookup)
      _arguments $common '--pid[process]:pid:_pids' '--mntns[mount namespace]:inode:' '--netns[network namespace]:inode:' \
        '--cgroup[cgroup]:id or path:_files -/' '(-o --output)'{-o,--output}'[format]:format:(table wide json yaml columns=)' \
        '--no-headers[leave the header out]' '--pin-dir[pins]:path:_files -/' ;;
    doctor)
      _arguments $common '(-o --output)'{-o,--output}'[format]:format:(text json)' '--socket[socket]:path:_files' \
        '--pin-dir[pins]:path:_files -/' '--state-dir[state]:path:_files -/' ;;
    daemon)
      _arguments $common '--socket[socket]:path:_files' '--pin-dir[pins]:path:_files -/' '--state-dir[state]:path:_files -/' \
        '--hold-deadline[longest pause of a runtime]:duration:' '--node-name[node]:name:' '--host-mntns[host]:inode:' \
        '--log-level[level]:level:(debug info warning error)' '--log-format[format]:format:(auto text journal json)' ;;
    uninstall)
      _arguments $common '--force[stop the daemon first]' '--dry-run[only say what would be removed]' '--socket[socket]:path:_files' \
        '--pin-dir[pins]:path:_files -/' '--state-dir[state]:path:_files -/' ;;
    version)
      _arguments $common '(-o --output)'{-o,--output}'[format]:format:(text json)' '--socket[socket]:path:_files' ;;
    completion)
      _arguments $common '1:shell:(bash zsh fish)' ;;
  esac
}

_roster "$@"
