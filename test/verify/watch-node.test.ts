/** The watch and the prober of a node in network namespaces, with real packets: what they tell, and that nothing of them is left. */
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Probe, SeenPacket, Tuple } from '../../src/verify/types.ts'
import { fakeRoot } from '../support/collected-lab.ts'
import { needs } from '../support/needs.ts'
import { Agent } from '../support/netns-agent.ts'
import { forFamily, restoreText } from '../support/netns-case.ts'
import { addresses, type HostName, hosts, type Lab, makeLab, tcpPorts, udpPorts } from '../support/netns-lab.ts'
import { leftIn, probeFrom, watchIn } from '../support/watched-node.ts'

const rules = `
  nat -N SERVICES
  nat -A PREROUTING -j SERVICES
  nat -A SERVICES -d $svc2 -p tcp -m tcp --dport 80 -j DNAT --to-destination $n1:1
  nat -A SERVICES -d $svc -p tcp -m tcp --dport 80 -j DNAT --to-destination $p2:81
  nat -A POSTROUTING -s $p3 -d $p2 -j MASQUERADE
  filter -A FORWARD -p tcp -m tcp --dport 7000 -j REJECT --reject-with tcp-reset
  filter -A FORWARD -p udp -m udp --dport 7000 -j REJECT --reject-with {icmp-admin-prohibited|icmp6-adm-prohibited}
  filter -A FORWARD -p tcp -m tcp --dport 7001 -j DROP`
const native = `table inet own {
  chain ports {
    tcp dport 81 accept
  }
  chain forward {
    type filter hook forward priority filter + 10; policy accept;
    ct state established accept
    tcp dport vmap { 80 : accept, 81 : jump ports, 7002 : drop }
  }
}`

const at = (name: string, family: 4 | 6): string => (addresses[name] as readonly [string, string])[family === 4 ? 0 : 1]
const hits = (packet: SeenPacket | undefined): readonly string[] =>
  (packet?.steps ?? []).flatMap((step) => {
    if (step.kind === 'headers') return []
    return [`${step.table} ${step.chain} ${step.kind === 'rule' ? step.index : 'policy'} ${step.verdict}`]
  })
const toText = (packet: SeenPacket | undefined): string => {
  const { end } = packet ?? {}
  return end ? `${end.hook} ${end.headers.src}:${end.headers.sport} ${end.headers.dst}:${end.headers.dport}` : 'gone'
}

