import { walkSuite } from '../support/netns-suite.ts'

const mac1 = '66:00:00:00:00:01'
const mac2 = '66:00:00:00:00:02'

/** one end of a tunnel as Felix makes it: a device with an address, static neighbours and forwarding entries, routes over it */
const tunnel = (n: 1 | 2, far: 1 | 2, options: { readonly mac?: string; readonly fdb?: string } = {}) => `
  ip link add vxlan.calico address ${n === 1 ? mac1 : mac2} type vxlan id 4096 dev eth0 local $n${n} dstport 4789 nolearning {|udp6zerocsumrx}
  ip link set vxlan.calico mtu 1400 up
  ip {|-6} addr add $vtep${n}/{32|128} dev vxlan.calico {|nodad}
  ip {|-6} neigh add $vtep${far} lladdr ${options.mac ?? (far === 1 ? mac1 : mac2)} dev vxlan.calico nud permanent
  ${options.fdb ?? `bridge fdb add ${far === 1 ? mac1 : mac2} dev vxlan.calico dst $n${far}`}
  ip route del $pods${far}
  ip route add $pods${far} via $vtep${far} dev vxlan.calico onlink`
const both = { n1: tunnel(1, 2), n2: tunnel(2, 1) }
const flows = `
  p1 tcp $p2:80 = p2 $p2:80 < $p1
  p2 udp $p1:53 = p1 $p1:53 < $p2
  p1 udp $p2:99 = icmp 3/3 $p2`

