/** A packet in a tunnel is told by what is in it, with real tunnels between network namespaces. */
import { rmSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Tuple } from '../../src/verify/types.ts'
import { fakeRoot } from '../support/collected-lab.ts'
import { needs } from '../support/needs.ts'
import { Agent } from '../support/netns-agent.ts'
import { addressOf as at, type HostName, hosts, type Lab, makeLab, tcpPorts, udpPorts } from '../support/netns-lab.ts'
import { leftIn, probeFrom, watchIn } from '../support/watched-node.ts'

describe.runIf(needs('root', 'ip', 'nft', 'conntrack', 'perl', 'python3'))('packets of our own in tunnels', { timeout: 300_000 }, () => {
  let lab: Lab
  let root: string
  const agent = new Agent()
  beforeAll(async () => {
    lab = await makeLab()
    root = fakeRoot(lab, 'n1')
    await Promise.all(hosts.map((h) => agent.serve(lab.ns[h], h, tcpPorts, udpPorts)))
  })
  afterAll(async () => {
    agent.end()
    rmSync(root, { recursive: true, force: true })
    await lab.remove()
  })
  afterEach(async () => {
    for (const host of ['n1', 'n2'] as const) await lab.sh(host, 'ip link del tun0 2> /dev/null || true; conntrack -F 2> /dev/null || true')
  })

  test.each([4, 6] as const)('VXLAN with IPv%d inside: the tunnel’s packet by what is in it', async (family) => {
    const [p1, p2, n1, n2] = ['p1', 'p2', 'n1', 'n2'].map((name, i) => at(name, i < 2 ? family : 4)) as [string, string, string, string]
    for (const [host, from, to, pod] of [
      ['n1', n1, n2, p2],
      ['n2', n2, n1, p1],
    ] as const)
      await lab.sh(
        host,
        `ip link add tun0 address 02:00:00:00:99:0${host.slice(1)} type vxlan id 4096 local ${from} remote ${to} dstport 4789
          ip link set tun0 up; ip route replace ${pod} dev tun0; ip neigh replace ${pod} lladdr 02:00:00:00:99:0${host === 'n1' ? 2 : 1} dev tun0`,
      )
    const inside = { kind: 'vxlan', src: n1, dst: n2, port: 4789, id: 4096 } as const
    const tuples: readonly Tuple[] = [
      { proto: 'tcp', src: p1, dst: p2, sport: 20001, dport: 80 },
      { proto: 'tcp', src: p1, dst: p2, sport: 20001, dport: 80, inside },
      { proto: 'tcp', src: p1, dst: p2, sport: 20002, dport: 80, inside },
      { proto: 'udp', src: p1, dst: p2, sport: 20001, dport: 80, inside },
    ]
    const probe = { space: { namespace: 't', name: 'p1' }, proto: 'tcp', dst: p2, dport: 80, patienceMs: 2000 } as const
    const watches = await Promise.all(
      ['n1', 'n2'].map((host) => watchIn(lab.ns[host as HostName], { spaces: ['node'], tuples, seconds: 30 })),
    )
    const results = await probeFrom(
      lab.ns.n1,
      [
        { ...probe, id: 'watched', sport: 20001 },
        { ...probe, id: 'other', sport: 20003 },
      ],
      { root },
    )
    expect(results.map(({ answer }) => answer.kind)).toEqual(['answered', 'answered'])
    const [one, two] = await Promise.all(watches.map((watch) => watch.stop()))
    // the first two are the SYN, then come resets as the prober does not read
    const first = (seen = one) => seen?.packets.slice(0, 2).map(({ tuple, hook, headers, end }) => [tuple, hook, headers.dst, end?.hook])
    expect(first(one)).toEqual([
      [0, 'prerouting', p2, 'postrouting'],
      [1, 'output', n2, 'postrouting'],
    ])
    expect(first(two)).toEqual([
      [1, 'prerouting', n2, 'input'],
      [0, 'prerouting', p2, 'postrouting'],
    ])
    expect(one?.packets[1]?.end?.oif).toBe('eth0')
    // nft 1.0.6 reads an IPv4 header as IPv6 where the Ethernet header of the packet inside says so
    if (family === 4) expect(one?.packets[1]?.end?.headers).toMatchObject({ src: n1, dst: n2, proto: 'udp', dport: 4789 })
    for (const [i, watch] of watches.entries()) expect(await leftIn(lab.ns[i === 0 ? 'n1' : 'n2'], watch.folder)).toEqual([])
  })

  test.each([4, 6] as const)('IP in IP with IPv%d inside: by what is in it', async (family) => {
    const [p1, p2, n1, n2] = ['p1', 'p2', 'n1', 'n2'].map((name, i) => at(name, i < 2 ? family : 4)) as [string, string, string, string]
    const inside = { kind: 'ipip', src: n1, dst: n2 } as const
    const tuples: readonly Tuple[] = [
      { proto: 'udp', src: p1, dst: p2, sport: 20002, dport: 53, inside },
      { proto: 'udp', src: p1, dst: p2, sport: 20001, dport: 53, inside },
    ]
    const watch = await watchIn(lab.ns.n2, { spaces: ['node'], tuples, seconds: 30 })
    // RFC 791 §3.1, RFC 8200 §3: a header, and ports behind it
    await lab.sh(
      'n1',
      `python3 - <<'END'
import socket, struct
f = socket.AF_INET${family === 4 ? '' : '6'}
a, b = socket.inet_pton(f, '${p1}'), socket.inet_pton(f, '${p2}')
for sport in 20001, 20003:
  udp = struct.pack('!HHHH', sport, 53, 8, 0)
  ip = ${family === 4 ? "struct.pack('!BBHHHBBH', 0x45, 0, 28, 0, 0, 64, 17, 0)" : "struct.pack('!IHBB', 6 << 28, 8, 17, 64)"} + a + b
  socket.socket(socket.AF_INET, socket.SOCK_RAW, ${family === 4 ? 4 : 41}).sendto(ip + udp, ('${n2}', 0))
END`,
    )
    const seen = await watch.stop()
    const [packet, ...errors] = seen.packets
    expect(packet).toMatchObject({ tuple: 1, hook: 'prerouting', headers: { src: n1, dst: n2 }, end: { hook: 'input' } })
    // no tunnel is there to take it: “protocol unreachable” for whoever sends
    for (const { tuple, headers } of errors) expect([tuple, headers.dst, headers.icmp?.type]).toEqual([undefined, n1, 3])
    expect(await leftIn(lab.ns.n2, watch.folder)).toEqual([])
  })
})
