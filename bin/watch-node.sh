# Watches chosen packets on one node for `netctl trace --verify`: docs/verify.md. What netctl sends is bin/collect-node.sh without its last line, for
# its functions; this file; functions that say what is to be watched, of netctl's own making:
#     id seconds  spaces: `0 node`, `1 pod NAMESPACE_NAME`, one a line  rules: text for nft  elements: what begins the watch  patterns: for grep -F on
#     events of conntrack  probes: a space and a line for bin/probe.pl  perl_prober, python_prober: those
# and a last line `watch`, `probe` or `stop`. Others' tables are not touched. Whatever happens to this shell, what it put there goes away: the table
# is owned by a process (nft(8), `owner`), or else deleted by one that waits for that; and its elements end by themselves.

table=netctl_verify_$id
# more of one kind in one namespace is not read
most=16777216
tab=$(printf '\t')

nap() { sleep 0.1 2> /dev/null || sleep 1; }

# part KIND SPACE FILE: a piece of what has been seen
part() {
  size=$(($(wc -c < "$3")))
  [ $size = 0 ] || { printf 'part %s %d %d\n' "$1" "$2" $size; cat "$3"; echo; }
}

# until LIMIT COMMAND…: ten times a second
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

# --- arming -----------------------------------------------------------------------------------------------------------------------------------

# undo COMMAND…: for when all is over, whoever notices; quiet: what ends the watchers, before that
undo() { printf '%s\n' "$*" >> "$tmp/undo"; }
quiet() { printf '%s\n' "$*" >> "$tmp/quiet"; }

there() { $in $nft list table inet "$table"; }
listens() { [ $(($($in grep -c "$1" /proc/net/netlink))) -gt "$2" ]; }

# of runs that ended without taking their table away: its elements have ended, and nobody guards it
stale() {
  $in $nft list tables 2> /dev/null | sed -n 's/^table inet \(netctl_verify_[a-z0-9]*\)$/\1/p' | while read -r old; do
    $in $nft list table inet "$old" | grep -q ' expires ' || grep -qs "netctl-verify-${old#netctl_verify_}" "$proc"/[0-9]*/cmdline || $in $nft delete table inet "$old"
  done 2> /dev/null
}

# The table lives as long as the socket of a process that we feed, and that ends with us. HOME: where it keeps what it was told.
owned() {
  {
    echo "include \"$tmp/rules\""
    while kill -0 $$ && ! [ -e "$tmp/begin" ]; do nap; done
    echo "include \"$tmp/elements\""
    while kill -0 $$; do sleep 1; done
  } 2> /dev/null | HOME=$tmp $limiting $in $nft -i > "$tmp/nft.$n" 2>&1 &
  holder=$!
  undo kill $holder
  until_so 100 there_or_ended || :
  there > /dev/null 2>&1
}
there_or_ended() { there || ! kill -0 $holder || grep -q Error "$tmp/nft.$n"; }

# Kernels before 5.12 and nft without a prompt: a table of nobody
orphan() {
  kill $holder
  sed 's/flags owner;//' "$tmp/rules" > "$tmp/rules.orphan"
  $in $nft -f "$tmp/rules.orphan" > "$tmp/nft.$n" 2>&1 || return 1
  undo $in $nft delete table inet "$table"
  echo "$n" >> "$tmp/orphans"
} 2> /dev/null

# begin: the tuples, when all listen; a table of nobody is filled from here
begin() {
  enter "$kind" "$pod" > /dev/null || return 0
  if grep -qs "^$n\$" "$tmp/orphans"; then $in $nft -f "$tmp/elements" > "$tmp/nft.$n" 2>&1; fi
  until_so 50 begun || note "$space: nft failed: $(grep Error "$tmp/nft.$n" | sed -n 1p)"
}
begun() { there | grep -q ' expires '; }

arm() {
  find_tool nft || { note "$space: there is no nft, so no packet can be watched"; return 1; }
  nft=$found
  stale
  owned || orphan || { note "$space: nft failed: $(grep -v '^$' "$tmp/nft.$n" | sed -n 1p)"; return 1; }
}

# groups of netlink, in /proc/net/netlink: NFNLGRP_NFTRACE is 9, that of new connections 1 (nfnetlink_compat.h)
socket='^[^ ]* *12 *[0-9]* *'
traces="$socket[0-9a-f]\{5\}[13579bdf]"
events="$socket[0-9a-f]\{7\}[13579bdf]"

watch_packets() {
  before=$(($($in grep -c "$traces" /proc/net/netlink)))
  $limiting $in $nft -a monitor trace > "$tmp/trace.$n" 2> "$tmp/trace.$n.err" < /dev/null &
  quiet kill $!
  readers="$readers $!"
  # it reads all rules first
  until_so 300 listens "$traces" $before || note "$space: nft monitor does not listen: $(sed -n 1p "$tmp/trace.$n.err")"
}

