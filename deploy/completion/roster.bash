# bash completion for roster; source it, or install it as /etc/bash_completion.d/roster
_roster_ids() { roster list --no-headers -o columns=fullid 2>/dev/null; }
_roster_columns="runtime id fullid name image pid mntns netns cgroup age status oci namespace pod container poduid labels imageid digest started hostnetwork handle flags cgrouppath bundle sandbox"

_roster() {
  local cur prev command word selectors
  cur=${COMP_WORDS[COMP_CWORD]}
  prev=${COMP_WORDS[COMP_CWORD-1]}
  command=
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in
      -*) ;;
      *) command=$word; break ;;
    esac
  done
  if [[ -z $command ]]; then
    mapfile -t COMPREPLY < <(compgen -W "list watch get lookup doctor daemon uninstall version completion --help --version" -- "$cur")
    return
  fi
  case $prev in
    -o|--output)
      local formats
      case $command in
        watch|version|doctor) formats="text json" ;;
        get) formats="text table wide json yaml columns=" ;;
        *) formats="table wide json yaml columns=" ;;
      esac
      mapfile -t COMPREPLY < <(compgen -W "$formats" -- "$cur")
      return ;;
    --sort|--filter)
      mapfile -t COMPREPLY < <(compgen -W "$_roster_columns" -- "$cur")
      return ;;
    --runtime)
      mapfile -t COMPREPLY < <(compgen -W "docker containerd podman cri-o runc crun youki runsc" -- "$cur")
      return ;;
    --log-level)
      mapfile -t COMPREPLY < <(compgen -W "debug info warning error" -- "$cur")
      return ;;
    --log-format)
      mapfile -t COMPREPLY < <(compgen -W "auto text journal json" -- "$cur")
      return ;;
    --socket|--pin-dir|--state-dir|--cgroup)
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      return ;;
  esac
  selectors="-n --namespace -p --pod -c --container -l --selector --runtime"
  case $command in
    list|ls) mapfile -t COMPREPLY < <(compgen -W "-o --output --sort --filter --no-headers -w --watch --output-watch-events --oci-config --socket --pin-dir --help $selectors" -- "$cur") ;;
    watch) mapfile -t COMPREPLY < <(compgen -W "-o --output --existing --precreate --oci-config --no-reconnect --socket --help $selectors" -- "$cur") ;;
    get)
      if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "-o --output --no-headers --socket --pin-dir --help" -- "$cur")
      else
        mapfile -t COMPREPLY < <(compgen -W "$(_roster_ids)" -- "$cur")
      fi ;;
    lookup) mapfile -t COMPREPLY < <(compgen -W "--pid --mntns --netns --cgroup -o --output --no-headers --pin-dir --help" -- "$cur") ;;
    doctor) mapfile -t COMPREPLY < <(compgen -W "-o --output --socket --pin-dir --state-dir --help" -- "$cur") ;;
    daemon) mapfile -t COMPREPLY < <(compgen -W "--socket --pin-dir --state-dir --hold-deadline --node-name --host-mntns --log-level --log-format --help" -- "$cur") ;;
    uninstall) mapfile -t COMPREPLY < <(compgen -W "--force --dry-run --socket --pin-dir --state-dir --help" -- "$cur") ;;
    version) mapfile -t COMPREPLY < <(compgen -W "-o --output --socket --help" -- "$cur") ;;
    completion) mapfile -t COMPREPLY < <(compgen -W "bash zsh fish --help" -- "$cur") ;;
  esac
}
complete -F _roster roster
