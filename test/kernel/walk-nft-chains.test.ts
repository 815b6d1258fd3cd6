import { walkSuite } from '../support/netns-suite.ts'

/** a base chain with rules, in a table of its own */
const chain = (table: string, name: string, type: string, hook: string, priority: string, rules: string, policy = 'accept') =>
  `table ${table} {
    chain ${name} {
      type ${type} hook ${hook} priority ${priority}; policy ${policy};
      ${rules}
    }
  }\n`

walkSuite('the walk and the kernel: base chains of nft', [
  {
    name: 'each base chain gives its own verdict, a drop is final',
    nft: {
      n1:
        chain('ip a', 'one', 'filter', 'forward', '-10', 'tcp dport 80 accept\ntcp dport 81 drop') +
        chain('ip b', 'two', 'filter', 'forward', '10', 'tcp dport 80 drop\ntcp dport 81 accept\ntcp dport 7000 accept', 'drop') +
        chain(
          'inet c',
          'three',
          'filter',
          'forward',
          '20',
          'tcp dport 7000 counter\nct state established,related accept\nudp dport 53 drop',
        ),
    },
    flows: `
      p1 tcp $p2:80 = dropped
      p1 tcp $p2:81 = dropped
      p1 tcp $p2:7000 = dropped
      p1 udp $p2:53 = dropped
      p1 tcp $n1:80 = n1 $n1:80 < $p1`,
  },
  {
    name: 'of equal priority the table that was made last comes first',
    nft: {
      n1:
        chain('ip a', 'ways', 'filter', 'forward', '0', 'tcp dport 80 reject\ntcp dport 81 drop\nudp dport 53 drop') +
        chain('ip b', 'ways', 'filter', 'forward', '0', 'tcp dport 80 drop\ntcp dport 81 reject\nudp dport 54 drop'),
    },
    flows: `
      p1 tcp $p2:80 = dropped
      p1 tcp $p2:81 = icmp 3/3 $n1
      p1 udp $p2:53 = dropped
      p1 udp $p2:54 = dropped
      p1 tcp $p2:7000 = p2 $p2:7000 < $p1`,
  },
  {
    name: 'of equal priority the chain that was made last comes first, within a table too',
    nft: {
      n1:
        chain('inet a', 'first', 'filter', 'forward', '0', 'tcp dport 80 reject') +
        chain('inet a', 'second', 'filter', 'forward', '0', 'tcp dport 80 drop'),
    },
    flows: `
      p1 tcp $p2:80 = dropped
      p1 tcp $p2:81 = p2 $p2:81 < $p1`,
  },
  {
    name: 'jump, goto, return, continue and the policy',
    nft: {
      n1: `table ip t {
        chain inner {
          tcp dport 82 return
          tcp dport { 80, 81 } continue
          tcp dport 7001 accept
        }
        chain outer {
          tcp dport 80 goto inner
          tcp dport 81 jump inner
          tcp dport 7001 jump inner
          tcp dport 81 accept
          tcp dport 80 accept
        }
        chain ways {
          type filter hook forward priority 0; policy drop;
          ct state established,related accept
          tcp dport 7000 return
          tcp dport 7002 goto inner
          jump outer
          tcp dport 80 accept
          tcp dport 7002 accept
          udp dport 53 accept
        }
      }`,
    },
    flows: `
      p1 tcp $p2:80 = p2 $p2:80 < $p1
      p1 tcp $p2:81 = p2 $p2:81 < $p1
      p1 tcp $p2:7000 = dropped
      p1 tcp $p2:7001 = p2 $p2:7001 < $p1
      p1 tcp $p2:7002 = dropped
      p1 udp $p2:53 = p2 $p2:53 < $p1
      p1 udp $p2:54 = dropped`,
  },
  {
    name: 'goto from a base chain ends at its policy',
    nft: {
      n1: `table ip t {
        chain inner { tcp dport 80 counter; }
        chain ways {
          type filter hook forward priority 0; policy accept;
          goto inner
          drop
        }
      }`,
    },
    flows: 'p1 tcp $p2:80 = p2 $p2:80 < $p1\np1 tcp $p2:81 = p2 $p2:81 < $p1',
  },
  {
    name: 'a dormant table does nothing, the other family’s neither',
    nft: {
      n1: `table ip t { flags dormant; chain f { type filter hook forward priority 0; policy drop; }; }
        table {ip6|ip} u { chain f { type filter hook forward priority 0; policy drop; }; }`,
    },
    flows: 'p1 tcp $p2:80 = p2 $p2:80 < $p1',
  },
  {
    name: 'native chains between the tables of iptables, by priority',
    nft: {
      n1:
        chain('ip x', 'early', 'filter', 'forward', '-1', 'meta mark 0x10 tcp dport 80 drop\nmeta mark set meta mark | 0x100') +
        chain('ip x', 'late', 'filter', 'forward', '1', 'meta mark & 0x3 == 0x3 tcp dport 81 drop\ntcp dport 7000 drop'),
    },
    rules: {
      n1: `mangle -A FORWARD -i cali1 -j MARK --set-xmark 0x10/0x10
      filter -A FORWARD -m mark --mark 0x110/0x110 -p tcp -m tcp --dport 81 -j MARK --set-xmark 0x3/0x3
      filter -A FORWARD -p tcp -m tcp --dport 7000 -j ACCEPT
      filter -A FORWARD -p tcp -m tcp --dport 7001 -j DROP`,
    },
    flows: `
      p1 tcp $p2:80 = dropped
      p3 tcp $p2:80 = p2 $p2:80 < $p3
      p1 tcp $p2:81 = dropped
      p3 tcp $p2:81 = p2 $p2:81 < $p3
      p1 tcp $p2:7000 = dropped
      p1 tcp $p2:7001 = dropped
      p1 tcp $p2:7002 = p2 $p2:7002 < $p1`,
  },
  {
    name: 'prerouting, input, output and postrouting',
    nft: {
      n1:
        chain('inet t', 'pre', 'filter', 'prerouting', '-310', 'tcp dport 80 iifname "cali1" drop\nct state invalid udp dport 53 drop') +
        chain('inet t', 'in', 'filter', 'input', '5', 'tcp dport 81 drop') +
        chain('inet t', 'out', 'filter', 'output', '5', 'ip daddr $p2 tcp dport 82 drop\nip daddr $p2 tcp dport 7002 reject') +
        chain('inet t', 'post', 'filter', 'postrouting', '200', 'oifname "eth0" tcp dport 7000 drop'),
    },
    flows: `
      p1 tcp $p2:80 = dropped
      p3 tcp $p2:80 = p2 $p2:80 < $p3
      p1 udp $p2:53 = dropped
      p1 tcp $n1:81 = dropped
      p1 tcp $p2:81 = p2 $p2:81 < $p1
      n1 tcp $p2:82 = dropped
      n1 tcp $p2:7002 = icmp 3/3 $n1
      p1 tcp $p2:7000 = dropped
      p1 tcp $p3:7000 = p3 $p3:7000 < $p1
      n1 tcp $p2:7000 = dropped`,
  },
  {
    name: 'ingress and egress of a device',
    nft: {
      n1: `table netdev d {
        chain in {
          type filter hook ingress device "cali1" priority 0; policy accept;
          tcp dport 80 drop
          ip daddr $p3 udp dport 53 drop
        }
        chain out {
          type filter hook egress device "eth0" priority 0; policy accept;
          tcp dport 81 drop
        }
      }
      table inet i {
        chain in {
          type filter hook ingress device "cali3" priority 0; policy accept;
          tcp dport 82 drop
        }
      }`,
    },
    flows: `
      p1 tcp $p2:80 = dropped
      p3 tcp $p2:80 = p2 $p2:80 < $p3
      p1 udp $p3:53 = dropped
      p1 udp $p2:53 = p2 $p2:53 < $p1
      p3 tcp $p2:81 = dropped
      p3 tcp $p1:81 = p1 $p1:81 < $p3
      p3 tcp $p2:82 = dropped
      p1 tcp $p2:7000 = p2 $p2:7000 < $p1`,
  },
])
