# What else is read of a network namespace, a node's or a pod's.

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
  # its times are by the kernel's clock; each CPU has a paragraph with that
  take jiffies.txt sed -n -e '/^now at /p' -e '/^jiffies: /{p;q;}' /proc/timer_list || return
  if [ -s "$tmp/jiffies.txt" ]; then emit jiffies.txt; else note "$folder/jiffies.txt: /proc/timer_list can't be read"; fi
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
