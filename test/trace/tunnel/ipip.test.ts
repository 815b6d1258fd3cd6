/** IPIP tunnels over made-up dumps. Expectations by hand from net/ipv4/ip_tunnel.c, ipip.c and tunnel4.c. */
import { describe, expect, test } from 'vitest'
import { row } from '../../support/peer-row.ts'
import { link, type Made, podsWithPorts, walk } from '../../support/snapshot-builder.ts'

/** as `ip -d -j link` prints `ipip` devices; the fallback device `tunl0` by default */
const ipip = (
  address: string,
  options: { readonly name?: string; readonly n?: number; readonly up?: boolean; readonly data?: object } = {},
) =>
  link(options.n ?? 40, options.name ?? 'tunl0', 'ipip', [`${address}/32`], {
    flags: options.up === false ? ['NOARP'] : ['NOARP', 'UP', 'LOWER_UP'],
    mtu: 1480,
    link_type: 'ipip',
    address: '0.0.0.0',
    linkinfo: { info_kind: 'ipip', info_data: { proto: 'any', remote: 'any', local: 'any', ttl: 0, pmtudisc: false, ...options.data } },
  })

const quiet = {
  'net.ipv4.conf.tunl0.forwarding': 1,
  'net.ipv4.conf.tunl0.rp_filter': 0,
  'net.ipv4.conf.ipt.forwarding': 1,
  'net.ipv4.conf.ipt.rp_filter': 0,
}
const [t1, t2] = ['10.244.1.0', '10.244.2.0']
const both: Made = {
  links: { n1: [ipip(t1)], n2: [ipip(t2)] },
  routes: { n1: '-$pods2\n$pods2 via $n2 dev tunl0 onlink', n2: '-$pods1\n$pods1 via $n1 dev tunl0 onlink' },
  sysctl: { n1: quiet, n2: quiet },
}
const pointToPoint: Made = {
  links: {
    n1: [ipip(t1, { name: 'ipt', data: { local: '172.18.0.11', remote: '172.18.0.12' } })],
    n2: [ipip(t2), ipip('10.244.2.9', { name: 'ipt', n: 41, data: { local: '172.18.0.12', remote: '172.18.0.11' } })],
  },
  routes: { n1: '-$pods2\n$pods2 dev ipt', n2: '-$pods1\n$pods1 dev ipt' },
  sysctl: both.sysctl as NonNullable<Made['sysctl']>,
}
const there = 'p1 tcp $p2:80 = p2 $p2:80 < $p1\np2 udp $p1:53 = p1 $p1:53 < $p2'
const v4 = (name: string, m: Made, flows: string) => row(name, m, flows, [4])

