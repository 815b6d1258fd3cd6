# Files of the stream that the collector prints (src/snapshot/collect/stream.ts reads it): each is what one command said.

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
