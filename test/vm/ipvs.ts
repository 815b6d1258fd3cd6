/** Cases of IPVS in its usual way: addresses on a dummy device, NAT to pods, conntrack on, as kube-proxy sets it up. */
import type { Setup, VmCase } from './lab.ts'

/** kube-proxy's device: down, without ARP, holding the service addresses */
export const vips = (...names: readonly string[]): string =>
  ['link add kube-ipvs0 type dummy', 'link set kube-ipvs0 arp off', ...names.map((a) => `addr add $${a}/{32|128} dev kube-ipvs0`)].join(
    '\n',
  )

/** `svc:80` on both far pods by rr, and what else is said */
export const toPods = (more: Setup = {}): Setup => ({
  ...more,
  ip: `${vips('svc')}\n${more.ip ?? ''}`,
  ipvs:
    more.ipvs ??
    `-A -t $svc:80 -s rr
    -a -t $svc:80 -r $p2:80 -m -w 1
    -a -t $svc:80 -r $p4:80 -m -w 1
    -A -u $svc:53 -s rr
    -a -u $svc:53 -r $p2:54 -m -w 1`,
})

const served = 'p1 tcp x4 $svc:80 = p2 $p2:80 < $p1 | p4 $p4:80 < $p1'
const masquerade = 'nat -A POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE'

