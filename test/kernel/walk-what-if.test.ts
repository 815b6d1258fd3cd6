import { walkSuite } from '../support/netns-suite.ts'

walkSuite('what if: the walk through a changed dump, and the kernel after the same change', [
  {
    name: 'forwarding is switched off',
    families: [4],
    suppose: { sysctl: ['net.ipv4.ip_forward=0@n1'] },
    later: { n1: 'sysctl -qw net.ipv4.ip_forward=0' },
    flows: `
      n1 tcp $p2:80 = p2 $p2:80 < $n1
      p1 tcp $n1:80 = icmp 3/1 $p1
      p1 tcp $p2:80 = icmp 3/1 $p1
      ext tcp $p1:80 = dropped
      n1 tcp $p1:80 = dropped`,
  },
  {
    name: 'forwarding is switched off for IPv6',
    families: [6],
    suppose: { sysctl: ['net.ipv6.conf.all.forwarding=0@n1'] },
    later: { n1: 'sysctl -qw net.ipv6.conf.all.forwarding=0' },
    flows: `
      p1 tcp $n1:80 = n1 $n1:80 < $p1
      p1 tcp $p2:80 = dropped
      ext tcp $p1:80 = dropped`,
  },
  {
    name: 'forwarding of one device, and reverse path filtering',
    families: [4],
    suppose: { sysctl: ['net.ipv4.conf.cali1.forwarding=0@n1', 'net.ipv4.conf.cali1.proxy_arp=1@n1', 'net.ipv4.conf.all.rp_filter=1@n2'] },
    sh: { n2: 'ip route replace $pods1 via $n1b dev eth1' },
    later: { n1: 'sysctl -qw net.ipv4.conf.cali1.forwarding=0', n2: 'sysctl -qw net.ipv4.conf.all.rp_filter=1' },
    flows: `
      p1 tcp $p3:80 = icmp 3/1 $p1
      p3 tcp $p2:80 = dropped
      n1 tcp $n2:80 = n2 $n2:80 < $n1`,
  },
  {
    name: 'rules are taken away',
    rules: {
      n1: `filter -A FORWARD -p tcp -m tcp --dport 80 -j DROP
      filter -A FORWARD -p tcp -m tcp --dport 81 -j REJECT
      filter -A FORWARD -p tcp -m tcp --dport 81:7000 -j DROP
      nat -A PREROUTING -d $svc/{32|128} -p tcp -j DNAT --to-destination $p2
      nat -A PREROUTING -d $svc/{32|128} -p tcp -j DNAT --to-destination $p3`,
    },
    suppose: {
      withoutRule: [
        'n1:{iptables|ip6tables}:filter:FORWARD:1',
        'n1:{iptables|ip6tables}:filter:FORWARD:2',
        'n1:{iptables|ip6tables}:nat:PREROUTING:1',
      ],
    },
    later: {
      n1: `for t in nft legacy; do
        {iptables|ip6tables}-$t -S FORWARD | grep -q 'dport 80 ' || continue
        {iptables|ip6tables}-$t -D FORWARD 2
        {iptables|ip6tables}-$t -D FORWARD 1
        {iptables|ip6tables}-$t -t nat -D PREROUTING 1
      done`,
    },
    flows: `
      p1 tcp $p2:80 = p2 $p2:80 < $p1
      p1 tcp $p2:81 = dropped
      p1 tcp $svc:80 = p3 $p3:80 < $p1`,
  },
  {
    name: 'a node is off',
    rules: { n1: 'nat -A PREROUTING -d $svc/{32|128} -p tcp -j DNAT --to-destination $p2' },
    suppose: { nodeDown: ['n2'] },
    later: { n2: 'ip link set eth0 down; ip link set eth1 down; ip link set cali2 down' },
    flows: `
      p1 tcp $p2:80 = icmp 3/1 $n1
      p1 tcp $svc:80 = icmp 3/1 $svc
      n1 tcp $n2:80 = icmp 3/1 $n1
      ext tcp $p2:80 = icmp 3/1 $ext
      ext udp $n2:53 = icmp 3/1 $ext
      p2 tcp $p1:80 = dropped
      p1 tcp $p3:80 = p3 $p3:80 < $p1`,
  },
])
