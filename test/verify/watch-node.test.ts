/** The watch and the prober of a node in network namespaces, with real packets: what they tell, and that nothing of them is left. */
import { rmSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Probe, SeenPacket, Tuple } from '../../src/verify/types.ts'
import { fakeRoot } from '../support/collected-lab.ts'
import { needs } from '../support/needs.ts'
import { Agent } from '../support/netns-agent.ts'
import { forFamily, restoreText } from '../support/netns-case.ts'
import { addressOf as at, type HostName, hosts, type Lab, makeLab, tcpPorts, udpPorts } from '../support/netns-lab.ts'
import { leftIn, probeFrom, watchIn, without } from '../support/watched-node.ts'

const rules = `
  nat -N SERVICES
  nat -A PREROUTING -j SERVICES
  nat -A SERVICES -d $svc2 -p tcp -m tcp --dport 80 -j DNAT --to-destination $n1:1
  nat -A SERVICES -d $svc -p tcp -m tcp --dport 80 -j DNAT --to-destination $p2:81
  nat -A POSTROUTING -s $p3 -d $p2 -j MASQUERADE
  filter -A FORWARD -p tcp -m tcp --dport 7000 -j REJECT --reject-with tcp-reset
  filter -A FORWARD -p udp -m udp --dport 7000 -j REJECT --reject-with {icmp-admin-prohibited|icmp6-adm-prohibited}
  filter -A FORWARD -p tcp -m tcp --dport 7001 -j DROP
  filter -A OUTPUT -p udp -m udp --dport 7002 -j REJECT
  filter -A OUTPUT -p udp -m udp --dport 7003 -j DROP`
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

const hits = (packet: SeenPacket | undefined): readonly string[] =>
  (packet?.steps ?? []).flatMap((step) => {
    if (step.kind === 'headers') return []
    return [`${step.table} ${step.chain} ${step.kind === 'rule' ? step.index : 'policy'} ${step.verdict}`]
  })
const toText = (packet: SeenPacket | undefined): string => {
  const { end } = packet ?? {}
  return end ? `${end.hook} ${end.headers?.src}:${end.headers?.sport} ${end.headers?.dst}:${end.headers?.dport}` : 'gone'
}