watch_connections() {
  # conntrack would load the module
  [ -e /proc/sys/net/netfilter/nf_conntrack_count ] || { note "$space: the kernel tracks no connections"; return; }
  find_tool conntrack || { note "$space: there is no conntrack, so translations are seen by headers only"; return; }
  [ "$($in cat /proc/sys/net/netfilter/nf_conntrack_events 2> /dev/null)" != 0 ] || note "$space: nf_conntrack_events is 0: connections give no events"
  before=$(($($in grep -c "$events" /proc/net/netlink))) conntrack=$found
  {
    $limiting $in "$conntrack" -E -e NEW -b 16777216 2> "$tmp/events.$n.err" < /dev/null &
    quiet kill $!
    wait
  } | grep $buffering -F -f "$tmp/patterns" > "$tmp/events.$n" &
  readers="$readers $!"
  until_so 50 listens "$events" $before || note "$space: conntrack does not listen: $(grep -v NOTICE "$tmp/events.$n.err" | sed -n 1p)"
}

# rules of iptables-legacy: nothing of them is traced
legacy() {
  for family in 4 6; do
    six=; [ $family = 4 ] || six=6
    [ -n "$($in cat /proc/net/ip${six}_tables_names 2> /dev/null)" ] || continue
    if find_tool ip${six}tables-legacy-save && ! $in "$found" 2> /dev/null | grep -q '^-A'; then continue; fi
    echo "legacy $n $family"
  done
}

# --- the run ----------------------------------------------------------------------------------------------------------------------------------

# new FILE KIND: what has come since the last time
new() {
  [ -e "$tmp/$1" ] || return 0
  size=$(($(wc -c < "$tmp/$1"))) told=$(cat "$tmp/$1.told" 2> /dev/null)
  [ $size -gt "${told:=0}" ] || return 0
  if [ $size -gt $most ]; then echo "lost $n"; return 0; fi
  tail -c +$((told + 1)) "$tmp/$1" > "$tmp/new"
  part "$2" "$n" "$tmp/new"
  echo $((told + $(wc -c < "$tmp/new"))) > "$tmp/$1.told"
}

each() {
  while read -r n kind pod <&4; do
    space="${pod:-node}"
    "$1"
  done 4< "$tmp/$2"
}

news() { new "trace.$n" trace; new "events.$n" events; }

# After the last packet: the rules of the chains that were passed, by handle and in order, and how many packets there were
close_space() {
  news
  ! grep -qs 'lost some netlink' "$tmp/trace.$n.err" "$tmp/trace.$n" || echo "lost $n"
  enter "$kind" "$pod" || return 0
  if grep -qs ENOBUFS "$tmp/events.$n.err"; then
    note "$space: more new connections than conntrack could tell: some may be missing"
    # what is still there
    for family in ipv4 ipv6; do $in "$conntrack" -L -f $family; done 2> /dev/null | grep -F -f "$tmp/patterns" | sed 's/^/ [NEW] /' > "$tmp/new"
    part events "$n" "$tmp/new"
  fi
  sed -n 's/^trace id [0-9a-f]* \([a-z0-9]* [A-Za-z0-9_.-]* [A-Za-z0-9_.-]*\) rule .*/\1/p' "$tmp/trace.$n" | sort -u | grep -v " $table " | head -n 200 |
    while read -r family of chain; do
      printf '%s %s %s' "$family" "$of" "$chain"
      limited $in $nft -a list chain "$family" "$of" "$chain" && sed -n "s/^$tab$tab.* # handle \([0-9]*\)\$/ \1/p" "$tmp/.out" | tr -d '\n'
      echo
    done > "$tmp/new"
  part chains "$n" "$tmp/new"
  $in $nft list counters table inet "$table" > "$tmp/new" 2> /dev/null
  part counters "$n" "$tmp/new"
}

gone() {
  enter "$kind" "$pod" > /dev/null || return 0
  until_so 20 not_there || { note "$space: table $table is still there"; left_behind=yes; }
}
not_there() { ! there; }

# Nothing is left in the sockets of those who listen: the column behind the groups
heard() {
  ! $in grep -e "$traces" -e "$events" /proc/net/netlink | grep -qv -e "$traces[0-9a-f]* *0 " -e "$events *0 "
}
settle() { enter "$kind" "$pod" > /dev/null || return 0; until_so 50 heard || :; }

