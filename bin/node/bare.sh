# Reads a node in containers that carry less than a node does (docs/snapshot.md, "Collecting"). Where nothing lacks, nothing of this is used.

# calico-node's image has coreutils as one program, and few of its names
if command -v coreutils > /dev/null; then
  for one in cut tr cksum mv rm ls wc uname id mktemp head readlink; do
    command -v $one > /dev/null || eval "$one() { coreutils --coreutils-prog=$one \"\$@\"; }"
  done
fi

# busybox may come without; two readings are compared all the same
command -v cksum > /dev/null || cksum() { if command -v md5sum > /dev/null; then md5sum; else tr '\n' ' '; fi; }

# enough: is there what the rest needs?
enough() {
  for one in sed grep cat wc tr cut mv rm ls readlink uname id; do command -v $one > /dev/null || return 1; done
  command -v mktemp > /dev/null || command -v mkdir > /dev/null
}

# --- with a shell, cat and grep: kube-proxy's image ---------------------------------------------------------------------------------------------
# What is read is kept in variables: nothing there could remove a temporary file. A command can't be given a limit, the node's own time is one.

nl='
'
notes=

say() { notes=$notes"note node$1$nl"; }

# run COMMAND…: its output in $out, the first line of what it complains in $err
run() {
  both=$({ err=$(exec "$@" 2>&1 >&3 3>&- < /dev/null); code=$?; printf '\nnetctl %d %s' $code "${err%%"$nl"*}"; } 3>&1)
  out=${both%"$nl"netctl*}
  err=${both##*"$nl"netctl } code=${err%% *} err=${err#* }
  return "$code"
}

# read_by FILE COMMAND…: run, or say why it can't be had
read_by() {
  file=$1 tool=$2; shift
  if ! find_tool "$tool"; then say "/$file: there is no $tool"; return 1; fi
  run "$@" || { say "/$file: $tool failed: exit $code: $err"; return 1; }
  case $err in '' | *'tables-legacy tables present'* | *'flow entries have been shown'*) ;; *) say "/$file: $tool said: $err" ;; esac
}

# give FILE TEXT
give() { printf 'file node/%s %d\n%s\n' "$1" "${#2}" "$2"; }

# Of a family (``, 6): $nft and $legacy, what the two variants save; fails if not all can be read
family_saved() {
  nft= legacy=
  for variant in nft legacy; do
    save=$(saver ip$1tables $variant)
    if [ -n "$save" ]; then
      read_by "ip$1tables-$variant-save.txt" "$save" -c || { say "/ip$1tables-save.txt: left out, as not all of ip$1tables's rules could be read"; return 1; }
      eval "$variant=\$out"
    elif [ $variant = legacy ] && [ -n "$(cat /proc/net/ip$1_tables_names 2> /dev/null)" ]; then
      say "/ip$1tables-save.txt: left out, as there are tables of iptables-legacy, and no ip$1tables-legacy-save to read them"
      return 1
    fi
  done
}

# $rules: nft's native tables, and of iptables-nft's the heading; $stateless: the former without counters
native_tables() {
  rules= stateless=
  read_by nft.txt nft list tables || return
  tables=$out
  while read -r word family table rest; do
    [ "$word" = table ] || continue
    case $family in ip) dump=$nft4 ;; ip6) dump=$nft6 ;; *) dump= ;; esac
    case $nl$dump in
      *"$nl# Table "?"$table' "*incompatible*) ;;
      *"$nl*$table$nl"*) rules=$rules"table $family $table {$nl}$nl"; continue ;;
    esac
    case $table in *[!A-Za-z0-9_.-]* | '') say '/nft.txt: left out, as a table has an odd name'; return 1 ;; esac
    read_by nft.txt nft list table "$family" "$table" || return
    rules=$rules$out
    read_by nft.txt nft -s list table "$family" "$table" || return
    stateless=$stateless$out
  done <<.
$tables
.
}

# Everything that must be of one moment
bare_state() {
  notes= has4= has6= has_sets= has_nft=
  nft4= nft6= legacy4= legacy6= sets=
  family_saved '' && has4=yes nft4=$nft legacy4=$legacy
  family_saved 6 && has6=yes nft6=$nft legacy6=$legacy
  read_by ipset-save.txt ipset save && has_sets=yes sets=$out
  native_tables && has_nft=yes
}