describe.runIf(needs('root', 'ip', 'iptables-restore', 'nft', 'conntrack', 'perl', 'dash', 'busybox', 'python3'))(
  'packets of our own on their way',
  { timeout: 300_000 },
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
      rmSync(root, { recursive: true, force: true })
      await lab.remove()
    })

    afterEach(async () => {
      for (const host of ['n1', 'n2', 'p1'] as const) await lab.sh(host, 'nft flush ruleset')
      // a connection that is known already is not new
      await lab.sh('n1', 'iptables-legacy -t nat -F; conntrack -F 2> /dev/null')
    })

    test.each([
      [4, ['dash'], 'perl'],
      [6, ['busybox', 'ash'], 'perl'],
      [4, ['sh'], 'python3'],
      [6, ['sh'], 'python3'],
    ] as const)('IPv%d, %s, probes by %s', async (family, shell, sender) => {
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
        probe('dnat', 'p1', 'tcp', svc, 20001, 80),
        probe('masquerade', 'p3', 'tcp', p2, 20002, 80),
        probe('reset', 'p1', 'tcp', p2, 20003, 7000),
        probe('prohibited', 'p1', 'udp', p2, 20004, 7000),
        probe('dropped', 'p1', 'tcp', p2, 20005, 7001),
        probe('answer', 'p1', 'udp', p2, 20006, 53),
        probe('echo', 'p1', 'icmp', p2, 20007),
        probe('native', 'p1', 'tcp', p2, 20008, 7002),
        probe('closed', 'p1', 'tcp', p2, 20009, 9),
        probe('closed-udp', 'p1', 'udp', p2, 20010, 9),
        probe('own', 'n1', 'tcp', p2, 20011, 80),
        probe('large', 'p1', 'udp', p2, 20012, 54),
        // what the system call says, EPERM, is not all of it
        probe('own-rejected', 'n1', 'udp', p2, 20013, 7002),
        probe('own-dropped', 'n1', 'udp', p2, 20014, 7003),
      ].map((one) => (one.id === 'large' ? { ...one, size: 3000 } : one))
      const tuples = probes.map(({ proto, dst, sport, dport, space }): Tuple => {
        const src = at(space === 'node' ? 'n1' : space.name, family)
        if (proto === 'icmp') return { proto: family === 4 ? 'icmp' : 'icmpv6', src, dst, id: sport }
        return { proto, src, dst, sport, ...(dport !== undefined && { dport }) }
      })
      const watch = await watchIn(lab.ns.n1, { spaces: ['node'], tuples, seconds: 30 }, { shell, root })
      const around = sender === 'perl' ? without('python3') : without('perl')
      const results = await probeFrom(lab.ns.n1, probes, { shell, root, around })
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
        'own-rejected': { kind: 'icmp', type: family === 4 ? 3 : 1, code: family === 4 ? 3 : 4, from: n1 },
        'own-dropped': { kind: 'silent' },
        // 3000 bytes do not fit into 1500, and must not be cut
        large: { kind: 'errno', name: 'EMSGSIZE' },
      })
      expect(results.find(({ id }) => id === 'dnat')).toMatchObject({ src: p1, sport: 20001 })

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
      expect(toText(of('dnat'))).toBe(`postrouting ${p1}:20001 ${p2}:81`)
      expect(hits(of('masquerade'))).toContain(`${nat} POSTROUTING 0 accept`)
      expect(toText(of('masquerade'))).toBe(`postrouting ${n1}:20002 ${p2}:80`)
      expect(hits(of('reset')).at(-1)).toBe(`${filter} 0 drop`)
      expect(hits(of('prohibited')).at(-1)).toBe(`${filter} 1 drop`)
      expect(hits(of('dropped')).at(-1)).toBe(`${filter} 2 drop`)
      expect(toText(of('dropped'))).toBe('gone')
      expect(hits(of('native')).at(-1)).toBe(`${forward} 1 drop`)
      expect(of('own')).toMatchObject({ hook: 'output', end: { hook: 'postrouting', oif: 'eth0' } })
      expect(of('dnat')).toMatchObject({ hook: 'prerouting', iif: 'cali1', end: { oif: 'eth0' } })
      expect(of('echo')?.headers.icmp).toEqual({ type: family === 4 ? 8 : 128, code: 0, id: 20007 })
      expect(of('large')).toBeUndefined()
      expect(hits(of('own-rejected'))).toEqual([`${ip} filter OUTPUT 0 drop`])
      expect(hits(of('own-dropped'))).toEqual([`${ip} filter OUTPUT 1 drop`])

      // an entry of its own for each that was let through
      const made = seen.connections
      expect(made.map(({ original }) => original.sport ?? original.id).sort()).toEqual([20001, 20002, 20006, 20007, 20009, 20010, 20011])
      expect(made.find(({ original }) => original.sport === 20001)?.reply).toEqual({
        proto: 'tcp',
        src: p2,
        dst: p1,
        sport: 81,
        dport: 20001,
      })
      expect(made.find(({ original }) => original.sport === 20002)?.reply).toMatchObject({ src: p2, dst: n1 })
      expect(seen).toMatchObject({ missing: [], legacy: [], lost: false, disarmed: true })
      expect(await leftIn(lab.ns.n1, watch.folder)).toEqual([])
    })

    test('200 connections at once with a busy neighbour: all of ours, and nothing else', async () => {
      const [p1, p3, p2, svc] = ['p1', 'p3', 'p2', 'svc'].map((name) => at(name, 4)) as [string, string, string, string]
      await lab.sh('n1', `iptables-nft-restore <<'END'\n${restoreText(forFamily(rules, 4))}END`)
      const probes = Array.from({ length: 200 }, (_, i): Probe => {
        const from = i % 3 === 0 ? 'p3' : 'p1'
        return {
          id: `f${i}`,
          space: { namespace: 't', name: from },
          proto: 'tcp',
          dst: svc,
          sport: 21000 + i,
          dport: 80,
          patienceMs: 20_000,
        }
      })
      const tuples = probes.map(
        ({ space, dst, sport, dport }): Tuple => ({
          proto: 'tcp',
          src: space !== 'node' && space.name === 'p1' ? p1 : p3,
          dst,
          sport,
          ...(dport && { dport }),
        }),
      )
      const watch = await watchIn(lab.ns.n1, { spaces: ['node'], tuples, seconds: 60 }, { root })
      let over = false
      const neighbour = (async () => {
        while (!over)
          await Promise.all([
            agent.probe({ ns: lab.ns.p1, proto: 'tcp', dst: svc, port: 80, timeout: 2, times: 20 }),
            agent.probe({ ns: lab.ns.p3, proto: 'udp', dst: p2, port: 53, timeout: 2, times: 20 }),
          ])
      })()
      const results = await probeFrom(lab.ns.n1, probes, { root })
      over = true
      await neighbour
      const seen = await watch.stop()
      expect(results.filter(({ answer }) => answer.kind !== 'answered')).toEqual([])
      expect(seen.lost).toBe(false)
      expect(seen.packets.filter(({ tuple }) => tuple === undefined)).toEqual([])
      // a segment that the kernel repeats is seen again
      expect(new Set(seen.packets.map(({ headers }) => headers.sport))).toEqual(new Set(probes.map(({ sport }) => sport)))
      for (const packet of seen.packets) expect(packet.end?.headers).toMatchObject({ dst: p2, dport: 81 })
      // of a neighbour that overruns conntrack it is told
      if (seen.missing.length === 0) expect(seen.connections.length).toBe(200)
      else expect(seen.missing).toEqual(['node: more new connections than conntrack could tell: some may be missing'])
      expect(await leftIn(lab.ns.n1, watch.folder)).toEqual([])
    })

    test('in a pod that has rules, on a node of iptables-legacy: each namespace by itself', async () => {
      const [p1, p2] = ['p1', 'p2'].map((name) => at(name, 4)) as [string, string]
      await lab.sh('n1', 'iptables-legacy -t nat -A PREROUTING -p tcp --dport 82 -j DNAT --to-destination :80')
      await lab.sh('p1', 'nft -f - <<END\ntable ip own {\nchain out {\ntype filter hook output priority 0\ntcp dport 7003 drop\n}\n}\nEND')
      const probe = (sport: number, dport: number): Probe => ({
        id: `p${sport}`,
        space: { namespace: 't', name: 'p1' },
        proto: 'tcp',
        dst: p2,
        sport,
        dport,
        patienceMs: 500,
      })
      const probes = [probe(20001, 82), probe(20002, 7003)]
      const tuples = probes.map(({ dst, sport, dport }): Tuple => ({ proto: 'tcp', src: p1, dst, sport, ...(dport && { dport }) }))
      const pod = { namespace: 't', name: 'p1' }
      const gone = { namespace: 't', name: 'p9' }
      const watch = await watchIn(lab.ns.n1, { spaces: ['node', pod, gone], tuples, seconds: 30 }, { root })
      expect((await probeFrom(lab.ns.n1, probes, { root })).map(({ answer }) => answer.kind)).toEqual(['answered', 'silent'])
      const seen = await watch.stop()
      expect(seen).toMatchObject({ legacy: [4], lost: false, disarmed: true })
      expect(seen.missing).toEqual(['node: rules of iptables-legacy are not traced by the kernel', 'pod t_p9: no process of it is here'])
      const by = (sport: number) => seen.packets.filter(({ headers }) => headers.sport === sport && headers.tcp === 'syn')
      expect(by(20001).map(({ space, hook }) => [space, hook])).toEqual([
        ['node', 'prerouting'],
        [pod, 'output'],
      ])
      // what the rule did is seen though the rule is not
      expect(by(20001).map(toText)).toEqual([`postrouting ${p1}:20001 ${p2}:80`, `postrouting ${p1}:20001 ${p2}:82`])
      expect(by(20002).map((packet) => [packet.space, ...hits(packet)])).toEqual([[pod, 'ip own out 0 drop']])
      expect(await leftIn(lab.ns.n1, watch.folder)).toEqual([])
      expect(await lab.sh('p1', 'nft list tables')).toBe('table ip own\n')
    })

    test('a catch: any source port, and no probe of ours', async () => {
      const [p1, p2] = ['p1', 'p2'].map((name) => at(name, 6)) as [string, string]
      await lab.sh('n1', `nft -f - <<'END'\n${native}\nEND`)
      const watch = await watchIn(lab.ns.n1, { spaces: ['node'], tuples: [{ proto: 'udp', src: p1, dst: p2, dport: 53 }], seconds: 30 })
      await agent.probe({ ns: lab.ns.p1, proto: 'udp', dst: p2, port: 54, timeout: 2, times: 1 })
      await agent.probe({ ns: lab.ns.p1, proto: 'udp', dst: p2, port: 53, timeout: 2, times: 1 })
      // told while it goes on
      await expect.poll(() => watch.seen().packets.length).toBeGreaterThan(0)
      expect(watch.seen()).toMatchObject({ packets: [{ tuple: 0, headers: { src: p1, dst: p2, dport: 53 } }], disarmed: false })
      expect(await watch.stop()).toMatchObject({ connections: [{ original: { dport: 53 } }], disarmed: true })
      expect(await leftIn(lab.ns.n1, watch.folder)).toEqual([])
    })
  },
)