describe('IPIP', () => {
  v4('through tunl0, from the pod and from the node', both, `${there}\nn1 tcp $p2:80 = p2 $p2:80 < ${t1}\np1 udp $p2:99 = icmp 3/3 $p2`)

  v4(
    'the outer packet meets the rules of both nodes, and marks survive both ways',
    {
      ...both,
      rules: {
        n1: `mangle -A FORWARD -p tcp -m tcp --dport 80 -j MARK --set-xmark 0x40/0x40
        filter -A OUTPUT -p ipencap -m mark --mark 0x40/0x40 -j DROP
        filter -A OUTPUT -p ipencap ! -d $n2 -j DROP`,
        n2: `raw -A PREROUTING -i eth0 -m mark ! --mark 0x0 -j DROP
        mangle -A INPUT -p ipencap -s $n1 -j MARK --set-xmark 0x80/0x80
        filter -A FORWARD -i tunl0 -p tcp -m tcp --dport 7000 -m mark --mark 0x80/0x80 -j DROP`,
      },
    },
    `p1 tcp $p2:80 = dropped
    p1 tcp $p2:81 = p2 $p2:81 < $p1
    p1 tcp $p2:7000 = dropped
    p2 udp $p1:53 = p1 $p1:53 < $p2`,
  )

  // generic tracking of protocol 4: what comes back between the same two ends belongs to the connection
  v4(
    'conntrack of the outer packets is their own',
    { ...both, rules: { n2: 'filter -A OUTPUT -p ipencap -m conntrack --ctstate NEW -j DROP' } },
    'p1 tcp $p2:80 = p2 $p2:80 < $p1\np2 udp $p1:53 = dropped',
  )

  v4(
    'an entry of the dump is that of the tunnel',
    {
      ...both,
      rules: { n2: 'filter -A INPUT -p ipencap -m conntrack --ctstate NEW -j DROP' },
      files: {
        'nodes/n2/conntrack.txt':
          'unknown  4 306 src=172.18.0.12 dst=172.18.0.11 [UNREPLIED] src=172.18.0.11 dst=172.18.0.12 mark=0 use=1\n',
      },
    },
    'p1 tcp $p2:80 = p2 $p2:80 < $p1',
  )
  v4(
    'the route to the far end is looked up without the mark that the packet carries',
    {
      ...both,
      rules: { n1: 'mangle -A FORWARD -j MARK --set-xmark 0x40/0x40' },
      routes: { ...both.routes, n1: `${both.routes?.n1}\nblackhole $n2 table 100` },
      policyRouting: { n1: [{ priority: 100, src: 'all', fwmark: '0x40', fwmask: '0x40', table: '100' }] },
    },
    'p1 tcp $p2:80 = p2 $p2:80 < $p1',
  )

  v4(
    'TTL: inherited',
    { ...both, rules: { n2: 'filter -A INPUT -p ipencap -m ttl ! --ttl-eq 63 -j DROP' } },
    'p1 tcp $p2:80 = p2 $p2:80 < $p1\nn1 tcp $p2:80 = dropped',
  )
  v4(
    'TTL: fixed',
    {
      ...both,
      links: { ...both.links, n1: [ipip(t1, { data: { ttl: 9, pmtudisc: true } })] },
      rules: { n2: 'filter -A INPUT -p ipencap -m ttl ! --ttl-eq 9 -j DROP' },
    },
    'p1 tcp $p2:80 = p2 $p2:80 < $p1\nn1 tcp $p2:80 = p2 $p2:80 < 10.244.1.0',
  )

  v4(
    'the far device is down',
    { ...both, links: { ...both.links, n2: [ipip(t2, { up: false })] } },
    'p1 tcp $p2:80 = dropped\np2 tcp $p1:80 = dropped',
  )
  v4(
    'no device at the far end',
    { ...both, links: { n1: [ipip(t1)] }, routes: { n1: both.routes?.n1 as string } },
    'p1 tcp $p2:80 = dropped',
  )
  v4(
    'no way to the far end',
    { ...both, routes: { ...both.routes, n1: `${both.routes?.n1}\nblackhole $n2` } },
    'p1 tcp $p2:80 = dropped\nn1 tcp $p2:80 = dropped',
  )
  v4(
    'the far end is behind the tunnel itself',
    { ...both, routes: { ...both.routes, n1: `${both.routes?.n1}\n$n2 dev tunl0` } },
    'p1 tcp $p2:80 = dropped',
  )

  v4('fixed ends', pointToPoint, `${there}\nn1 tcp $p2:80 = p2 $p2:80 < ${t1}`)
  v4(
    'what fits both ends comes in before tunl0',
    { ...pointToPoint, rules: { n2: 'filter -A FORWARD -i tunl0 -j DROP' } },
    'p1 tcp $p2:80 = p2 $p2:80 < $p1',
  )
  v4(
    'a device for the near end only comes before tunl0, and one that is down does not count',
    {
      ...pointToPoint,
      links: {
        n1: pointToPoint.links?.n1 as object[],
        n2: [
          ipip(t2),
          ipip('10.244.2.9', { name: 'ipt', n: 41, up: false, data: { local: '172.18.0.12', remote: '172.18.0.11' } }),
          ipip('10.244.2.8', { name: 'near', n: 42, data: { local: '172.18.0.12' } }),
        ],
      },
      routes: { n1: pointToPoint.routes?.n1 as string },
      sysctl: { n1: quiet, n2: { ...quiet, 'net.ipv4.conf.near.forwarding': 1, 'net.ipv4.conf.near.rp_filter': 0 } },
      rules: { n2: 'filter -A FORWARD ! -i near -d $p2 -j DROP' },
    },
    'p1 tcp $p2:80 = p2 $p2:80 < $p1',
  )

  test('IPv6 packets are not carried', () => {
    const { got, want } = walk({ links: { n1: [ipip(t1)] }, routes: { n1: '-$pods2\n$pods2 dev tunl0' } }, 'p1 tcp $p2:80 = dropped', 6)
    expect(got).toEqual(want)
  })

  test('a node without dumps unpacks, and answers in the same tunnel', () => {
    const rules = { n1: 'filter -A INPUT -p ipencap ! -s $n2 -j DROP\nfilter -A FORWARD -i eth0 -j DROP' }
    const { got, want } = walk(
      { ...both, rules, undumped: ['n2', 'p2'], files: { 'cluster/pods.json': podsWithPorts } },
      'p1 tcp $p2:80 = p2 $p2:80 < $p1\nn1 tcp $p2:80 = p2 $p2:80 < 10.244.1.0',
    )
    expect(got).toEqual(want)
  })

  test('what the dumps do not tell is undecided', () => {
    for (const data of [{ external: true }, { encap: { type: 'fou' } }, { proto: 'mplsip' }]) {
      const { got } = walk({ ...both, links: { ...both.links, n1: [ipip(t1, { data })] } }, 'p1 tcp $p2:80 = undecided')
      expect(got).toEqual(['p1 tcp 10.244.2.2:80 = undecided'])
    }
    const bare = walk({ ...both, files: { 'nodes/n1/ip-link.json': false } }, 'p1 tcp $p2:80 = undecided')
    expect(bare.got).toEqual(['p1 tcp 10.244.2.2:80 = undecided'])
  })
})
