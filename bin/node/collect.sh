# Reads the network tables of one node and its pods, and prints them as a stream: docs/snapshot.md, "Collecting". By hand:
#     cat tools.sh dumps.sh state.sh namespace.sh pods.sh bare.sh collect.sh | sh -s -- [ARGUMENTS: tools.sh]
# Plain POSIX sh with what every node has (grep, sed, cat, wc, ls, mktemp); each network tool is optional. Loads no kernel module for IPVS or
# conntrack, changes nothing, and never prints secrets: environments, arguments, WireGuard keys, BGP passwords.

# The name that the kubelet registers: what it is told, else the host's in lower case
name() {
  own=$(readlink /proc/self/ns/net)
  for comm in $(grep -ls '^kubelet$' "$proc"/[0-9]*/comm); do
    # one that is in another network is of a node that runs within this one
    net=$(readlink "${comm%comm}ns/net" 2> /dev/null)
    [ "${net:-$own}" = "$own" ] || continue
    told=$(tr '\0' '\n' < "${comm%comm}cmdline" 2> /dev/null | sed -n -e 's/^--hostname-override=//p' -e '/^--hostname-override$/{n;p;}' | sed -n 1p)
    [ -z "$told" ] || { echo "$told"; return; }
  done
  uname -n | tr '[:upper:]' '[:lower:]'
}

clean() {
  # `timeout` hands it on
  [ -z "${child-}" ] || kill "$child" 2> /dev/null
  [ -z "${watch-}" ] || kill -9 "$watch" 2> /dev/null
  rm -rf "$tmp"
}

collect() {
  printf 'node %s\n' "${node:-$(name)}"
  [ "$(id -u)" = 0 ] || note 'not root: what the kernel tells root only is missing'
  steady
  settle
  common
  if find_tool bridge; then
    dump bridge-fdb.json bridge -j fdb show
  elif json ip-fdb.json ip -j -f bridge neigh; then
    note 'node/bridge-fdb.json: there is no bridge; by ip, ports and VNIs of single entries can not be seen'
    emit ip-fdb.json
  fi
  connections
  balancer
  recent
  wireguard
  bird
  find_tool bpftool && json bpftool-net.json bpftool -j net && emit bpftool-net.json
  versions
  pods
  echo end
}

main() {
  enough || { bare; return; }
  tmp=$(mktemp -d 2> /dev/null) || { tmp=/tmp/netctl-collect.$$; mkdir "$tmp" || exit 1; }
  trap clean EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 141' PIPE
  trap 'exit 143' TERM
  find_timeout
  echo 'netctl-collect 1'
  collect
}

main
