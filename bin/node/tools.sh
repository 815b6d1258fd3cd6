# What every script for nodes begins with: its arguments, finding a node's tools, and running them within a time.
#     [SECONDS-PER-COMMAND [NODE [ROOT [POD... | connections/ADDRESS...]]]]
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

note() { printf 'note %s\n' "$(printf '%s' "$*" | tr '\n' ' ' | cut -c1-400)"; }

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

# Where `timeout` is, in $timeout; busybox's was another one before 1.30
find_timeout() {
  timeout=
  if find_tool timeout && "$found" -s KILL 5 true 2> /dev/null; then timeout=$found; fi
}

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
