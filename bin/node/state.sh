# What must be of one moment: routing and the packet filter.

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
