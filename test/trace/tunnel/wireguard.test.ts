/** WireGuard over made-up dumps. Expectations by hand from drivers/net/wireguard/{device,send,receive,socket}.c and net/ipv4/icmp.c. */
import { describe, expect, test } from 'vitest'
import { row } from '../../support/peer-row.ts'
import { link, type Made, podsWithPorts, walk } from '../../support/snapshot-builder.ts'

const key = (c: string) => `${c.repeat(43)}=`
const wg = (own: readonly string[], up = true) =>
  link(40, 'wg0', 'wireguard', own, {
    flags: up ? ['POINTOPOINT', 'NOARP', 'UP', 'LOWER_UP'] : ['POINTOPOINT', 'NOARP'],
    mtu: 1420,
    link_type: 'none',
    address: undefined,
  })

const settings = (own: string, peers: string, more = '  listening port: 51820\n  fwmark: 0x200000\n') =>
  `interface: wg0\n  public key: ${key(own)}\n  private key: (hidden)\n${more}${peers}`
const peer = (k: string, endpoint: string | undefined, allowed: string) =>
  `\npeer: ${key(k)}\n${endpoint === undefined ? '' : `  endpoint: ${endpoint}:51820\n`}  allowed ips: ${allowed}\n`

const nets1 = '10.244.1.0/24, fd44:1::/64'
const nets2 = '10.244.2.0/24, fd44:2::/64'
const rule = { priority: 99, not: null, src: 'all', fwmark: '0x200000', fwmask: '0x200000', table: '1' }
const on = Object.fromEntries([4, 6].map((v) => [`net.ipv${v}.conf.wg0.forwarding`, 1]))
const quiet = { ...on, 'net.ipv4.conf.wg0.rp_filter': 0, 'net.ipv4.conf.wg0.route_localnet': 0 }
const files1 = settings('a', peer('b', '172.18.0.12', nets2))
const files2 = settings('b', peer('a', '172.18.0.11', nets1))
const both: Made = {
  links: { n1: [wg(['10.244.1.0/32', 'fd44:1::/128'])], n2: [wg(['10.244.2.0/32', 'fd44:2::/128'])] },
  routes: { n1: 'throw $pods1 table 1\n$pods2 dev wg0 table 1', n2: 'throw $pods2 table 1\n$pods1 dev wg0 table 1' },
  policyRouting: { n1: [rule], n2: [rule] },
  sysctl: { n1: quiet, n2: quiet },
  files: { 'nodes/n1/wg-show.txt': files1, 'nodes/n2/wg-show.txt': files2 },
}
const withFiles = (n1: string, n2: string): Made => ({ ...both, files: { 'nodes/n1/wg-show.txt': n1, 'nodes/n2/wg-show.txt': n2 } })

