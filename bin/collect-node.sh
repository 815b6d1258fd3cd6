# Reads the network tables of one node and its pods, and prints them as a stream: docs/snapshot.md, "Collecting".
#     sh -s -- [SECONDS-PER-COMMAND [NODE [ROOT [POD... | connections/ADDRESS...]]]] < collect-node.sh
# Plain POSIX sh with what every node has (grep, sed, cat, wc, ls, mktemp); each network tool is optional. Loads no kernel module for IPVS or
# conntrack, changes nothing, and never prints secrets: environments, arguments, WireGuard keys, BGP passwords.
# ROOT: where the host's own /proc and /var/log are, if not in /. POD: NAMESPACE_NAME of each pod whose network namespace is wanted, if not all; - is none.
# ADDRESS: whose connections are wanted, if not all.

LC_ALL=C
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin
# wg(8): `wg show` prints keys where this says `never`
WG_HIDE_KEYS=always
export LC_ALL PATH WG_HIDE_KEYS
umask 077

limit=${1:-20} node=${2-} root=${3-}
wanted=        # pods, each between spaces
tracked=       # addresses, each behind a space
if [ $# -gt 3 ]; then
  shift 3
  for word; do
    case $word in
      connections/*) tracked="$tracked ${word#*/}" ;;
      *) wanted="${wanted:- }$word " ;;
    esac
  done
fi
proc=$root/proc
in=            # what to put before a command, to run it in another network namespace
folder=node    # where its output belongs in the stream

# --- the stream -----------------------------------------------------------------------------------------------------------------------------

note() { printf 'note %s\n' "$(printf '%s' "$*" | tr '\n' ' ' | cut -c1-400)"; }

# emit FILE: what was taken for it; compressed here if it is large, and called so
emit() {
  size=$(($(wc -c < "$tmp/$1"))) one=$1
  if [ $size -gt 65536 ] && find_tool gzip && gzip -c "$tmp/$1" > "$tmp/$1.gz" 2> /dev/null; then
    one=$1.gz size=$(($(wc -c < "$tmp/$1.gz")))
  fi
  printf 'file %s %d\n' "$folder/$one" $size
  cat "$tmp/$one"
  echo
  rm -f "$tmp/$1.gz"
}

# --- running a command ----------------------------------------------------------------------------------------------------------------------

# limited COMMAND…: its output in .out and .err; 124 if it did not end in time
limited() {
  if [ -n "$timeout" ]; then
    "$timeout" -s KILL "$limit" "$@" > "$tmp/.out" 2> "$tmp/.err" < /dev/null &
    child=$!
    wait $child; code=$?
  else
    "$@" > "$tmp/.out" 2> "$tmp/.err" < /dev/null &
    child=$!
    ( left=$limit
      while [ "$left" -gt 0 ] && kill -0 $child; do sleep 1; left=$((left - 1)); done
      kill -9 $child ) > /dev/null 2>&1 < /dev/null &
    watch=$!
    wait $child; code=$?
    # not TERM: a shell that has just been forked loses it
    kill -9 $watch; wait $watch; watch=
  fi
  child=
  [ $code != 137 ] || code=124
  return $code
} 2> /dev/null

why() {
  case $1 in
    124) echo "out of time after $limit s" ;;
    *) echo "exit $1: $(grep -v '^$' "$tmp/.err" | sed -n 1p)" ;;
  esac
}

# find_tool NAME: where it is, in $found. busybox's shell may prefer its own `ip`, which is not the same.
find_tool() {
  ifs=$IFS IFS=:
  for dir in $PATH; do
    found=$dir/$1
    if [ -f "$found" ] && [ -x "$found" ]; then IFS=$ifs; return 0; fi
  done
  IFS=$ifs
  return 1
}

# take FILE COMMAND…: its output, kept for `emit`; what went wrong is noted, and the file left out
take() {
  file=$1 tool=$2 shown="$2${3+ $3}${4+ $4}"; shift 2
  # a script of ours
  [ "$tool" != sh ] || shown='its command'
  if ! find_tool "$tool"; then
    [ "$folder" = node ] && note "$folder/$file: there is no $tool"
    return 1
  fi
  limited $in "$found" "$@" || {
    note "$folder/$file: $shown failed: $(why $?)"
    return 1
  }
  # said, and yet a success: iptables-save leaves out a table that it can't read
  said=$(grep -v -e '^$' -e 'tables-legacy tables present' -e 'flow entries have been shown' "$tmp/.err" | sed -n 1p)
  [ -z "$said" ] || note "$folder/$file: $tool said: $said"
  mv "$tmp/.out" "$tmp/$file"
}

# dump FILE COMMAND…: take and emit
dump() { take "$@" && emit "$1"; }

