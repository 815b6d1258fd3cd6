# Watches chosen packets on one node for `netctl trace --verify`: docs/verify.md. Needs tools.sh, spaces.sh, arm.sh, and from src/verify/scripts.ts what is
# to be watched: id seconds  spaces: `0 node`, `1 pod NAMESPACE_NAME`, one a line  rules: text for nft  elements: what begins the watch
# patterns: for grep -F on events of conntrack. Its output is for src/verify/read-watch.ts.

# more of one kind in one namespace is not read
most=16777216
tab=$(printf '\t')

# part KIND SPACE FILE: a piece of what has been seen
part() {
  size=$(($(wc -c < "$3")))
  [ $size = 0 ] || { printf 'part %s %d %d\n' "$1" "$2" $size; cat "$3"; echo; }
}

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
  find_timeout
  limiting=${timeout:+$timeout $((seconds + 60))}
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