# Someone must notice if this shell is killed: `sh -c … netctl-verify-ID`, which `stop` looks for as well
guard='trap "" HUP INT TERM
  tmp=$1 main=$2 left=$3
  while [ "$left" -gt 0 ] && kill -0 "$main"; do sleep 1; left=$((left - 1)); done
  [ "$left" -gt 0 ] || kill -9 "$main"
  . "$tmp/quiet"
  . "$tmp/undo"
  # who was started, and not written down any more
  for file in $(grep -ls "NETCTL_VERIFY=$NETCTL_VERIFY" /proc/[0-9]*/environ); do
    pid=${file#/proc/} pid=${pid%/environ}
    [ "$pid" = $$ ] || kill "$pid"
  done
  rm -rf "$tmp"'

watch() {
  tmp=$(mktemp -d) || exit 1
  : > "$tmp/undo"; : > "$tmp/quiet"; : > "$tmp/armed"
  NETCTL_VERIFY=$id
  export NETCTL_VERIFY
  sh -c "$guard" "netctl-verify-$id" "$tmp" $$ $((seconds + 60)) > /dev/null 2>&1 < /dev/null &
  guardian=$!
  ended= readers=
  trap 'disarm; rm -rf "$tmp"; kill -9 $guardian 2> /dev/null' EXIT
  # a broken pipe too: nobody hears any more
  trap 'exit 141' PIPE
  trap 'ended=yes' HUP INT TERM
  find_tool nft && nft=$found
  timeout= limiting=
  if find_tool timeout && "$found" -s KILL 5 true 2> /dev/null; then timeout=$found limiting="$found $((seconds + 60))"; fi
  buffering=
  if echo | grep --line-buffered '' > /dev/null 2>&1; then buffering=--line-buffered; fi
  # exec by the API server: that nobody hears any more is not told by what we print, but by what we read
  exec 5<&0
  cat <&5 > /dev/null 2>&1 &
  reader=$!
  quiet kill $reader
  echo 'netctl-watch 1'
  [ "$(id -u)" = 0 ] || note 'not root'
  rules > "$tmp/rules"
  elements > "$tmp/elements"
  patterns > "$tmp/patterns"
  spaces > "$tmp/spaces"
  each start spaces
  : > "$tmp/begin"
  each begin armed
  if [ -s "$tmp/armed" ]; then echo armed; else ended=yes; fi
  kill -0 $reader 2> /dev/null || reader=
  left=$seconds
  while [ "$left" -gt 0 ] && [ -z "$ended" ]; do
    sleep 1 &
    wait $!
    left=$((left - 1))
    each news armed
    echo beat || exit 141
    [ -z "$reader" ] || kill -0 $reader 2> /dev/null || ended=yes
  done
  each settle armed
  nap
  # grep may keep its last lines until then
  silence
  each close_space armed
  disarm
  left_behind=
  each gone armed
  [ -n "$left_behind" ] || echo disarmed
  echo end
  # the rest of what stood on standard input has been read
  exit 0
}

start() {
  enter "$kind" "$pod" || return 0
  arm || return 0
  echo "$n $kind $pod" >> "$tmp/armed"
  watch_packets
  watch_connections
  legacy
}

silence() {
  . "$tmp/quiet"
  : > "$tmp/quiet"
  # without any it would wait for the guard
  [ -z "$readers" ] || wait $readers
} 2> /dev/null

disarm() {
  silence
  . "$tmp/undo"
  : > "$tmp/undo"
} 2> /dev/null

# --- the other runs ---------------------------------------------------------------------------------------------------------------------------

# Ends the watch of this id on this node, if there is one
stop() {
  for file in $(grep -ls "netctl-verify-$id" "$proc"/[0-9]*/cmdline); do
    # it may have ended since
    { tr '\0' '\n' < "$file" | grep -q "^netctl-verify-$id\$" && kill $(($(sed -n 's/^PPid:[^0-9]*//p' "${file%cmdline}status"))); } 2> /dev/null
  done
  find_tool nft || exit 0
  nft=$found in=
  until_so 100 not_there && echo disarmed
}

# probes of one space that can't be sent
unsent() { sed -n "s/^$n \([^ ]*\) .*/result \1 - - 0 failed $*/p" "$tmp/probes"; }

probe_space() {
  enter "$kind" "$pod" > "$tmp/why" || { unsent "$(sed -n '1s/[^ a-zA-Z0-9_.-]//g; 1s/^note //p' "$tmp/why")"; return; }
  [ -n "$sender" ] || { unsent 'there is neither perl nor python3 to send it with'; return; }
  sed -n "s/^$n //p" "$tmp/probes" > "$tmp/probes.$n"
  $limiting $in $sender < "$tmp/probes.$n" 2> "$tmp/why.$n" &
  senders="$senders $!"
  [ $((n % 4)) != 3 ] || wait
}

# Four spaces at a time, each with a few probes
probe() {
  tmp=$(mktemp -d) || exit 1
  senders=
  trap 'kill $senders 2> /dev/null; rm -rf "$tmp"' EXIT
  trap 'exit 141' HUP INT PIPE TERM
  echo 'netctl-probe 1'
  spaces > "$tmp/spaces"; probes > "$tmp/probes"; perl_prober > "$tmp/probe.pl"; python_prober > "$tmp/probe.py"
  limiting=
  if find_tool timeout && "$found" -s KILL 5 true 2> /dev/null; then limiting="$found $seconds"; fi
  sender=
  if find_tool perl; then sender="$found $tmp/probe.pl"
  elif find_tool python3; then sender="$found $tmp/probe.py"
  fi
  each probe_space spaces
  wait
  for why in "$tmp"/why.*; do [ ! -s "$why" ] || note "$sender: $(grep -v '^ ' "$why" | tail -n 1)"; done
  echo end
}
