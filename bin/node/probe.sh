# Sends probes from a node and its pods for `netctl trace --verify`: docs/verify.md. Needs tools.sh, spaces.sh, and from src/verify/scripts.ts what is to be
# sent: seconds  spaces: as for watch.sh  probes: a space and a line for probe.pl  perl_prober, python_prober: those. Its output is for
# src/verify/read-probes.ts.

# probes of one space that can't be sent
unsent() { sed -n "s/^$n \([^ ]*\) .*/result \1 - - 0 failed $*/p" "$tmp/probes"; }

probe_space() {
  enter "$kind" "$pod" > "$tmp/why" || { unsent "$(sed -n '1s/[^ a-zA-Z0-9_.-]//g; 1s/^note //p' "$tmp/why")"; return; }
  [ -n "$sender" ] || { unsent 'there is neither perl nor python3 to send it with: a --pod-image that has one brings it, and --catch needs none'; return; }
  sed -n "s/^$n //p" "$tmp/probes" > "$tmp/probes.$n"
  $limiting $in $sender < "$tmp/probes.$n" 2> "$tmp/why.$n" &
  senders="$senders $!"
  [ $((n % 4)) != 3 ] || wait
}

# What sends, in $sender: the node's perl or python3, else that of the image by whose pod we came (its root is where TMPDIR is), with its own libraries
find_sender() {
  sender=
  if find_tool perl; then sender="$found $tmp/probe.pl"; return; fi
  if find_tool python3; then sender="$found $tmp/probe.py"; return; fi
  case ${TMPDIR-} in /proc/[0-9]*/root/*) ;; *) return ;; esac
  image=${TMPDIR#/proc/} image=/proc/${image%%/*}/root
  find_tool chroot || return
  for way in perl:probe.pl python3:probe.py; do
    tool=$("$found" "$image" sh -c "command -v ${way%:*}" 2> /dev/null) || continue
    sender="$found $image $tool ${tmp#"$image"}/${way#*:}"
    return
  done
}

# Four spaces at a time, each with a few probes
probe() {
  tmp=$(mktemp -d) || exit 1
  senders=
  trap 'kill $senders 2> /dev/null; rm -rf "$tmp"' EXIT
  trap 'exit 141' HUP INT PIPE TERM
  echo 'netctl-probe 1'
  spaces > "$tmp/spaces"; probes > "$tmp/probes"; perl_prober > "$tmp/probe.pl"; python_prober > "$tmp/probe.py"
  find_timeout
  limiting=${timeout:+$timeout $seconds}
  find_sender
  each probe_space spaces
  wait
  for why in "$tmp"/why.*; do [ ! -s "$why" ] || note "$sender: $(grep -v '^ ' "$why" | tail -n 1)"; done
  echo end
}