# json FILE COMMAND…: an empty answer is none
json() {
  take "$@" || return 1
  if [ -s "$tmp/$1" ]; then return 0; fi
  note "$folder/$1: no output"
  rm -f "$tmp/$1"
  return 1
}

# --- what must be of one moment: routing and the packet filter --------------------------------------------------------------------------------

# The variant's own tool, or the one without a name, if it is of this variant
saver() {
  if find_tool "$1-$2-save"; then echo "$1-$2-save"; return; fi
  find_tool "$1-save" || return
  case $("$found" --version 2>&1) in
    *nf_tables*) [ "$2" = nft ] && echo "$1-save" ;;
    *) [ "$2" = legacy ] && echo "$1-save" ;;
  esac
}

# filter FAMILY-LETTER: both variants of iptables-save; a family is left out if a part of it can't be read, since half of the rules is worse than none
filter() {
  family=ip$1tables ok=yes
  for variant in nft legacy; do
    save=$(saver $family $variant)
    name=$family-$variant-save.txt
    if [ -n "$save" ]; then
      take "$name" "$save" -c || ok=
    elif [ $variant = legacy ] && [ -n "$($in cat /proc/net/ip$1_tables_names 2> /dev/null)" ]; then
      note "$folder/$name: there are tables of iptables-legacy, and no $family-legacy-save to read them"
      ok=
    fi
  done
  if [ -z "$ok" ]; then
    rm -f "$tmp/$family"-*-save.txt
    note "$folder/$family-save.txt: left out, as not all of $family's rules could be read"
    unread=yes
  fi
}

# Is a table of nft told by iptables-save? Then nft would only tell it worse, and slower.
saved() {
  case $1-$2 in ip-raw | ip-mangle | ip-nat | ip-filter | ip-security) dumped=$tmp/iptables-nft-save.txt ;;
    ip6-raw | ip6-mangle | ip6-nat | ip6-filter | ip6-security) dumped=$tmp/ip6tables-nft-save.txt ;;
    *) return 1 ;;
  esac
  [ -e "$dumped" ] && grep -q "^\*$2\$" "$dumped" && ! grep -q "^# Table .$2' .*incompatible" "$dumped"
}

# Native tables, one by one. Of those of iptables-nft there is the heading, so that nobody takes them for missing.
native() {
  if ! find_tool nft; then take nft.txt nft; return; fi
  unread=yes
  take .tables nft list tables || { note "$folder/nft.txt: left out"; return 1; }
  : > "$tmp/.nft"
  while read -r word family table rest; do
    [ "$word" = table ] || continue
    if saved "$family" "$table"; then
      printf 'table %s %s {\n}\n' "$family" "$table" >> "$tmp/.nft"
      continue
    fi
    case $table in
      # it becomes part of a command of nft
      *[!A-Za-z0-9_.-]* | '') note "$folder/nft.txt: left out, as a table has an odd name"; return 1 ;;
    esac
    take .table nft list table "$family" "$table" || { note "$folder/nft.txt: left out"; return 1; }
    cat "$tmp/.table" >> "$tmp/.nft"
  done < "$tmp/.tables"
  mv "$tmp/.nft" "$tmp/nft.txt"
  unread=$unsaved
}

STATE='ip-addr.json ip-route.json ip6-route.json ip-rule.json ip6-rule.json ip-nexthop.json iptables-nft-save.txt iptables-legacy-save.txt
  ip6tables-nft-save.txt ip6tables-legacy-save.txt ipset-save.txt nft.txt'

state() {
  for file in $STATE; do rm -f "$tmp/$file"; done
  json ip-addr.json ip -j addr
  json ip-route.json ip -j route show table all
  json ip6-route.json ip -6 -j route show table all
  json ip-rule.json ip -j rule
  json ip6-rule.json ip -6 -j rule
  take ip-nexthop.json ip -j nexthop
  grep -q '[^][:space:][]' "$tmp/ip-nexthop.json" 2> /dev/null || rm -f "$tmp/ip-nexthop.json"
  unread=
  filter ''
  filter 6
  unsaved=$unread
  take ipset-save.txt ipset save
  native
}

# Each file without what counts or runs down; by what is left two readings are compared
marks() {
  for file in $STATE; do
    [ -e "$tmp/$file" ] || continue
    printf '%s ' "$file"
    sed -e '/^#/d' -e 's/^\[[0-9]*:[0-9]*\]//' -e 's/\[[0-9]*:[0-9]*\]$//' -e 's/packets [0-9]* bytes [0-9]*//g' -e 's/ timeout [0-9]*$//' \
      -e 's/ expires [0-9a-z]*//g' -e 's/"\(expires\|valid_life_time\|preferred_life_time\|used\|age\)": *[0-9]*//g' "$tmp/$file" | cksum
  done
}

