# The pods of a node, by the processes that are in other network namespaces than ours.

# "PID INODE" of every process that is in another network namespace than ours
elsewhere() {
  own=$(readlink /proc/self/ns/net)
  ls -l "$proc"/[0-9]*/ns/net 2> /dev/null | sed -n 's#.* [^ ]*/\([0-9]*\)/ns/net -> \(.*\)$#\1 \2#p' | grep -v -F " $own"
}

# The name of a process's pod, as NAMESPACE_NAME: its cgroup has the pod's uid, and the kubelet keeps logs under both, or the runtime knows. Else -_UID,
# for who can ask the API
pod_of() {
  uid=$(sed -n 's/.*pod\([0-9a-f][0-9a-f_-]*\).*/\1/p' "$proc/$1/cgroup" 2> /dev/null | sed -n 1p | tr _ -)
  [ -n "$uid" ] || return
  for log in "$root"/var/log/pods/*_"$uid"; do
    [ -e "$log" ] || break
    log=${log##*/}
    echo "${log%_*}"
    return
  done
  if find_tool crictl && limited "$found" pods --no-trunc --label "io.kubernetes.pod.uid=$uid" -o json; then
    name=$(sed -n 's/.*"io.kubernetes.pod.name": *"\([a-z0-9.-]*\)".*/\1/p' "$tmp/.out" | sed -n 1p)
    namespace=$(sed -n 's/.*"io.kubernetes.pod.namespace": *"\([a-z0-9-]*\)".*/\1/p' "$tmp/.out" | sed -n 1p)
    [ -z "$name" ] || [ -z "$namespace" ] || { echo "${namespace}_$name"; return; }
  fi
  echo "-_$uid"
}

pods() {
  [ "$wanted" != ' - ' ] || return
  elsewhere > "$tmp/.elsewhere"
  [ -s "$tmp/.elsewhere" ] || return
  find_tool nsenter || { note 'pods: there is no nsenter to look into their network namespaces'; return; }
  nsenter=$found seen=' '
  while read -r pid inode; do
    case $seen in *" $inode "*) continue ;; esac
    pod=$(pod_of "$pid")
    # of no pod, or another process of the namespace may tell
    [ -n "$pod" ] || continue
    seen="$seen$inode "
    case ${wanted:-" $pod "} in *" $pod "*) ;; *) continue ;; esac
    folder=pods/$pod in="$nsenter --net=$proc/$pid/ns/net"
    # it may have ended since
    if $in true 2> /dev/null; then
      state
      # a pod without dumps of rules counts as one without rules
      if [ -z "$unread" ]; then settle; common; else note "$folder: left out"; fi
    else
      note "$folder: ended while the node was read"
    fi
  done < "$tmp/.elsewhere"
  folder=node in=
}
