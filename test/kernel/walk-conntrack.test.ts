import { walkSuite } from '../support/netns-suite.ts'

const dnat = 'nat -A PREROUTING -d $svc/{32|128} -p tcp -m tcp --dport 80 -j DNAT --to-destination $p2:7000'
const localDnat = 'nat -A OUTPUT -d $svc/{32|128} -p tcp -m tcp --dport 80 -j DNAT --to-destination $p2:7000'

walkSuite('the walk and the kernel: connection tracking', [
  {
    name: 'a reply that only passes by is INVALID for TCP, NEW for UDP',
    sh: { n1: 'ip route add $ext via $n2b dev eth1' },
    rules: { n2: 'filter -A FORWARD -m conntrack --ctstate INVALID -j DROP' },
    flows: `
      ext tcp $p1:80 = dropped
      ext udp $p1:53 = p1 $p1:53 < $ext
      ext tcp $p2:80 = p2 $p2:80 < $ext`,
  },
  {
    name: 'a node that sees only the request finds the end of the handshake INVALID',
    sh: { ext: 'ip route replace $pods1 via $n2' },
    rules: { n2: 'filter -A FORWARD -m conntrack --ctstate INVALID -j DROP' },
    flows: `
      ext tcp $p1:80 = dropped
      ext udp $p1:53 = p1 $p1:53 < $ext`,
  },
  {
    name: 'ctstate DNAT in FORWARD, OUTPUT and POSTROUTING',
    rules: {
      n1: `${dnat}
      ${localDnat}
      filter -A FORWARD -d $p2 -m conntrack ! --ctstate DNAT -j DROP
      filter -A OUTPUT -d $p2 -m conntrack ! --ctstate DNAT -j REJECT
      mangle -A POSTROUTING -o cali3 -m conntrack --ctstate DNAT -j DROP
      nat -A PREROUTING -d $svc2/{32|128} -p tcp -j DNAT --to-destination $p3`,
    },
    flows: `
      p1 tcp $svc:80 = p2 $p2:7000 < $p1
      p1 tcp $p2:80 = dropped
      n1 tcp $svc:80 = p2 $p2:7000 < $n1
      n1 udp $p2:53 = icmp 3/3 $n1
      p1 tcp $svc2:80 = dropped
      p1 tcp $p3:80 = p3 $p3:80 < $p1`,
  },
  {
    name: 'ctstate SNAT is there from the source mapping on',
    rules: {
      n1: `nat -A POSTROUTING -s $p1 -d $ext -j MASQUERADE
      filter -A FORWARD -p udp -m conntrack --ctstate SNAT -j DROP
      filter -A FORWARD -p tcp -m conntrack --ctstate SNAT --ctdir ORIGINAL -j DROP`,
    },
    flows: `
      p1 udp $ext:53 = dropped
      p3 udp $ext:53 = ext $ext:53 < $p3
      p1 tcp $ext:80 = dropped
      p3 tcp $ext:80 = ext $ext:80 < $p3`,
  },
  {
    name: 'NOTRACK: no nat, state UNTRACKED',
    rules: {
      n1: `${dnat}
      nat -A PREROUTING -d $svc2/{32|128} -p tcp -j DNAT --to-destination $p2
      raw -A PREROUTING -s $p3 -d $svc/{32|128} -j CT --notrack
      raw -A PREROUTING -p udp -j CT --notrack
      raw -A OUTPUT -p udp -j CT --notrack
      filter -A FORWARD -p udp -m conntrack --ctstate NEW,ESTABLISHED,RELATED,INVALID -j DROP
      filter -A FORWARD -p udp -m udp --dport 54 -m conntrack --ctstate UNTRACKED -j DROP
      filter -A OUTPUT -p udp -m conntrack ! --ctstate UNTRACKED -j DROP`,
    },
    sh: { n1: 'ip route add prohibit $svc' },
    flows: `
      p1 tcp $svc:80 = p2 $p2:7000 < $p1
      p3 tcp $svc:80 = icmp 3/13 $n1
      p1 udp $p2:53 = p2 $p2:53 < $p1
      p1 udp $p2:54 = dropped
      n1 udp $p2:53 = p2 $p2:53 < $n1`,
  },
  {
    name: 'raw OUTPUT, mangle POSTROUTING, mangle INPUT and mangle FORWARD drop',
    rules: {
      n1: `raw -A OUTPUT -d $p2 -p tcp -m tcp --dport 80 -j DROP
      mangle -A POSTROUTING -d $p2 -p tcp -m tcp --dport 81 -j DROP
      mangle -A INPUT -p tcp -m tcp --dport 7000 -j DROP
      mangle -A FORWARD -d $p2 -p udp -m udp --dport 54 -j DROP
      raw -A PREROUTING -d $p3 -p udp -j DROP`,
    },
    flows: `
      n1 tcp $p2:80 = dropped
      p1 tcp $p2:80 = p2 $p2:80 < $p1
      n1 tcp $p2:81 = dropped
      p1 tcp $p2:81 = dropped
      p1 tcp $n1:7000 = dropped
      p1 udp $p2:54 = dropped
      p1 udp $p3:53 = dropped
      n1 udp $p3:53 = p3 $p3:53 < $n1`,
  },
  {
    name: 'the request arrives, the reply is dropped',
    rules: {
      n1: `filter -P FORWARD DROP
      filter -A FORWARD -s $p1 -j ACCEPT
      filter -A FORWARD -p udp -m conntrack --ctstate ESTABLISHED -j ACCEPT`,
    },
    flows: `
      p1 tcp $p2:80 = dropped
      p1 udp $p2:53 = p2 $p2:53 < $p1
      p1 udp $p2:99 = dropped
      p3 tcp $p2:80 = dropped
      ext tcp $p1:80 = dropped`,
  },
  {
    name: 'RELATED lets errors back',
    rules: {
      n1: `filter -P FORWARD DROP
      filter -A FORWARD -i cali1 -j ACCEPT
      filter -A FORWARD -m conntrack --ctstate RELATED -j ACCEPT`,
    },
    flows: `
      p1 udp $p2:99 = icmp 3/3 $p2
      p1 udp $p2:53 = dropped`,
  },
  {
    name: 'the original tuple, direction, status and protocol of an entry',
    rules: {
      n1: `${dnat}
      nat -A PREROUTING -d $svc/{32|128} -p tcp -m tcp --dport 81 -j DNAT --to-destination $p2:7000
      filter -A FORWARD -m conntrack --ctorigdstport 81 -j DROP
      filter -A FORWARD -m conntrack --ctorigdst $ext --ctproto 17 --ctdir REPLY -j DROP
      filter -A FORWARD -p udp -m conntrack --ctreplsrc $p3 -j DROP
      filter -A FORWARD -p tcp -m conntrack --ctstatus NONE -m tcp --dport 7001 -j DROP
      filter -A FORWARD -p tcp -m conntrack ! --ctstatus CONFIRMED -m tcp --dport 7002 -j DROP
      filter -A FORWARD -p tcp -m conntrack --ctstatus SEEN_REPLY --ctdir ORIGINAL -m tcp --dport 7003 -j DROP`,
    },
    flows: `
      p1 tcp $svc:80 = p2 $p2:7000 < $p1
      p1 tcp $svc:81 = dropped
      p1 tcp $p2:7000 = p2 $p2:7000 < $p1
      p1 udp $ext:53 = dropped
      p1 tcp $ext:80 = ext $ext:80 < $p1
      p1 udp $p3:53 = dropped
      p1 tcp $p2:7001 = p2 $p2:7001 < $p1
      p1 tcp $p2:7002 = dropped
      p1 tcp $p2:7003 = dropped`,
  },
  {
    name: 'CONNMARK set, save and restore',
    rules: {
      n1: `mangle -A PREROUTING -i cali1 -p tcp -m tcp --dport 80 -j CONNMARK --set-xmark 0x80000010/0x80000010
      mangle -A PREROUTING -i cali1 -p tcp -m tcp --dport 81 -j MARK --set-xmark 0x30/0xf0
      mangle -A PREROUTING -m mark --mark 0x30/0xf0 -j CONNMARK --save-mark --nfmask 0x20 --ctmask 0xffffffff
      mangle -A PREROUTING -i eth0 -j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff
      filter -A FORWARD -i eth0 -m mark --mark 0x80000010/0x80000010 -j DROP
      filter -A FORWARD -i eth0 -m mark --mark 0x30/0xf0 -j DROP
      filter -A FORWARD -i eth0 -m connmark --mark 0x20/0x20 -m mark ! --mark 0x20/0x20 -j DROP`,
    },
    flows: `
      p1 tcp $p2:80 = dropped
      p1 tcp $p2:81 = p2 $p2:81 < $p1
      p1 tcp $p2:7000 = p2 $p2:7000 < $p1`,
  },
  {
    name: 'asymmetric reply past the translating node',
    rules: {
      n1: 'nat -A PREROUTING -d $n1/{32|128} -p udp -m udp --dport 54 -j DNAT --to-destination $p2:53\nnat -A PREROUTING -d $n1/{32|128} -p tcp -m tcp --dport 81 -j DNAT --to-destination $p2:80',
    },
    flows: `
      ext udp $n1:54 = dropped
      ext tcp $n1:81 = dropped
      p1 tcp $n1:81 = p2 $p2:80 < $p1`,
  },
])