# What is left without what counts, runs down, or tells the time; by grep, since a shell reads byte by byte
still() {
  printf '%s' "$nft4$nft6$legacy4$legacy6" | grep -o -e '-A .*' -e '^:[^[]*' -e '^[*].*'
  printf '%s' "$sets" | grep -v ' timeout '
  printf '%s' "$stateless" | grep -v ' expires '
}

bare_steady() {
  before=
  for try in 1 2 3; do
    bare_state
    after=$(still)
    [ "$before" = "$after" ] && return
    [ $try != 3 ] || say ': changed while it was read, twice'
    before=$after
  done
}

# give_family TOOL NFT LEGACY: under the layout's names
give_family() {
  case $use in nft) other=$3 name=legacy main=$2 ;; legacy) other=$2 name=nft main=$3 ;; esac
  # that a variant has no tables is an answer only beside nft's list
  if [ -n "$main" ] || { [ $use = nft ] && [ -n "$has_nft" ]; }; then give "$1-save.txt" "$main"; fi
  [ -z "$other" ] || give "$1-$name-save.txt" "$other"
}

# Settings as sysctl(8) names them: dots for slashes, and slashes for dots
settings() {
  while IFS= read -r line; do
    key=${line%%:*} named=
    while :; do
      case $key in
        *[./]*) word=${key%%[./]*} rest=${key#"${key%%[./]*}"} ;;
        *) break ;;
      esac
      case $rest in /*) named=$named$word. ;; *) named=$named$word/ ;; esac
      key=${rest#?}
    done
    printf '%s = %s\n' "$named$key" "${line#*:}"
  done
}

# as `recent` reads them
recent_lists() {
  [ -e /proc/net/xt_recent ] || return
  lists=
  for list in /proc/net/xt_recent/*; do
    [ ! -e "$list" ] || lists="$lists==> $list <==$nl$(cat "$list")$nl"
  done
  [ -n "$lists" ] || return
  give xt_recent.txt "$lists"
  began=
  while read -r line; do
    case $line in
      'now at '*) began=$line ;;
      'jiffies: '*) give jiffies.txt "$began$nl$line$nl"; return ;;
    esac
  done < /proc/timer_list
  say "/jiffies.txt: /proc/timer_list can't be read"
}

bare() {
  echo 'netctl-collect 1'
  read -r host < /proc/sys/kernel/hostname
  printf 'node %s\n' "${node:-$host}"
  bare_steady
  use=nft
  [ -n "$nft4$nft6" ] || [ -z "$legacy4$legacy6" ] || use=legacy
  [ -z "$has4" ] || give_family iptables "$nft4" "$legacy4"
  [ -z "$has6" ] || give_family ip6tables "$nft6" "$legacy6"
  [ -z "$has_sets" ] || give ipset-save.txt "$sets"
  [ -z "$has_nft" ] || give nft.txt "$rules"
  # with a pipe at its end that this has no program for
  give sysctl.txt "$(sh -c "${SYSCTL%|*}" < /dev/null | settings)$nl"
  if [ -e /proc/net/nf_conntrack ]; then connections=$(cat /proc/net/nf_conntrack); give conntrack.txt "${connections:+$connections$nl}"; else say '/conntrack.txt: there is no conntrack'; fi
  if [ -e /proc/net/ip_vs ]; then
    servers=$(cat /proc/net/ip_vs)
    give proc-ip_vs.txt "$servers$nl"
    case $servers in *'  -> '[0-9A-F[]*) say '/ipvsadm-save.txt: there are virtual servers, and no ipvsadm' ;; esac
  fi
  recent_lists
  give versions.txt "iptables backend in use: $use$nl$(cat /proc/sys/kernel/osrelease)$nl"
  for file in ip-addr.json ip-route.json ip6-route.json ip-rule.json ip6-rule.json ip-link.json ip-neigh.json; do say "/$file: there is no ip"; done
  say '/bridge-fdb.json: there is no bridge'
  say '/sockets.txt: there is no ss'
  printf '%s' "$notes"
  echo end
}