walkSuite('the walk and the kernel: VXLAN', [
  {
    name: 'through the tunnel, from the pod and from the node',
    sh: both,
    flows: `${flows}\n  n1 tcp $p2:80 = p2 $p2:80 < $vtep1\n  n1 icmp $p2 = ok`,
  },
  {
    name: 'masquerading on the tunnel device',
    sh: both,
    rules: {
      n1: 'nat -A POSTROUTING -o vxlan.calico -j MASQUERADE --random-fully\nnat -A PREROUTING -d $n1 -p tcp -m tcp --dport 81 -j DNAT --to-destination $p2:80',
    },
    flows: `
      p1 tcp $p2:80 = p2 $p2:80 < $vtep1
      ext tcp $n1:81 = p2 $p2:80 < $vtep1`,
  },
  {
    name: 'the outer packet has the socket of the inner one',
    sh: both,
    rules: { n1: 'filter -A OUTPUT -p udp -m udp --dport 4789 -m owner --socket-exists -j DROP' },
    flows: `
      p1 tcp $p2:80 = p2 $p2:80 < $p1
      p2 tcp $p1:99 = rst
      n1 tcp $p2:80 = dropped
      n1 icmp $p2 = dropped`,
  },
  {
    name: 'the mark of the inner packet is on the outer one, and no further',
    sh: both,
    rules: {
      n1: `mangle -A FORWARD -p tcp -m tcp --dport 80 -j MARK --set-xmark 0x40/0x40
      filter -A OUTPUT -p udp -m udp --dport 4789 -m mark --mark 0x40/0x40 -j DROP`,
      n2: 'raw -A PREROUTING -m mark ! --mark 0x0 -j DROP',
    },
    flows: `
      p1 tcp $p2:80 = dropped
      p1 tcp $p2:81 = p2 $p2:81 < $p1`,
  },
  {
    name: 'the mark set on the outer packet in INPUT stays on the inner one',
    sh: both,
    rules: {
      n2: `mangle -A INPUT -p udp -m udp --dport 4789 -j MARK --set-xmark 0x80/0x80
      filter -A FORWARD -i vxlan.calico -p tcp -m tcp --dport 80 -m mark --mark 0x80/0x80 -j DROP`,
    },
    flows: `
      p1 tcp $p2:80 = dropped
      p1 tcp $p2:81 = p2 $p2:81 < $p1`,
  },
  {
    name: 'the outer packet meets the firewall at both ends',
    sh: both,
    rules: {
      n1: 'raw -A OUTPUT -p udp -m udp --dport 4789 -j NOTRACK\nfilter -A OUTPUT -p udp -m udp --dport 4789 -m conntrack ! --ctstate UNTRACKED -j DROP',
      n2: 'filter -A INPUT -p udp -m udp --dport 4789 -m addrtype --dst-type LOCAL ! -s $n1 -j ACCEPT\nfilter -A INPUT -p udp -m udp --dport 4789 -j DROP',
    },
    flows: `
      p1 tcp $p2:80 = dropped
      p2 udp $p1:53 = dropped
      p1 tcp $n2:80 = n2 $n2:80 < $p1`,
  },
  {
    name: 'a wrong tunnel MAC',
    sh: {
      n1: tunnel(1, 2, { mac: '66:00:00:00:00:99', fdb: 'bridge fdb add 66:00:00:00:00:99 dev vxlan.calico dst $n2' }),
      n2: tunnel(2, 1),
    },
    flows: 'p1 tcp $p2:80 = dropped\np2 udp $p1:53 = dropped',
  },
  {
    name: 'no forwarding entry',
    sh: { n1: tunnel(1, 2, { fdb: 'true' }), n2: tunnel(2, 1) },
    flows: 'p1 tcp $p2:80 = dropped\np2 udp $p1:53 = dropped',
  },
  {
    name: 'the far device is down',
    sh: { n1: tunnel(1, 2), n2: `${tunnel(2, 1)}\nip link set vxlan.calico down` },
    flows: 'p1 tcp $p2:80 = dropped\np1 udp $p3:53 = p3 $p3:53 < $p1',
  },
  {
    name: 'the near device is down',
    sh: { n1: `${tunnel(1, 2)}\nip link set vxlan.calico down`, n2: tunnel(2, 1) },
    flows: 'p1 tcp $far:80 = ext $far:80 < $p1',
  },
  { name: 'no tunnel at the far end', sh: { n1: tunnel(1, 2), n2: '' }, flows: 'p1 tcp $p2:80 = dropped' },
  {
    name: 'identifier and port of a forwarding entry',
    sh: {
      n1: tunnel(1, 2, { fdb: `bridge fdb add ${mac2} dev vxlan.calico dst $n2 vni 5 port 4790` }),
      n2: tunnel(2, 1, { fdb: `bridge fdb add ${mac1} dev vxlan.calico dst $n1 vni 4096 port 4789` })
        .replace('id 4096', 'id 5')
        .replace('dstport 4789', 'dstport 4790'),
    },
    flows,
  },
  {
    name: 'without an address of its own the tunnel takes the one of the route',
    sh: { n1: tunnel(1, 2).replace('local $n1', ''), n2: tunnel(2, 1) },
    families: [4],
    rules: { n2: 'filter -A INPUT -p udp -m udp --dport 4789 ! -s $n1 -j DROP' },
    flows: 'p1 udp $p2:53 = p2 $p2:53 < $p1',
  },
  {
    name: 'the TTL of the outer packet',
    families: [4],
    sh: { n1: tunnel(1, 2).replace('nolearning', 'nolearning ttl inherit'), n2: tunnel(2, 1).replace('nolearning', 'nolearning ttl 9') },
    rules: {
      n1: 'filter -A INPUT -p udp -m udp --dport 4789 -m ttl ! --ttl-eq 9 -j DROP',
      n2: 'filter -A INPUT -p udp -m udp --dport 4789 -m ttl ! --ttl-eq 63 -j DROP',
    },
    flows: 'p1 udp $p2:53 = p2 $p2:53 < $p1\nn1 udp $p2:54 = dropped',
  },
  {
    name: 'several far ends are not followed',
    sh: {
      n1: tunnel(1, 2, {
        fdb: 'bridge fdb append 00:00:00:00:00:00 dev vxlan.calico dst $ext\nbridge fdb append 00:00:00:00:00:00 dev vxlan.calico dst $n2',
      }),
      n2: tunnel(2, 1),
    },
    flows: 'p1 udp $p2:53 = undecided',
  },
  {
    name: 'who answers behind a tunnel is not known',
    sh: {
      n1: `${tunnel(1, 2, { fdb: 'bridge fdb append 00:00:00:00:00:00 dev vxlan.calico dst $n2' })}\nip {|-6} neigh flush dev vxlan.calico nud permanent`,
      n2: tunnel(2, 1),
    },
    flows: 'p1 udp $p2:53 = undecided',
  },
  {
    name: 'a tunnel for programs',
    sh: { n1: tunnel(1, 2, { fdb: 'true' }).replace('id 4096 dev eth0 local $n1', 'external'), n2: tunnel(2, 1) },
    flows: 'p1 udp $p2:53 = undecided\np2 udp $p1:53 = undecided',
  },
])
