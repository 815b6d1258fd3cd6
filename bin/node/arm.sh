# Arming a network namespace: a table of our own that has packets traced, and those who listen. Others' tables are not touched. Whatever happens to this
# shell, what it put there goes away: the table is owned by a process (nft(8), `owner`), or else deleted by one that waits for that; and its elements end
# by themselves.

table=netctl_verify_$id

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