describe('WireGuard', () => {
  row(
    'through the tunnel, from the pod and from the node',
    both,
    `
    p1 tcp $p2:80 = p2 $p2:80 < $p1
    p2 udp $p1:53 = p1 $p1:53 < $p2
    n1 tcp $p2:80 = p2 $p2:80 < $vtep1
    p1 udp $p2:99 = icmp 3/3 $p2`,
  )

  row(
    'the outer packet has the mark of the device, the inner one none',
    {
      ...both,
      // the outer packets are IPv4 in both families
      files: { ...both.files },
      rules: {
        n1: 'mangle -A FORWARD -j MARK --set-xmark 0x40/0x40',
        n2: 'raw -A PREROUTING -i wg0 -m mark ! --mark 0x0 -j DROP',
      },
    },
    'p1 tcp $p2:80 = p2 $p2:80 < $p1',
  )

  row(
    'the outer packet meets the rules of both nodes',
    {
      ...both,
      rules: {
        n1: 'filter -A OUTPUT -p udp -m udp --sport 51820 --dport 51820 -m mark ! --mark 0x200000/0x200000 -j DROP\nfilter -A OUTPUT -p udp -m udp --dport 51820 -m conntrack ! --ctstate NEW -j DROP',
        n2: 'filter -A INPUT -p udp -m udp --dport 51820 ! -s $n1 -j ACCEPT\nfilter -A INPUT -p udp -m udp --dport 51820 -j DROP',
      },
    },
    'p1 tcp $p2:80 = dropped',
    [4],
  )

  row(
    'the same over IPv6',
    withFiles(files1.replace('172.18.0.12', '[fd18::12]'), files2.replace('172.18.0.11', '[fd18::11]')),
    'p1 tcp $p2:80 = p2 $p2:80 < $p1',
  )

  row(
    'an entry of the dump is that of the tunnel',
    {
      ...both,
      rules: { n2: 'filter -A INPUT -p udp -m udp --dport 51820 -m conntrack --ctstate NEW -j DROP' },
      files: {
        ...both.files,
        'nodes/n2/conntrack.txt':
          'udp      17 119 src=172.18.0.12 dst=172.18.0.11 sport=51820 dport=51820 src=172.18.0.11 dst=172.18.0.12 sport=51820 dport=51820 [ASSURED] mark=0 use=1\n',
      },
    },
    'p1 tcp $p2:80 = p2 $p2:80 < $p1',
    [4],
  )
  row(
    'nobody may have the address: the sender hears of it',
    withFiles(files1.replace(nets2, '10.244.2.9/32, fd44:2::9/128'), files2),
    // the address by the route back, which for IPv6 is chosen by its prefix
    'p1 tcp $p2:80 = icmp 3/1 {$n1|$vtep1}\nn1 udp $p2:53 = icmp 3/1 $vtep1\np2 tcp $p1:80 = dropped',
  )
  row(
    'a masqueraded sender hears of it, too',
    { ...withFiles(files1.replace(nets2, '(none)'), files2), rules: { n1: 'nat -A POSTROUTING -o wg0 -j MASQUERADE' } },
    'p1 tcp $p2:80 = icmp 3/1 {$n1|$vtep1}',
  )
  row('no endpoint', withFiles(settings('a', peer('b', undefined, nets2)), files2), 'p1 tcp $p2:80 = icmp 3/1 {$n1|$vtep1}')
  row(
    'a peer without endpoint is answered where it was heard from',
    withFiles(files1, settings('b', peer('a', undefined, nets1))),
    'p1 tcp $p2:80 = p2 $p2:80 < $p1\np2 tcp $p1:80 = icmp 3/1 {$n2|$vtep2}',
  )

  row(
    'a source that the peer may not have is dropped',
    withFiles(files1, files2.replace(nets1, '10.244.1.3/32, fd44:1::3/128')),
    'p1 tcp $p2:80 = dropped\np3 tcp $p2:80 = p2 $p2:80 < $p3',
  )
  row('the far end does not know this one', withFiles(files1, settings('b', peer('c', '172.18.0.11', nets1))), 'p1 tcp $p2:80 = dropped')
  row('the far end has another key by now', withFiles(files1, files2.replace(key('b'), key('d'))), 'p1 tcp $p2:80 = dropped')
  row('the far end listens elsewhere', withFiles(files1, files2.replace('port: 51820', 'port: 51821')), 'p1 tcp $p2:80 = dropped')
  row('the far device is down', { ...both, links: { ...both.links, n2: [wg([], false)] } }, 'p1 tcp $p2:80 = dropped')
  row(
    'keys cut out of the dumps: endpoints tell the peers apart',
    withFiles(files1.replace(/[ab]{43}=/g, '(hidden)'), files2.replace(/[ab]{43}=/g, '(hidden)')),
    'p1 tcp $p2:80 = p2 $p2:80 < $p1',
  )
  row(
    'without the mark, its packets would come back to it',
    withFiles(files1.replace('  fwmark: 0x200000\n', '').replace(nets2, `${nets2}, 172.18.0.0/24`), files2),
    'p1 tcp $p2:80 = p2 $p2:80 < $p1',
  )

  test('its own packets into itself', () => {
    const m = {
      ...withFiles(files1.replace('  fwmark: 0x200000\n', ''), files2),
      routes: { ...both.routes, n1: `${both.routes?.n1}\n$lan dev wg0 table 1` },
    }
    const { got, want } = walk(m, 'p1 tcp $p2:80 = dropped')
    expect(got).toEqual(want)
  })

  test('a node without dumps unpacks, and answers in the same tunnel', () => {
    const rules = {
      n1: 'filter -A INPUT -p udp -m udp --sport 51820 --dport 51820 -j ACCEPT\nfilter -A INPUT -j DROP\nfilter -A FORWARD -i eth0 -j DROP',
    }
    const m: Made = {
      ...both,
      rules,
      undumped: ['n2', 'p2'],
      files: { 'nodes/n1/wg-show.txt': files1, 'cluster/pods.json': podsWithPorts },
    }
    const { got, want } = walk(m, 'p1 tcp $p2:80 = p2 $p2:80 < $p1')
    expect(got).toEqual(want)
  })

  test('without `wg show` nobody knows', () => {
    const { got } = walk({ ...both, files: { 'nodes/n2/wg-show.txt': files2 } }, 'p1 tcp $p2:80 = undecided\np2 tcp $p1:80 = undecided')
    expect(got).toEqual(['p1 tcp 10.244.2.2:80 = undecided', 'p2 tcp 10.244.1.2:80 = undecided'])
    const other = walk(withFiles(files1.replace('wg0', 'wg1'), files2), 'p1 tcp $p2:80 = undecided')
    expect(other.got).toEqual(['p1 tcp 10.244.2.2:80 = undecided'])
  })
})