describe.runIf(needs('root', 'ip', 'iptables-restore', 'nft', 'conntrack', 'perl', 'dash', 'busybox', 'python3'))(
  'packets of our own on their way',
  { timeout: 120_000 },
  () => {
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
      rmSync(root, { recursive: true })
      await lab.remove()
    })

    test.each([
      [4, ['dash']],
      [6, ['busybox', 'ash']],
    ] as const)('IPv%d, %s', async (family, shell) => {
      const [ip, tool] = family === 4 ? ['ip', 'iptables'] : ['ip6', 'ip6tables']
      await lab.sh('n1', `${tool}-nft-restore <<'END'\n${restoreText(forFamily(rules, family))}END\nnft -f - <<'END'\n${native}\nEND`)
      const [p1, p2, svc, n1] = ['p1', 'p2', 'svc', 'n1'].map((name) => at(name, family)) as [string, string, string, string]
      const probe = (id: string, from: HostName, proto: Probe['proto'], dst: string, sport: number, dport?: number): Probe => ({
        id,
        space: from === 'n1' ? 'node' : { namespace: 't', name: from },
        proto,
        dst,
        sport,
        ...(dport !== undefined && { dport }),
        ...(proto === 'udp' && { data: '6869' }),
        patienceMs: 1500,
      })
      const probes = [
        probe('dnat', 'p1', 'tcp', svc, 40001, 80),
        probe('masquerade', 'p3', 'tcp', p2, 40002, 80),
        probe('reset', 'p1', 'tcp', p2, 40003, 7000),
        probe('prohibited', 'p1', 'udp', p2, 40004, 7000),
        probe('dropped', 'p1', 'tcp', p2, 40005, 7001),
        probe('answer', 'p1', 'udp', p2, 40006, 53),
        probe('echo', 'p1', 'icmp', p2, 40007),
        probe('native', 'p1', 'tcp', p2, 40008, 7002),
        probe('closed', 'p1', 'tcp', p2, 40009, 9),
        probe('closed-udp', 'p1', 'udp', p2, 40010, 9),
        probe('own', 'n1', 'tcp', p2, 40011, 80),
        probe('large', 'p1', 'udp', p2, 40012, 54),
      ].map((one) => (one.id === 'large' ? { ...one, size: 3000 } : one))
      const tuples = probes.map(({ proto, dst, sport, dport, space }): Tuple => {
        const src = at(space === 'node' ? 'n1' : space.name, family)
        if (proto === 'icmp') return { proto: family === 4 ? 'icmp' : 'icmpv6', src, dst, id: sport }
        return { proto, src, dst, sport, ...(dport !== undefined && { dport }) }
      })
      const watch = await watchIn(lab.ns.n1, { spaces: ['node'], tuples, seconds: 30 }, { shell, root })
      const results = await probeFrom(lab.ns.n1, probes, { shell, root })
      const seen = await watch.stop()

      expect(Object.fromEntries(results.map(({ id, answer }) => [id, answer]))).toEqual({
        dnat: { kind: 'answered', bytes: 0 },
        masquerade: { kind: 'answered', bytes: 0 },
        reset: { kind: 'refused' },
        prohibited: { kind: 'icmp', type: family === 4 ? 3 : 1, code: family === 4 ? 13 : 1, from: family === 4 ? n1 : expect.any(String) },
        dropped: { kind: 'silent' },
        answer: { kind: 'answered', bytes: expect.any(Number) },
        echo: { kind: 'answered', bytes: 0 },
        native: { kind: 'silent' },
        closed: { kind: 'refused' },
        'closed-udp': { kind: 'icmp', type: family === 4 ? 3 : 1, code: family === 4 ? 3 : 4, from: p2 },
        own: { kind: 'answered', bytes: 0 },
        // 3000 bytes do not fit into 1500, and must not be cut
        large: { kind: 'errno', name: 'EMSGSIZE' },
      })
      expect(results.find(({ id }) => id === 'dnat')).toMatchObject({ src: p1, sport: 40001 })

      const of = (id: string) => seen.packets.find(({ tuple }) => tuple !== undefined && probes[tuple]?.id === id)
      const filter = `${ip} filter FORWARD`
      const nat = `${ip} nat`
      const forward = 'inet own forward'
      // rules by their places in the lists above
      expect(hits(of('dnat'))).toEqual([
        `${nat} PREROUTING 0 jump SERVICES`,
        `${nat} SERVICES 1 accept`,
        `${filter} policy accept`,
        `${forward} 1 jump ports`,
        'inet own ports 0 accept',
        `${nat} POSTROUTING policy accept`,
      ])
      expect(toText(of('dnat'))).toBe(`postrouting ${p1}:40001 ${p2}:81`)
      expect(hits(of('masquerade'))).toContain(`${nat} POSTROUTING 0 accept`)
      expect(toText(of('masquerade'))).toBe(`postrouting ${n1}:40002 ${p2}:80`)
      expect(hits(of('reset')).at(-1)).toBe(`${filter} 0 drop`)
      expect(hits(of('prohibited')).at(-1)).toBe(`${filter} 1 drop`)
      expect(hits(of('dropped')).at(-1)).toBe(`${filter} 2 drop`)
      expect(toText(of('dropped'))).toBe('gone')
      expect(hits(of('native')).at(-1)).toBe(`${forward} 1 drop`)
      expect(of('own')).toMatchObject({ hook: 'output', end: { hook: 'postrouting', oif: 'eth0' } })
      expect(of('dnat')).toMatchObject({ hook: 'prerouting', iif: 'cali1', end: { oif: 'eth0' } })
      expect(of('echo')?.headers.icmp).toEqual({ type: family === 4 ? 8 : 128, code: 0, id: 40007 })
      expect(of('large')).toBeUndefined()

      // an entry of its own for each that was let through
      const made = seen.connections.filter(({ event }) => event === 'new')
      expect(made.map(({ original }) => original.sport ?? original.id).sort()).toEqual([40001, 40002, 40006, 40007, 40009, 40010, 40011])
      expect(made.find(({ original }) => original.sport === 40001)?.reply).toEqual({
        proto: 'tcp',
        src: p2,
        dst: p1,
        sport: 81,
        dport: 40001,
      })
      expect(made.find(({ original }) => original.sport === 40002)?.reply).toMatchObject({ src: p2, dst: n1 })
      expect(seen).toMatchObject({ missing: [], legacy: [], lost: false, disarmed: true })
      expect(await leftIn(lab.ns.n1, watch.folder)).toEqual([])
      await lab.sh('n1', 'nft flush ruleset')
    })
  },
)