# Twice, since rules of one moment and routes of another make a node that never was; the notes of the last reading count
steady() {
  state > /dev/null
  before=$(marks)
  for try in 1 2; do
    state > "$tmp/.notes"
    after=$(marks)
    [ "$before" = "$after" ] && break
    if [ $try = 2 ]; then
      changed=$(printf '%s\n' "$after" | while read -r mark; do
        case $before in *"$mark"*) ;; *) printf '%s ' "${mark%% *}" ;; esac
      done)
      note "$folder: changed while it was read, twice: $changed"
    fi
    before=$after
  done
  cat "$tmp/.notes"
}

# The names of the layout: iptables-save.txt is the variant in use, the other one is there if it has something
settle() {
  use=nft
  if ! [ -s "$tmp/iptables-nft-save.txt" ] && ! [ -s "$tmp/ip6tables-nft-save.txt" ]; then
    if [ -s "$tmp/iptables-legacy-save.txt" ] || [ -s "$tmp/ip6tables-legacy-save.txt" ]; then use=legacy; fi
  fi
  for tool in iptables ip6tables; do
    for variant in nft legacy; do
      one=$tmp/$tool-$variant-save.txt
      [ -e "$one" ] || continue
      # that a variant has no tables is an answer only beside nft's list
      if [ -s "$one" ] || { [ $variant$use = nftnft ] && [ -e "$tmp/nft.txt" ]; }; then
        if [ $variant = $use ]; then mv "$one" "$tmp/$tool-save.txt"; emit $tool-save.txt; else emit $tool-$variant-save.txt; fi
      fi
      rm -f "$one" "$tmp/$tool-save.txt"
    done
  done
  for file in $STATE; do
    case $file in *tables-*) ;; *) [ -e "$tmp/$file" ] && emit "$file" ;; esac
    rm -f "$tmp/$file"
  done
}

# --- one network namespace --------------------------------------------------------------------------------------------------------------------

# Settings that the walk asks for and those that explain them, read as files: sysctl(8) would read a thousand. `stable_secret` is none of them.
SYSCTL='cd /proc/sys && grep -s "" net/ipv4/ip_forward net/ipv4/ip_default_ttl net/ipv4/ip_local_port_range net/ipv4/ip_local_reserved_ports \
  net/ipv4/ip_no_pmtu_disc net/ipv4/ip_nonlocal_bind net/ipv4/tcp_mtu_probing net/ipv4/fib_multipath_hash_policy net/ipv6/fib_multipath_hash_policy \
  net/ipv4/icmp_errors_use_inbound_ifaddr net/ipv4/tcp_l3mdev_accept net/ipv4/udp_l3mdev_accept net/ipv6/bindv6only \
  net/ipv4/conf/*/forwarding net/ipv4/conf/*/rp_filter net/ipv4/conf/*/accept_local net/ipv4/conf/*/route_localnet net/ipv4/conf/*/src_valid_mark \
  net/ipv4/conf/*/proxy_arp net/ipv4/conf/*/proxy_arp_pvlan net/ipv4/conf/*/arp_ignore net/ipv4/conf/*/arp_announce net/ipv4/conf/*/arp_filter \
  net/ipv4/conf/*/send_redirects net/ipv4/conf/*/accept_redirects net/ipv4/conf/*/log_martians net/ipv4/conf/*/disable_policy \
  net/ipv4/conf/*/ignore_routes_with_linkdown net/ipv4/neigh/*/proxy_delay \
  net/ipv6/conf/*/forwarding net/ipv6/conf/*/force_forwarding net/ipv6/conf/*/proxy_ndp net/ipv6/conf/*/disable_ipv6 net/ipv6/conf/*/accept_ra \
  net/ipv6/conf/*/accept_dad net/ipv6/conf/*/hop_limit net/ipv6/conf/*/mtu net/ipv6/conf/*/ignore_routes_with_linkdown \
  net/netfilter/nf_conntrack_* net/bridge/bridge-nf-* net/ipv4/vs/* | sed -e "y#./#/.#" -e "s/:/ = /"'

# what both nodes and pods have, beside `state`
common() {
  json ip-link.json ip -d -j link && emit ip-link.json
  json ip-neigh.json ip -j neigh && emit ip-neigh.json
  take sysctl.txt sh -c "$SYSCTL"
  if [ -s "$tmp/sysctl.txt" ]; then emit sysctl.txt; else note "$folder/sysctl.txt: /proc/sys/net can't be read"; fi
  dump sockets.txt ss -Hlntu
}

balancer() {
  # asking ipvsadm would load the module
  [ -e /proc/net/ip_vs ] || return
  dump proc-ip_vs.txt cat /proc/net/ip_vs
  if ! find_tool ipvsadm; then
    if grep -q '^ *->  *[0-9A-F[]' "$tmp/proc-ip_vs.txt"; then note "$folder/ipvsadm-save.txt: there are virtual servers, and no ipvsadm"; fi
    return
  fi
  dump ipvsadm-save.txt ipvsadm-save -n
  dump ipvsadm.txt ipvsadm -Ln --nosort
  dump ipvsadm-thresholds.txt ipvsadm -Ln --thresholds
  dump ipvsadm-conn.txt ipvsadm -Lnc
}

