/** What random networks (test/fuzz) found the walk to have wrong, as small as it got. */
import { walkSuite } from '../support/netns-suite.ts'

walkSuite('the walk and the kernel: found by the fuzz', [
  {
    name: 'NETMAP of what a host sends to itself',
    rules: { p1: 'nat -A POSTROUTING -s $p1 -j NETMAP --to {10.250.0.0/16|fd25::/16}' },
    flows: 'p1 tcp $p1:80 = p1 $p1:80 < {10.250.1.2|fd25:1::2}',
  },
  {
    name: 'the packet after the SYN: a reset is heard, an ICMP error is got over',
    rules: {
      p2: `filter -A INPUT -p tcp -m tcp --dport 80 -m conntrack --ctstate ESTABLISHED -j REJECT --reject-with tcp-reset
      filter -A INPUT -p tcp -m tcp --dport 81 -m conntrack --ctstate ESTABLISHED -j REJECT --reject-with icmp-port-unreachable`,
    },
    flows: `
      p1 tcp $p2:80 = rst
      p1 tcp $p2:81 = dropped`,
  },
  {
    name: 'a packet after the SYN that comes in another name is reset',
    rules: {
      n1: `raw -A PREROUTING -p tcp -m tcp --tcp-flags SYN SYN -j NOTRACK
      nat -A POSTROUTING -o cali3 -p tcp -j MASQUERADE`,
    },
    flows: 'p1 tcp $p3:80 = rst',
  },
  {
    name: 'the loopback address does not get from one host to another (random clusters)',
    flows: `
      n1@{127.0.0.1|::1} tcp $n2:80 = {errno EINVAL|dropped}
      n1@{127.0.0.1|::1} udp $p2:53 = {errno EINVAL|dropped}
      n1@{127.0.0.1|::1} tcp $n1:80 = ok`,
  },
  {
    name: 'a port that is closed: the error takes over no entry',
    rules: { p2: 'raw -A OUTPUT -p icmp -m conntrack --ctstate RELATED -j DROP\nnat -A OUTPUT -p icmp -j ACCEPT' },
    flows: 'p1 udp $p2:99 = icmp 3/3 $p2',
  },
  {
    name: 'a host that does not forward says that it knows no way, in IPv6',
    families: [6],
    sh: {
      n2: 'sysctl -qw net.ipv6.conf.all.forwarding=0; ip -6 route del default',
      ext: 'ip -6 route add fd99::1 via fd18::12',
    },
    flows: 'ext udp [fd99::1]:53 = icmp 1/0 $n2',
  },
  {
    name: 'arp_ignore 2: no answer to askers outside the subnet',
    families: [4],
    sh: { p1: 'sysctl -qw net.ipv4.conf.eth0.arp_ignore=2' },
    flows: 'ext udp $p1:53 = icmp 3/1 $n1',
  },
  {
    name: 'addrtype: a list is any of its types in IPv4, all that it demands in IPv6',
    rules: { n1: 'filter -A FORWARD -p tcp -m addrtype --dst-type LOCAL,UNICAST -j DROP' },
    flows: 'p1 tcp $p2:80 = {dropped|p2 $p2:80 < $p1}',
  },
  {
    name: 'the socket that the kernel sends ICMP by',
    rules: { n1: 'filter -A OUTPUT -p icmp -m owner ! --socket-exists -j DROP' },
    flows: 'p1 udp $n1:99 = icmp 3/3 $n1',
  },
  {
    name: 'a ping that masquerading numbers anew: answers and errors find back, but only one round of a loop',
    sh: { ext: 'sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1' },
    rules: { n1: 'nat -A POSTROUTING -o eth0 -j MASQUERADE --random' },
    flows: `
      p1 icmp $ext = ok
      p1 icmp $svc = dropped
      n1 icmp $svc = dropped`,
  },
  {
    name: 'a ping that comes round under the address that it was masqueraded with gets another identifier',
    sh: { ext: 'sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1' },
    rules: { n1: 'nat -A POSTROUTING -o eth0 -j MASQUERADE' },
    flows: `
      p1 icmp $svc = dropped
      n1 icmp $svc = {dropped|icmp 11/0 $n1}`,
  },
  {
    name: 'DNAT that numbers a ping anew: the answer finds back, but not beyond a masquerading of the same host',
    sh: { ext: 'sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1' },
    rules: {
      n1: 'nat -A PREROUTING -i eth0 -d $svc -j DNAT --to-destination $p3 --random\nnat -A POSTROUTING -j MASQUERADE --random',
    },
    flows: `
      ext icmp $svc = ok
      p1 icmp $svc = dropped
      n1 icmp $svc = dropped`,
  },
  {
    name: 'the socket that the kernel resets by: in IPv4, and not where a rule resets',
    rules: {
      n1: `filter -A OUTPUT -p tcp -m tcp --tcp-flags RST RST -m owner ! --socket-exists -j DROP
      filter -A INPUT -p tcp -m tcp --dport 81 -j REJECT --reject-with tcp-reset`,
    },
    flows: `
      p1 tcp $n1:99 = {rst|dropped}
      p1 tcp $n1:81 = dropped`,
  },
  {
    name: 'from the loopback address to another own one: no reset in IPv6',
    rules: { p1: 'nat -A OUTPUT -p tcp -d {127.0.0.1|::1} -j DNAT --to-destination $p1' },
    flows: `
      p1@{127.0.0.1|::1} tcp $p1:99 = {rst|dropped}
      p1 tcp {127.0.0.1:99|[::1]:99} = {rst|dropped}
      p1 tcp {127.0.0.1:80|[::1]:80} = ok
      p1@$p1 tcp {127.0.0.1:99|[::1]:99} = rst
      p1@{127.0.0.1|::1} udp $p1:99 = icmp 3/3 $p1
      ext@{127.0.0.1|::1} tcp $far:99 = rst`,
  },
  {
    name: 'what the server says first meets the tables as its SYN-ACK did not',
    rules: {
      p2: `filter -P OUTPUT DROP
      filter -A OUTPUT -p {icmp|ipv6-icmp} -j ACCEPT
      filter -A OUTPUT -p tcp -m tcp --sport 80 --tcp-flags SYN SYN -j ACCEPT
      filter -A OUTPUT -p tcp -m tcp --sport 81 -j ACCEPT`,
    },
    flows: `
      p1 tcp $p2:80 = dropped
      p1 tcp $p2:81 = p2 $p2:81 < $p1`,
  },
  {
    name: 'all packets of a connection take the same of several next hops',
    sh: {
      n1: 'sysctl -qw net.ipv{4|6}.fib_multipath_hash_policy=1\nip route replace $svc nexthop via $ext nexthop via $n2',
      ext: 'ip addr add $svc/{32|128} dev lo',
      n2: 'ip route replace blackhole $svc',
    },
    flows: 'p1 tcp x120 $svc:80 = ext $svc:80 < $p1 | dropped',
  },
  {
    name: 'an error about a packet that is not tracked is not untracked itself, and NOTRACK does not make it so',
    rules: {
      p1: `raw -A OUTPUT -j NOTRACK
      filter -A OUTPUT -m conntrack --ctstate UNTRACKED -j REJECT`,
      p2: `raw -A OUTPUT -p tcp -j NOTRACK
      filter -A OUTPUT -p {icmp|ipv6-icmp} -m conntrack --ctstate INVALID -j DROP
      filter -A OUTPUT -p tcp -m conntrack --ctstate UNTRACKED -j REJECT`,
    },
    flows: `
      p1 tcp $p2:80 = icmp 3/3 $p1
      p1 udp $p2:53 = icmp 3/3 $p1
      p2 tcp $p1:80 = dropped`,
  },
  {
    name: 'nor is a reset',
    rules: {
      n1: `raw -A PREROUTING -p tcp -j NOTRACK
      filter -A OUTPUT -p tcp -m tcp --sport 81 -m conntrack --ctstate INVALID -j DROP
      filter -A OUTPUT -p tcp -m tcp --sport 82 -m conntrack --ctstate UNTRACKED -j DROP
      filter -A FORWARD -p tcp -j REJECT --reject-with tcp-reset`,
    },
    flows: `
      p1 tcp $p2:80 = rst
      p1 tcp $p2:81 = dropped
      p1 tcp $p2:82 = rst`,
  },
  {
    name: 'notrack of nft makes the error about a packet that is not tracked untracked, too',
    nft: {
      p1: `table inet t {
        chain early {
          type filter hook output priority -300;
          notrack
        }
        chain late {
          type filter hook output priority 0;
          icmp type destination-unreachable ct state untracked drop
          meta l4proto { tcp, udp } ct state untracked reject
        }
      }`,
    },
    flows: 'p1 tcp $p2:80 = dropped',
  },
  {
    name: 'a ping is answered under any address of its sender, unless it is bound to one',
    sh: { n1: 'ip addr add {172.18.0.31/24|fd18::31/64} dev eth0{| nodad preferred_lft 0}' },
    rules: {
      n1: `raw -A PREROUTING -s $p1 -j CT --notrack
      nat -A POSTROUTING -d $p1 -j SNAT --to-source {172.18.0.31|fd18::31}`,
    },
    flows: `
      n1 icmp $p1 = ok
      n1@$n1 icmp $p1 = dropped
      n1@$n1 udp $p1:53 = dropped`,
  },
  {
    name: 'a packet whose TTL is raised on the way goes round for ever',
    sh: { ext: 'sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1' },
    rules: { n1: 'mangle -A FORWARD -d $svc -j {TTL --ttl-inc 5|HL --hl-inc 5}' },
    flows: 'p1 udp $svc:53 = dropped',
  },
  {
    name: 'what the server says first is a connection of its own where its SYN-ACK belonged to none',
    rules: { n1: 'raw -A PREROUTING -p tcp -j NOTRACK\nnat -A POSTROUTING -p tcp -j SNAT --to-source {10.9.9.9|fd99::9}' },
    flows: 'ext tcp $n1:80 = dropped',
  },
])