export const ipvsCases: readonly VmCase[] = [
  {
    name: 'IPVS: a pod and a service of two far pods',
    setup: { n1: toPods() },
    flows: `
      ${served}
      p1 udp $svc:53 = p2 $p2:54 < $p1
      p1 icmp $svc = ok
      p1 tcp $svc:81 = n1 $svc:81 < $p1
      p1 tcp $svc:82 = rst
      p1 udp $svc:82 = icmp 3/3 $svc`,
  },
  {
    name: 'IPVS: the rewritten packet passes raw OUTPUT',
    setup: { n1: toPods({ rules: 'raw -A OUTPUT -d $p2 -p tcp -m tcp --dport 80 -j DROP' }) },
    flows: `
      p1 tcp x4 $svc:80 = dropped | p4 $p4:80 < $p1
      p1 udp $svc:53 = p2 $p2:54 < $p1`,
  },
  {
    name: 'IPVS: the rewritten packet passes mangle OUTPUT with the mark of PREROUTING',
    setup: {
      n1: toPods({
        rules: `mangle -A PREROUTING -d $svc -p udp -j MARK --set-xmark 0x10/0x10
          mangle -A OUTPUT -d $p2 -p udp -m mark --mark 0x10/0x10 -j DROP`,
      }),
    },
    flows: `
      ${served}
      p1 udp $svc:53 = dropped`,
  },
  {
    name: 'IPVS: the request passes INPUT with the service address, not FORWARD',
    setup: {
      n1: toPods({
        rules: `filter -A FORWARD -d $p2 -p tcp -j DROP
          filter -A FORWARD -d $svc -j DROP
          filter -A INPUT -d $svc -p udp -j DROP
          filter -A INPUT -d $p2 -j DROP`,
      }),
    },
    flows: `
      ${served}
      p1 udp $svc:53 = dropped`,
  },
  {
    name: 'IPVS: nat OUTPUT and nat INPUT are not asked again',
    setup: {
      n1: toPods({
        rules: `nat -A OUTPUT -p tcp -j DNAT --to-destination $p4:81
          nat -A INPUT -p tcp -j SNAT --to-source $n1`,
      }),
    },
    flows: served,
  },
  {
    name: 'IPVS: replies pass FORWARD with the address of the server',
    setup: {
      n1: toPods({
        rules: `filter -A FORWARD -s $svc -j DROP
          filter -A FORWARD -s $p2 -p tcp -m tcp --sport 80 -j DROP`,
      }),
    },
    flows: `
      p1 tcp x4 $svc:80 = dropped | p4 $p4:80 < $p1
      p1 udp $svc:53 = p2 $p2:54 < $p1`,
  },
  {
    name: 'IPVS: masquerading by a mark of PREROUTING',
    setup: { n1: toPods({ rules: `mangle -A PREROUTING -d $svc -j MARK --set-xmark 0x4000/0x4000\n${masquerade}` }) },
    flows: `
      p1 tcp x4 $svc:80 = p2 $p2:80 < $n1 | p4 $p4:80 < $n1
      p1 udp $svc:53 = p2 $p2:54 < $n1
      ext udp $svc:53 = p2 $p2:54 < $n1`,
  },
  {
    name: 'IPVS: an outside client, whose answer takes another way without masquerading',
    setup: { n1: toPods() },
    flows: `
      ext tcp $svc:80 = dropped
      ext udp $svc:53 = dropped`,
  },
  {
    name: 'IPVS: the node itself, from the service address',
    setup: { n1: toPods({ rules: `nat -A OUTPUT -d $svc -p tcp -j MARK --set-xmark 0x4000/0x4000\n${masquerade}` }) },
    flows: `
      n1 tcp x4 $svc:80 = p2 $p2:80 < $n1 | p4 $p4:80 < $n1
      n1 udp $svc:53 = dropped
      n1 tcp $svc:81 = n1 $svc:81 < {$n1|$svc}
      n1 udp $svc:54 = n1 $svc:54 < $svc`,
  },
  {
    name: 'IPVS: the node itself is in filter OUTPUT with the address of the server',
    setup: {
      n1: toPods({
        rules: `nat -A OUTPUT -d $svc -j MARK --set-xmark 0x4000/0x4000
          ${masquerade}
          filter -A OUTPUT -d $svc -j DROP
          filter -A OUTPUT -d $p2 -p tcp -j DROP`,
      }),
    },
    flows: `
      n1 tcp x4 $svc:80 = dropped | p4 $p4:80 < $n1
      n1 udp $svc:53 = p2 $p2:54 < $n1
      n1 tcp $svc:81 = dropped`,
  },
  {
    name: 'IPVS: no servers, or only drained ones',
    setup: {
      n1: toPods({
        ipvs: `-A -t $svc:80 -s rr
          -A -u $svc:53 -s rr
          -a -u $svc:53 -r $p2:54 -m -w 0
          -A -t $svc:81 -s wrr
          -a -t $svc:81 -r $p2:81 -m -w 0
          -a -t $svc:81 -r $p4:81 -m -w 1`,
      }),
    },
    flows: `
      p1 tcp $svc:80 = icmp 3/3 $svc
      p1 udp $svc:53 = icmp 3/3 $svc
      p1 tcp x4 $svc:81 = p4 $p4:81 < $p1
      n1 tcp $svc:80 = icmp 3/3 $svc`,
  },
  {
    name: 'IPVS: a server that is the node itself',
    setup: {
      n1: toPods({
        ipvs: `-A -t $svc:80 -s rr
          -a -t $svc:80 -r $n1:81 -m -w 1
          -A -u $svc:53 -s rr
          -a -u $svc:53 -r $n1:54 -m -w 1`,
        rules: `mangle -A PREROUTING -d $svc -j MARK --set-xmark 0x4000/0x4000
          ${masquerade}
          filter -A OUTPUT -p udp -m udp --dport 54 -j DROP
          filter -A OUTPUT -s $n1 -j DROP`,
      }),
    },
    flows: `
      p1 tcp $svc:80 = n1 $n1:81 < $p1
      p1 udp $svc:53 = n1 $n1:54 < $p1`,
  },
  {
    name: 'IPVS: the answer of the node itself is in filter OUTPUT with the service address, in raw OUTPUT with its own',
    setup: {
      n1: toPods({
        ipvs: `-A -t $svc:80 -s rr
          -a -t $svc:80 -r $n1:81 -m -w 1
          -A -u $svc:53 -s rr
          -a -u $svc:53 -r $n1:54 -m -w 1`,
        rules: `raw -A OUTPUT -s $n1 -p tcp -m tcp --sport 81 -j DROP
          filter -A OUTPUT -s $svc -p udp -j DROP`,
      }),
    },
    flows: `
      p1 tcp $svc:80 = dropped
      p1 udp $svc:53 = dropped`,
  },
  {
    name: 'IPVS: a server on the far node, answering for itself',
    setup: { n1: toPods({ ipvs: '-A -t $svc:80 -s rr\n-a -t $svc:80 -r $n2:81 -m -w 1' }) },
    flows: 'p1 tcp $svc:80 = n2 $n2:81 < $p1',
  },
  {
    name: 'IPVS: a server that refuses',
    setup: {
      n1: toPods({
        ipvs: `-A -t $svc:80 -s rr
          -a -t $svc:80 -r $p2:99 -m -w 1
          -A -u $svc:53 -s rr
          -a -u $svc:53 -r $p2:99 -m -w 1`,
      }),
    },
    flows: `
      p1 tcp $svc:80 = rst
      p1 udp $svc:53 = icmp 3/3 $svc`,
  },
  {
    name: 'IPVS: no route to the server',
    setup: {
      n1: toPods({
        ip: 'route add blackhole $far',
        ipvs: `-A -t $svc:80 -s rr
          -a -t $svc:80 -r $far:80 -m -w 1
          -A -u $svc:53 -s rr
          -a -u $svc:53 -r $far:53 -m -w 1`,
      }),
    },
    flows: `
      p1 tcp $svc:80 = icmp 3/1 $svc
      p1 udp $svc:53 = icmp 3/1 $svc`,
  },
  {
    name: 'IPVS: the way to the server is looked up without the mark',
    setup: {
      n1: toPods({
        ip: 'rule add fwmark 0x10 lookup 7 pref 100\nroute add blackhole {default|::/0} table 7',
        rules: 'mangle -A PREROUTING -d $svc -p udp -j MARK --set-xmark 0x10/0x10',
      }),
    },
    flows: served,
  },
  {
    name: 'IPVS: an address that is missing on the dummy device serves the node alone',
    setup: {
      n1: {
        rules: `nat -A OUTPUT -d $svc -j MARK --set-xmark 0x4000/0x4000\n${masquerade}`,
        ipvs: '-A -t $svc:80 -s rr\n-a -t $svc:80 -r $p2:80 -m -w 1',
      },
    },
    flows: `
      n1 tcp $svc:80 = p2 $p2:80 < $n1
      p1 tcp $svc:80 = dropped`,
  },
  {
    name: 'IPVS: -m ipvs knows the rewritten request by its virtual address',
    setup: {
      n1: toPods({
        rules: `filter -A OUTPUT -m ipvs --vaddr $svc --vport 53 -j DROP
          filter -A INPUT -p tcp -m ipvs --ipvs -j DROP
          filter -A FORWARD -p tcp -m ipvs --ipvs -m ipvs --vaddr $svc -j DROP`,
      }),
    },
    flows: `
      ${served}
      p1 udp $svc:53 = dropped`,
  },
]
