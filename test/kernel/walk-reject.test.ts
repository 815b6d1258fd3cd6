import { walkSuite } from '../support/netns-suite.ts'

const types = (chain: string, target: string) => `
  filter -A ${chain} ${target} -p tcp -m tcp --dport 80 -j REJECT --reject-with tcp-reset
  filter -A ${chain} ${target} -p tcp -m tcp --dport 81 -j REJECT --reject-with icmp-admin-prohibited
  filter -A ${chain} ${target} -p udp -m udp --dport 53 -j REJECT --reject-with icmp-host-unreachable
  filter -A ${chain} ${target} -p udp -m udp --dport 54 -j REJECT --reject-with icmp-net-unreachable
  filter -A ${chain} ${target} -p udp -m udp --dport 7000 -j REJECT --reject-with icmp-port-unreachable
  filter -A ${chain} ${target} -p udp -m udp --dport 7001 -j REJECT --reject-with {icmp-net-prohibited|icmp6-policy-fail}
  filter -A ${chain} ${target} -p udp -m udp --dport 7002 -j REJECT --reject-with {icmp-host-prohibited|icmp6-reject-route}
  filter -A ${chain} ${target} -p udp -m udp --dport 7003 -j REJECT --reject-with {icmp-proto-unreachable|icmp6-port-unreachable}`

const flows = (from: string, to: string, sender: string) => `
  ${from} tcp ${to}:80 = rst
  ${from} tcp ${to}:81 = icmp 3/13 ${sender}
  ${from} udp ${to}:53 = icmp 3/1 ${sender}
  ${from} udp ${to}:54 = icmp 3/0 ${sender}
  ${from} udp ${to}:7000 = icmp 3/3 ${sender}
  ${from} udp ${to}:7001 = icmp {3/9|1/5} ${sender}
  ${from} udp ${to}:7002 = icmp {3/10|1/6} ${sender}
  ${from} udp ${to}:7003 = icmp {3/2|1/4} ${sender}`

walkSuite('the walk and the kernel: REJECT and policies', [
  {
    name: 'REJECT in FORWARD',
    rules: { n2: types('FORWARD', '-d $p2') },
    flows: `${flows('p1', '$p2', '$n2')}\n${flows('ext', '$p2', '$n2')}`,
  },
  { name: 'REJECT in INPUT', rules: { n1: types('INPUT', '-d $n1') }, flows: flows('ext', '$n1', '$n1') },
  { name: 'REJECT in INPUT, asked from a pod', rules: { n1: types('INPUT', '-d $n1') }, flows: flows('p1', '$n1', '$n1') },
  // UDP: send() fails with EPERM and the error is queued as well
  { name: 'REJECT in OUTPUT', rules: { n1: types('OUTPUT', '-d $p2') }, flows: flows('n1', '$p2', '$n1') },
  {
    name: 'REJECT without a type, and in the answer',
    rules: {
      n1: `filter -A FORWARD -d $p3 -j REJECT
      filter -A FORWARD -s $p2 -d $p1 -j REJECT --reject-with icmp-admin-prohibited`,
    },
    flows: `
      p1 tcp $p3:80 = icmp 3/3 $n1
      p1 udp $p2:53 = dropped
      p1 tcp $p2:80 = dropped
      p1 icmp $p2 = dropped`,
  },
  {
    name: 'an error that policy drops is silence',
    rules: { n1: 'filter -A FORWARD -d $p1 -p icmp -j DROP\nfilter -A FORWARD -p tcp -d $p1 -m tcp --tcp-flags RST RST -j DROP' },
    flows: `
      p1 udp $p2:99 = dropped
      p1 tcp $p2:99 = dropped
      p1 udp $p2:53 = p2 $p2:53 < $p1`,
  },
  {
    name: 'policies',
    rules: {
      n1: `filter -P FORWARD DROP
      filter -P OUTPUT DROP
      filter -A FORWARD -d $p3 -j ACCEPT
      filter -A FORWARD -s $p3 -j ACCEPT
      {#|}filter -A OUTPUT -p ipv6-icmp -j ACCEPT
      filter -A OUTPUT -p tcp -d $p2 -j ACCEPT`,
      n2: 'filter -P INPUT DROP\n{#|}filter -A INPUT -p ipv6-icmp -j ACCEPT\nmangle -P POSTROUTING DROP\n{#|}mangle -A POSTROUTING -p ipv6-icmp -j ACCEPT\nmangle -A POSTROUTING -p tcp -j ACCEPT',
    },
    flows: `
      p1 tcp $p3:80 = p3 $p3:80 < $p1
      p1 tcp $p2:80 = dropped
      n1 tcp $p2:80 = p2 $p2:80 < $n1
      n1 udp $p2:53 = dropped
      p1 tcp $n1:80 = dropped
      ext tcp $n2:80 = dropped
      ext tcp $p2:80 = p2 $p2:80 < $ext
      ext udp $p2:53 = dropped`,
  },
  {
    name: 'legacy and nft on one hook: both can drop',
    rules: { n1: 'filter -A FORWARD -p tcp -m tcp --dport 80 -j DROP\nfilter -A FORWARD -j ACCEPT' },
    otherBackend: { n1: 'filter -A FORWARD -p tcp -m tcp --dport 81 -j DROP\nfilter -A FORWARD -j ACCEPT' },
    flows: `
      p1 tcp $p2:80 = dropped
      p1 tcp $p2:81 = dropped
      p1 tcp $p2:7000 = p2 $p2:7000 < $p1`,
  },
])
