# Network namespaces of a node in which packets are watched or sent: its own, and those of pods.

nap() { sleep 0.1 2> /dev/null || sleep 1; }

# until_so TIMES COMMAND…: ten times a second
until_so() {
  left=$1; shift
  while ! "$@" > /dev/null 2>&1; do
    left=$((left - 1))
    [ $left -gt 0 ] || return 1
    nap
  done
}

# enter KIND [POD]: what comes before a command to run it in this namespace, in $in; a pod's is found by its uid, under which the kubelet keeps logs
enter() {
  in=
  [ "$1" != node ] || return 0
  find_tool nsenter || { note "pod $2: there is no nsenter to look into its network namespace"; return 1; }
  nsenter=$found
  for log in "$root"/var/log/pods/"$2"_*; do
    uid=${log##*_}
    case $uid in *[!0-9a-f-]* | '') continue ;; esac
    uid=$(printf '%s' "$uid" | sed 's/-/[-_]/g')
    for cgroup in $(grep -ls "pod$uid\([^0-9a-f]\|\$\)" "$proc"/[0-9]*/cgroup); do
      pid=${cgroup%/cgroup} pid=${pid##*/}
      [ "$(readlink "$proc/$pid/ns/net")" != "$(readlink /proc/self/ns/net)" ] || continue
      in="$nsenter --net=$proc/$pid/ns/net"
      $in true 2> /dev/null && return 0
    done
  done
  note "pod $2: no process of it is here"
  return 1
}

# each FUNCTION FILE: for every line `NUMBER KIND [POD]` of it, in $n, $kind, $pod; $space is its name for people
each() {
  while read -r n kind pod <&4; do
    space="${pod:-node}"
    "$1"
  done 4< "$tmp/$2"
}
