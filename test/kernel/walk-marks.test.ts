import { walkSuite } from '../support/netns-suite.ts'

walkSuite('the walk and the kernel: chains, marks and devices', [
  {
    name: 'goto comes back to the caller of the caller, jump to the caller',
    rules: {
      n1: `filter -N OUTER
      filter -N INNER
      filter -N AFTER
      filter -A FORWARD -i cali1 -j OUTER
      filter -A FORWARD -p tcp -m tcp --dport 80 -j DROP
      filter -A OUTER -p tcp -m tcp --dport 80 -g INNER
      filter -A OUTER -p tcp -m tcp --dport 81 -j INNER
      filter -A OUTER -p tcp -m tcp --dport 7000 -g AFTER
      filter -A OUTER -p tcp -m tcp --dport 7001 -j AFTER
      filter -A OUTER -p tcp -m tcp --dport 81 -j DROP
      filter -A OUTER -p tcp -m tcp --dport 7000 -j DROP
      filter -A OUTER -p tcp -m tcp --dport 7001 -j DROP
      filter -A INNER -p udp -j ACCEPT
      filter -A AFTER -p tcp -m tcp --dport 7000 -j RETURN
      filter -A AFTER -j RETURN`,
    },
    flows: `
      p1 tcp $p2:80 = dropped
      p1 tcp $p2:81 = dropped
      p1 tcp $p2:7000 = p2 $p2:7000 < $p1
      p1 tcp $p2:7001 = dropped`,
  },
  {
    name: 'RETURN in a base chain is its policy',
    rules: {
      n1: `filter -P FORWARD DROP
      filter -A FORWARD -p tcp -m tcp --dport 80 -j RETURN
      filter -A FORWARD -j ACCEPT`,
    },
    flows: `
      p1 tcp $p2:80 = dropped
      p1 tcp $p2:81 = p2 $p2:81 < $p1`,
  },
  {
    name: 'marks with the highest bits, and, or, xor',
    rules: {
      n1: `mangle -A PREROUTING -i cali1 -j MARK --set-xmark 0xfff00000/0xfff00000
      mangle -A PREROUTING -i cali1 -p tcp -m tcp --dport 81 -j MARK --and-mark 0x7fffffff
      mangle -A PREROUTING -i cali1 -p tcp -m tcp --dport 7000 -j MARK --xor-mark 0x80000001
      mangle -A PREROUTING -i cali1 -p tcp -m tcp --dport 7001 -j MARK --or-mark 0xf
      mangle -A PREROUTING -i cali1 -p tcp -m tcp --dport 7002 -j MARK --set-mark 0x5
      mangle -A PREROUTING -i cali1 -p tcp -m tcp --dport 7003 -j MARK --set-xmark 0x80000000/0x80000000
      mangle -A PREROUTING -i cali1 -p udp -j MARK --set-xmark 0x1/0x0
      filter -A FORWARD -p tcp -m tcp --dport 80 -m mark --mark 0x80000000/0x80000000 -j DROP
      filter -A FORWARD -p tcp -m tcp --dport 81 -m mark --mark 0x80000000/0x80000000 -j DROP
      filter -A FORWARD -p tcp -m tcp --dport 7000 -m mark --mark 0x7ff00001 -j DROP
      filter -A FORWARD -p tcp -m tcp --dport 7001 -m mark ! --mark 0xfff0000f -j DROP
      filter -A FORWARD -p tcp -m tcp --dport 7002 -m mark --mark 0x5 -j DROP
      filter -A FORWARD -p tcp -m tcp --dport 7003 -m mark --mark 0xfff00000 -j DROP
      filter -A FORWARD -p udp -m mark --mark 0xfff00001 -j DROP`,
    },
    flows: `
      p1 tcp $p2:80 = dropped
      p1 tcp $p2:81 = p2 $p2:81 < $p1
      p1 tcp $p2:7000 = dropped
      p1 tcp $p2:7001 = p2 $p2:7001 < $p1
      p1 tcp $p2:7002 = dropped
      p1 tcp $p2:7003 = dropped
      p1 udp $p2:53 = dropped`,
  },
  {
    name: 'a mark does not cross a veth',
    rules: {
      n1: 'mangle -A POSTROUTING -j MARK --set-xmark 0x10/0xffffffff',
      n2: 'raw -A PREROUTING -m mark --mark 0x10 -j DROP',
      p3: 'raw -A PREROUTING -m mark --mark 0x10 -j DROP',
    },
    flows: `
      p1 tcp $p2:80 = p2 $p2:80 < $p1
      p1 tcp $p3:80 = p3 $p3:80 < $p1`,
  },
  {
    name: 'device names: wildcards, negation, the empty name',
    rules: {
      n1: `filter -A FORWARD -i cali+ -o cali+ -p tcp -m tcp --dport 80 -j DROP
      filter -A FORWARD ! -i cali+ ! -o cali+ -j DROP
      filter -A FORWARD -i cali -p tcp -m tcp --dport 81 -j DROP
      filter -A FORWARD -o eth+ -p tcp -m tcp --dport 7000 -j DROP
      filter -A FORWARD ! -o eth0 -p tcp -m tcp --dport 7001 -j DROP
      mangle -A POSTROUTING ! -o cali+ -p tcp -m tcp --dport 7002 -j DROP
      filter -A OUTPUT -o cali+ -p tcp -m tcp --dport 7003 -j DROP
      filter -A INPUT -i cali1 -p udp -j DROP`,
    },
    flows: `
      p1 tcp $p3:80 = dropped
      p1 tcp $p2:80 = p2 $p2:80 < $p1
      ext tcp $p1:80 = p1 $p1:80 < $ext
      p1 tcp $p3:81 = p3 $p3:81 < $p1
      p1 tcp $p2:7000 = dropped
      p1 tcp $p3:7000 = p3 $p3:7000 < $p1
      p1 tcp $p3:7001 = dropped
      p1 tcp $p2:7001 = p2 $p2:7001 < $p1
      p1 tcp $p3:7002 = p3 $p3:7002 < $p1
      p1 tcp $p2:7002 = dropped
      n1 tcp $p2:7002 = dropped
      n1 tcp $p1:7003 = dropped
      n1 tcp $p2:7003 = p2 $p2:7003 < $n1
      p1 udp $n1:53 = dropped
      p3 udp $n1:53 = n1 $n1:53 < $p3`,
  },
  {
    name: 'OUTPUT keeps the device of the first route after DNAT; POSTROUTING has the new one',
    sh: { n1: 'ip route add $svc via $extb dev eth1' },
    rules: {
      n1: `nat -A OUTPUT -d $svc/{32|128} -p tcp -j DNAT --to-destination $p1
      filter -A OUTPUT -o cali1 -p tcp -m tcp --dport 80 -j DROP
      filter -A OUTPUT -o eth1 -p tcp -m tcp --dport 81 -j DROP
      mangle -A POSTROUTING -o cali1 -p tcp -m tcp --dport 7000 -j DROP
      mangle -A POSTROUTING -o eth1 -p tcp -m tcp --dport 7001 -j DROP`,
    },
    flows: `
      n1 tcp $svc:80 = p1 $p1:80 < $n1b
      n1 tcp $svc:81 = dropped
      n1 tcp $svc:7000 = dropped
      n1 tcp $svc:7001 = p1 $p1:7001 < $n1b`,
  },
  {
    name: 'a mark changed in mangle OUTPUT reroutes; the source address stays',
    sh: {
      n1: `ip rule add fwmark 0x10/0xf0 lookup 100 pref 100
      ip route add {default|default} via $extb dev eth1 table 100
      ip rule add fwmark 0x20/0xf0 lookup 101 pref 101
      ip route add blackhole default table 101
      ip rule add fwmark 0x40/0xf0 lookup 102 pref 102
      ip route add unreachable default table 102`,
    },
    rules: {
      n1: `mangle -A OUTPUT -d $ext -p tcp -m tcp --dport 80 -j MARK --set-xmark 0x10/0xf0
      mangle -A OUTPUT -d $ext -p udp -m udp --dport 53 -j MARK --set-xmark 0x20/0xf0
      mangle -A OUTPUT -d $ext -p udp -m udp --dport 54 -j MARK --set-xmark 0x40/0xf0
      raw -A OUTPUT -d $ext -p tcp -m tcp --dport 81 -j MARK --set-xmark 0x20/0xf0
      filter -A OUTPUT -d $ext -o eth1 -j DROP
      nat -A POSTROUTING -o eth1 -p tcp -j MASQUERADE`,
    },
    flows: `
      n1 tcp $ext:80 = ext $ext:80 < $n1b
      n1 udp $ext:53 = errno EINVAL
      n1 udp $ext:54 = errno EHOSTUNREACH
      n1 tcp $ext:81 = ext $ext:81 < $n1`,
  },
  {
    name: 'a mark set before routing chooses the table of a forwarded packet',
    sh: {
      n1: `ip rule add fwmark 0x80000000/0x80000000 lookup 100
      ip route add default via $extb dev eth1 table 100`,
    },
    rules: {
      n1: `mangle -A PREROUTING -i cali1 -p tcp -m tcp --dport 80 -j MARK --set-xmark 0x80000000/0x80000000
      raw -A PREROUTING -i cali1 -p udp -j MARK --set-xmark 0x80000000/0x80000000
      nat -A POSTROUTING -j MASQUERADE`,
    },
    flows: `
      p1 tcp $ext:80 = ext $ext:80 < $n1b
      p1 tcp $ext:81 = ext $ext:81 < $n1
      p1 udp $ext:53 = ext $ext:53 < $n1b
      p3 udp $ext:53 = ext $ext:53 < $n1`,
  },
  {
    name: 'a pod with rules of its own',
    rules: {
      p1: `nat -A OUTPUT -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 7000
      nat -A PREROUTING -p tcp -m tcp --dport 81 -j REDIRECT --to-ports 7001
      filter -A INPUT -p udp -m udp --dport 53 -j REJECT
      filter -A OUTPUT -p udp -d $p3 -j DROP`,
    },
    flows: `
      p1 tcp $p2:80 = p1 {127.0.0.1|[::1]}:7000 < $p1
      p2 tcp $p1:81 = p1 $p1:7001 < $p2
      p2 udp $p1:53 = icmp 3/3 $p1
      p1 udp $p3:53 = dropped
      p1 udp $p2:53 = p2 $p2:53 < $p1`,
  },
  {
    name: 'POSTROUTING knows the device that a forwarded packet came in by; only a user chain may ask for it',
    rules: {
      n1: `mangle -N BOTH
      mangle -A POSTROUTING -j BOTH
      mangle -A BOTH -i cali1 -p tcp -m tcp --dport 80 -j DROP
      mangle -A BOTH ! -i cali1 -p tcp -m tcp --dport 81 -j DROP`,
    },
    flows: `
      p1 tcp $p2:80 = dropped
      p3 tcp $p2:80 = p2 $p2:80 < $p3
      n1 tcp $p2:80 = p2 $p2:80 < $n1
      p1 tcp $p2:81 = p2 $p2:81 < $p1
      n1 tcp $p2:81 = dropped`,
  },
])