# sh -c FILTER sh FILE ADDRESS…: what conntrack lists of these addresses; FILE is for its exit code
FILTER='code=$1; shift; rm -f "$code"
for address; do set -- "$@" -e "=$address "; shift; done
list() { conntrack -L "$@" || echo $? > "$code"; }
{ list; list -f ipv6; } | grep -F "$@"
[ ! -e "$code" ] || exit "$(cat "$code")"'

# more are not listed unasked: a list of them is hundreds of megabytes, and half of it tells nothing
MOST=400000

connections() {
  # conntrack would load the module
  count=$(cat /proc/sys/net/netfilter/nf_conntrack_count 2> /dev/null) || { note "$folder/conntrack.txt: the kernel tracks no connections"; return; }
  if [ -n "$tracked" ]; then
    dump conntrack.txt sh -c "$FILTER" sh "$tmp/.code" $tracked
    return
  fi
  [ "$count" -le $MOST ] || { note "$folder/conntrack.txt: left out, as there are $count connections, more than $MOST"; return; }
  take conntrack.txt conntrack -L || return
  take .six conntrack -L -f ipv6 || { rm -f "$tmp/conntrack.txt"; return; }
  cat "$tmp/.six" >> "$tmp/conntrack.txt"
  emit conntrack.txt
}

recent() {
  set -- /proc/net/xt_recent/*
  [ -e "$1" ] || return
  # with a second file, each gets its title
  take .recent head -n 100000 /dev/null "$@" || return
  sed '1,2d' "$tmp/.recent" > "$tmp/xt_recent.txt"
  emit xt_recent.txt
}

# keys are hidden by wg itself; whatever another program of that name prints is cut here
wireguard() {
  find_tool wg || return
  take wg-show.txt wg show || return
  sed -e 's/^\( *private key:\).*/\1 (hidden)/' -e 's/^\( *preshared key:\).*/\1 (hidden)/' "$tmp/wg-show.txt" > "$tmp/.wg"
  mv "$tmp/.wg" "$tmp/wg-show.txt"
  emit wg-show.txt
}

# The node's own, and calico-node's: it has a daemon for each family, and its client may be in its container only
bird() {
  for cli in birdcl birdc; do find_tool $cli && break; done
  if find_tool $cli; then
    for ctl in "$root/var/run/calico/bird.ctl" "$root/var/run/calico/bird6.ctl" "$root/run/bird/bird.ctl" "$root/var/run/bird.ctl"; do
      [ -S "$ctl" ] && sessions $cli -s "$ctl"
    done
  elif find_tool nsenter; then
    own=$(readlink "$proc/self/ns/mnt")
    for comm in $(grep -ls '^bird6*$' "$proc"/[0-9]*/comm); do
      there=${comm%comm}ns/mnt
      [ "$(readlink "$there" 2> /dev/null)" != "$own" ] || continue
      for ctl in bird.ctl bird6.ctl; do
        if nsenter --mount="$there" sh -c "[ -S /var/run/calico/$ctl ]" 2> /dev/null; then sessions nsenter --mount="$there" birdcl -s /var/run/calico/$ctl; fi
      done
      break
    done
  fi
  [ ! -s "$tmp/bird.txt" ] || emit bird.txt
}

# sessions CLIENT…: what it shows, without passwords, behind what there is
sessions() {
  take .bird "$@" show protocols all && sed '/[Pp]assword/d' "$tmp/.bird" >> "$tmp/bird.txt"
}

versions() {
  {
    echo "iptables backend in use: $use"
    for tool in iptables nft ipset ip conntrack ipvsadm; do
      find_tool $tool || continue
      case $tool in ip) flag=-V ;; *) flag=--version ;; esac
      limited "$found" $flag && sed -n 1p "$tmp/.out"
    done
    uname -r
  } > "$tmp/versions.txt"
  emit versions.txt
}

# --- pods -------------------------------------------------------------------------------------------------------------------------------------

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
  # collect-bare.sh, which makes do with less
  if command -v enough > /dev/null && ! enough; then bare; return; fi
  tmp=$(mktemp -d 2> /dev/null) || { tmp=/tmp/netctl-collect.$$; mkdir "$tmp" || exit 1; }
  trap clean EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 141' PIPE
  trap 'exit 143' TERM
  # busybox's was another one before 1.30
  timeout=
  if find_tool timeout && "$found" -s KILL 5 true 2> /dev/null; then timeout=$found; fi
  echo 'netctl-collect 1'
  collect
}

main
