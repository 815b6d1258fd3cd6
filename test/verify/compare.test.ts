import { describe, expect, test } from 'vitest'
import type { TraceHeaders } from '../../src/kernel/nftables/trace-events.ts'
import type { Flow } from '../../src/trace/types.ts'
import type { SeenPacket, SeenStep } from '../../src/verify/types.ts'
import { addresses } from '../support/netns-lab.ts'
import { make } from '../support/snapshot-builder.ts'
import { asPredicted, verify, type World } from './kernel-as-predicted.ts'

const at = (name: string, family: 4 | 6 = 4) => (addresses[name] as readonly [string, string])[family === 4 ? 0 : 1]
const flow = (from: 'p1' | 'n1' | 'ext', to: string, port = 80, proto: Flow['proto'] = 'tcp', family: 4 | 6 = 4): Flow => ({
  from: { kind: from === 'p1' ? 'pod' : from === 'n1' ? 'node' : 'external', name: from === 'p1' ? 't/p1' : from },
  proto,
  dst: at(to, family),
  ...(proto !== 'icmp' && { port }),
})

/** a Service of two backends as kube-proxy writes it, and a filter that lets it pass */
const service = {
  rules: {
    n1: `nat -N SVC
      nat -N SEP1
      nat -N SEP2
      nat -A PREROUTING -d $svc/{32|128} -p tcp -m tcp --dport 80 -j SVC
      nat -A SVC -m statistic --mode random --probability 0.50000000000 -j SEP1
      nat -A SVC -j SEP2
      nat -A SEP1 -p tcp -j DNAT --to-destination $p2:7000
      nat -A SEP2 -p tcp -j DNAT --to-destination $p3:7001
      nat -A POSTROUTING -s $p1 -d $p3 -j MASQUERADE --random-fully
      filter -A FORWARD -p tcp -j ACCEPT`,
    n2: 'filter -A FORWARD -d $p2 -p tcp -m tcp --dport 7000 -j ACCEPT',
  },
}

/** of the packets of a node, the k-th otherwise */
function change({ seen }: World, node: string, k: number, how: (p: SeenPacket) => SeenPacket): void {
  const of = seen.get(node)
  if (!of) throw new Error(`nothing is watched on ${node}`)
  of.packets = of.packets.map((p, i) => (i === k ? how(p) : p))
}
const forget = ({ seen }: World, node: string): void => {
  const of = seen.get(node)
  if (of) of.packets = []
}
/** as the last hook sees it */
const last = (p: SeenPacket): TraceHeaders => p.end?.headers ?? p.headers
const rule = (step: SeenStep, index: number): SeenStep => ({ ...step, index }) as SeenStep

describe.each([4, 6] as const)('the kernel does as predicted, IPv%d', (family) => {
  const snapshot = make(service, family)

  test.each([0, 1])('by either backend of a Service (%d)', (path) => {
    const world = asPredicted(snapshot, flow('p1', 'svc', 80, 'tcp', family), path)
    const v = verify(snapshot, world)
    expect(v).toMatchObject({ result: 'agrees', path, observed: { verdict: 'delivered', afterMs: 2 } })
    expect(v.unseen).toEqual([])
    expect(v.steps.request.filter((s) => s.status !== 'observed')).toEqual([])
    expect(v.steps.reply.filter((s) => s.status !== 'observed')).toEqual([])
  })

  test('ping', () => {
    expect(verify(snapshot, asPredicted(snapshot, flow('p1', 'p2', 0, 'icmp', family))).result).toBe('agrees')
  })

  test('dropped by a rule, where the rule is', () => {
    const dropping = make({ rules: { n2: 'filter -A FORWARD -d $p2 -j DROP' } }, family)
    const v = verify(dropping, asPredicted(dropping, flow('p1', 'p2', 80, 'tcp', family)))
    expect(v).toMatchObject({ result: 'agrees', observed: { verdict: 'dropped' } })
    expect(v.steps.request.at(-1)?.status).toBe('observed')
  })

  test('refused by a rule, and what that says comes back', () => {
    const refusing = make({ rules: { n2: 'filter -A FORWARD -d $p2 -p tcp -j REJECT --reject-with icmp-port-unreachable' } }, family)
    const world = asPredicted(refusing, flow('p1', 'p2', 80, 'tcp', family))
    expect(verify(refusing, world)).toMatchObject({ result: 'agrees', observed: { verdict: 'refused' } })
    world.answer = { kind: 'errno', name: 'ECONNREFUSED' }
    expect(verify(refusing, world).result).toBe('agrees')
  })
})

describe('each kind of difference is found at its step', () => {
  const snapshot = make(service)
  const hit = (world: World) => {
    const v = verify(snapshot, world)
    const { difference } = v
    const path = world.trace.paths[v.path ?? 0]
    const hop =
      difference?.hop === undefined ? undefined : (difference.way === 'request' ? path?.hops : path?.reply?.hops)?.[difference.hop]
    return { result: v.result, node: difference?.node, action: hop?.action, observed: difference?.observed, way: difference?.way, v }
  }
  const world = (path = 0) => asPredicted(snapshot, flow('p1', 'svc'), path)

  test('another rule', () => {
    const w = world()
    change(w, 'n2', 0, (p) => ({ ...p, steps: p.steps.map((s) => rule(s, 1)) }))
    expect(hit(w)).toMatchObject({
      result: 'differs',
      node: 'n2',
      action: 'accept',
      observed: 'ip filter FORWARD: the text of rule 0 as nft prints it',
    })
  })

  test('a rule that was not hit, and the packet ends', () => {
    const w = world()
    change(w, 'n2', 0, ({ end: _, ...p }) => ({ ...p, steps: [] }))
    w.answer = { kind: 'silent' }
    expect(hit(w)).toMatchObject({ result: 'differs', node: 'n2', action: 'accept', observed: 'no further rule' })
  })

  test('a rule more', () => {
    const w = world()
    const more: SeenStep = { kind: 'rule', table: 'inet other', chain: 'forward', index: 0, text: 'drop', verdict: 'drop' }
    change(w, 'n2', 0, ({ end: _, ...p }) => ({ ...p, steps: [...p.steps, more] }))
    w.answer = { kind: 'silent' }
    expect(hit(w)).toMatchObject({ result: 'differs', node: 'n2', observed: 'inet other forward: drop' })
  })

  test('a policy that drops', () => {
    const w = world()
    change(w, 'n1', 0, ({ end: _, ...p }) => ({
      ...p,
      steps: [...p.steps.slice(0, -1), { kind: 'policy', table: 'ip filter', chain: 'FORWARD', verdict: 'drop' }],
    }))
    w.answer = { kind: 'silent' }
    const found = hit(w)
    expect(found).toMatchObject({ result: 'differs', node: 'n1', observed: 'ip filter FORWARD: policy drop' })
  })

  test('policies that accept are no news', () => {
    const w = world()
    change(w, 'n2', 0, (p) => ({
      ...p,
      steps: [...p.steps, { kind: 'policy', table: 'ip mangle', chain: 'POSTROUTING', verdict: 'accept' }],
    }))
    expect(hit(w).result).toBe('agrees')
  })

  test('another translation than the rule’s', () => {
    const w = world()
    change(w, 'n1', 0, (p) => ({ ...p, ...(p.end && { end: { ...p.end, headers: { ...last(p), dport: 7002 } } }) }))
    expect(hit(w)).toMatchObject({
      result: 'differs',
      node: 'n1',
      action: 'DNAT to 10.244.2.2:7000',
      observed: '10.244.1.2:40000 → 10.244.2.2:7002 tcp',
    })
  })

  test('another device', () => {
    const w = world()
    change(w, 'n1', 0, (p) => ({ ...p, ...(p.end && { end: { ...p.end, oif: 'eth1' } }) }))
    expect(hit(w)).toMatchObject({ result: 'differs', node: 'n1', observed: 'leaves by eth1' })
    expect(hit(w).action).toContain('dev eth0')
    const other = world()
    change(other, 'n2', 0, (p) => ({ ...p, iif: 'eth1' }))
    expect(hit(other)).toMatchObject({ result: 'differs', node: 'n2', observed: 'came in by eth1' })
  })

  test('a packet that was to end goes on', () => {
    const dropping = make({ rules: { n2: 'filter -A FORWARD -d $p2 -j DROP' } })
    const w = asPredicted(dropping, flow('p1', 'p2'))
    change(w, 'n2', 0, (p) => ({ ...p, steps: [], end: { hook: 'postrouting', headers: p.headers, oif: 'cali2' } }))
    w.answer = { kind: 'answered' }
    const v = verify(dropping, w)
    expect(v).toMatchObject({ result: 'differs', difference: { node: 'n2', observed: 'no further rule' } })
  })

  test('what was said to the client, where every step was as predicted', () => {
    const w = world()
    w.answer = { kind: 'refused' }
    expect(hit(w)).toMatchObject({ result: 'differs', observed: 'refused (rst)' })
  })

  test('a packet that does not come in on the next node', () => {
    const w = world()
    forget(w, 'n2')
    w.answer = { kind: 'silent' }
    expect(hit(w)).toMatchObject({ result: 'differs', node: 'n1', action: 'to n2 (172.18.0.12)' })
  })

  test('the answer', () => {
    const w = world()
    // n2: the request, then the answer
    change(w, 'n2', 1, ({ end: _, ...p }) => ({
      ...p,
      steps: [{ kind: 'rule', table: 'ip filter', chain: 'FORWARD', index: 0, text: 'drop', verdict: 'drop' }],
    }))
    w.answer = { kind: 'silent' }
    expect(hit(w)).toMatchObject({ result: 'differs', node: 'n2', way: 'reply', observed: 'ip filter FORWARD: drop' })
  })

  test('as conntrack has it, where no packet was traced', () => {
    const w = world()
    const n1 = w.seen.get('n1')
    if (!n1) throw new Error('n1 is not watched')
    n1.packets = []
    const original = { proto: 'tcp', src: at('p1'), dst: at('svc'), sport: 40_000, dport: 80 } as const
    n1.connections = [
      {
        space: 'node',
        original,
        reply: { proto: 'tcp', src: at('p2'), dst: at('p1'), sport: 7003, dport: 40_000 },
      },
    ]
    expect(hit(w)).toMatchObject({
      result: 'differs',
      node: 'n1',
      action: 'DNAT to 10.244.2.2:7000',
      observed: 'answers from 10.244.2.2:7003 to 10.244.1.2',
    })
  })
})

describe('what was not seen is no agreement, and said', () => {
  const snapshot = make(service)

  test('a node that could not be reached', () => {
    const v = verify(snapshot, asPredicted(snapshot, flow('p1', 'svc')), { n2: 'ssh: connection refused' })
    expect(v).toMatchObject({ result: 'unknown', reason: 'the end is as predicted, but the packet was not seen on n2' })
    expect(v.unseen).toEqual(['n2: ssh: connection refused'])
    const rulesOfN2 = v.steps.request.filter((_, i) => asPredicted(snapshot, flow('p1', 'svc')).trace.paths[0]?.hops[i]?.node === 'n2')
    expect(rulesOfN2.some((s) => s.status === 'unseen')).toBe(true)
  })

  test('a drop on a node that could not be reached', () => {
    const dropping = make({ rules: { n2: 'filter -A FORWARD -d $p2 -j DROP' } })
    const v = verify(dropping, asPredicted(dropping, flow('p1', 'p2')), { n2: 'no way' })
    expect(v).toMatchObject({ result: 'unknown', reason: 'there was no answer, as predicted; where it was dropped was not seen (n2)' })
  })

  test('a drop behind the last place that is watched', () => {
    const dropping = make({ routes: { p2: `-default\nblackhole ${at('p1')}` } })
    const w = asPredicted(dropping, flow('p1', 'p2'))
    expect(w.trace.outcomes).toMatchObject([{ verdict: 'dropped' }])
    expect(verify(dropping, w)).toMatchObject({
      result: 'unknown',
      reason: "there was no answer, as predicted; where it was dropped can't be seen: it left n2 by cali2, for pod/t/p2",
    })
  })

  test('a drop by a route, on a node that saw it come and not leave', () => {
    const dropping = make({ routes: { n2: `-${at('p2')}\nblackhole ${at('p2')}` } })
    const w = asPredicted(dropping, flow('p1', 'p2'))
    expect(w.trace.outcomes).toMatchObject([{ verdict: 'dropped' }])
    expect(verify(dropping, w).result).toBe('agrees')
    // that it did not leave shows by nothing being told
    Object.assign(w.seen.get('n2') ?? {}, { lost: true })
    expect(verify(dropping, w)).toMatchObject({ result: 'unknown', unseen: ['n2: there was more to see than could be told'] })
  })

  test('a drop by a rule that was seen, where other things were not told', () => {
    const dropping = make({ rules: { n2: 'filter -A FORWARD -d $p2 -j DROP' } })
    const w = asPredicted(dropping, flow('p1', 'p2'))
    Object.assign(w.seen.get('n2') ?? {}, { lost: true })
    expect(verify(dropping, w).result).toBe('agrees')
  })

  test('a node that watched, and saw nothing', () => {
    const w = asPredicted(snapshot, flow('p1', 'svc'))
    forget(w, 'n2')
    expect(verify(snapshot, w)).toMatchObject({ result: 'unknown', reason: 'the end is as predicted, but the packet was not seen on n2' })
  })

  test('more than could be told', () => {
    const w = asPredicted(snapshot, flow('p1', 'svc'))
    const n2 = w.seen.get('n2')
    if (n2) Object.assign(n2, { packets: [], lost: true })
    const v = verify(snapshot, w)
    expect(v).toMatchObject({ result: 'unknown', unseen: ['n2: there was more to see than could be told'] })
  })

  test('iptables-legacy: its rules are not traced, its translation shows', () => {
    const legacy = make({ legacy: { n1: 'nat -A PREROUTING -d $svc/{32|128} -p tcp -m tcp --dport 80 -j DNAT --to-destination $p2:7000' } })
    const w = asPredicted(legacy, flow('p1', 'svc'))
    const n1 = w.seen.get('n1')
    if (n1) Object.assign(n1, { legacy: [4], missing: ['node: rules of iptables-legacy are not traced by the kernel'] })
    const v = verify(legacy, w)
    expect(v).toMatchObject({ result: 'agrees', unseen: ['n1: rules of iptables-legacy are not traced by the kernel'] })
    const nat = w.trace.paths[0]?.hops.findIndex((h) => h.action.startsWith('DNAT')) ?? -1
    expect(v.steps.request[nat]?.status).toBe('unseen')
    change(w, 'n1', 0, (p) => ({ ...p, ...(p.end && { end: { ...p.end, headers: { ...last(p), dst: at('p3') } } }) }))
    expect(verify(legacy, w)).toMatchObject({ result: 'differs', difference: { hop: nat } })
  })

  test('iptables-legacy beside iptables-nft: which came first is not known, so rules that were not met are no difference', () => {
    const both = make({ rules: { n2: 'filter -A FORWARD -p tcp -j ACCEPT' }, legacy: { n2: 'filter -A FORWARD -d $p2 -j DROP' } })
    const w = asPredicted(both, flow('p1', 'p2'))
    expect(w.trace.outcomes).toMatchObject([{ verdict: 'dropped' }])
    expect(verify(both, w).result).toBe('agrees')
    change(w, 'n2', 0, (p) => ({ ...p, steps: [] }))
    expect(verify(both, w).result).toBe('agrees')
    // it got through, after all
    change(w, 'n2', 0, (p) => ({ ...p, end: { hook: 'postrouting', headers: p.headers, oif: 'cali2' } }))
    expect(verify(both, w).result).toBe('differs')
  })

  test('a device’s rules, of which the kernel tells some', () => {
    const w = asPredicted(snapshot, flow('p1', 'svc'))
    const more: SeenStep = { kind: 'rule', table: 'netdev other', chain: 'egress', index: 0, text: 'counter', verdict: 'continue' }
    change(w, 'n1', 0, (p) => ({ ...p, steps: [...p.steps, more] }))
    expect(verify(snapshot, w).result).toBe('agrees')
  })

  test('another netctl that watches at the same time, on either side', () => {
    const w = asPredicted(snapshot, flow('p1', 'svc'))
    const theirs: SeenStep = {
      kind: 'rule',
      table: 'inet netctl_verify_other',
      chain: 'output',
      index: 0,
      text: 'jump watched',
      verdict: 'jump watched',
    }
    change(w, 'n1', 0, (p) => ({ ...p, steps: [theirs, ...p.steps] }))
    expect(verify(snapshot, w)).toMatchObject({ result: 'agrees', unseen: [] })
  })

  test('a chain that was made anew meanwhile: of its rules only the verdicts are known', () => {
    const w = asPredicted(snapshot, flow('p1', 'svc'))
    const remade = (p: SeenPacket, verdict?: string): SeenPacket => ({
      ...p,
      steps: p.steps.map((s, i) =>
        s.kind === 'rule'
          ? { kind: 'rule', table: s.table, chain: s.chain, text: i % 2 === 0 ? '' : 'as nft says it', verdict: verdict ?? s.verdict }
          : s,
      ),
    })
    change(w, 'n1', 0, (p) => remade(p))
    const v = verify(snapshot, w)
    expect(v).toMatchObject({
      result: 'agrees',
      unseen: [
        'n1: of some rules only chain and verdict are known: they were made anew while packets were watched, or there were too many',
      ],
    })
    expect(v.steps.request.filter((s) => s.status === 'unseen').length).toBeGreaterThan(0)
    // a translation shows all the same
    const moved = asPredicted(snapshot, flow('p1', 'svc'))
    change(moved, 'n1', 0, (p) => ({ ...remade(p), ...(p.end && { end: { ...p.end, headers: { ...last(p), dst: at('n1') } } }) }))
    expect(verify(snapshot, moved).result).toBe('differs')
    const dropped = asPredicted(snapshot, flow('p1', 'svc'))
    change(dropped, 'n1', 0, (p) => remade(p, 'drop'))
    expect(verify(snapshot, dropped).result).toBe('differs')
  })

  test('a server of UDP that says nothing to a probe', () => {
    const w = asPredicted(snapshot, flow('p1', 'p2', 53, 'udp'))
    for (const seen of w.seen.values()) seen.packets = seen.packets.filter((p) => p.headers.dst === at('p2'))
    w.answer = { kind: 'silent' }
    expect(verify(snapshot, w)).toMatchObject({ result: 'unknown', reason: expect.stringContaining('said nothing') })
    forget(w, 'n2')
    expect(verify(snapshot, w)).toMatchObject({ result: 'differs', difference: { node: 'n1' } })
  })

  test('a probe that could not be sent, and nobody who could send it', () => {
    const w = asPredicted(snapshot, flow('p1', 'svc'))
    w.answer = { kind: 'failed', reason: 'no perl' }
    expect(verify(snapshot, w)).toMatchObject({ result: 'unknown', reason: 'the probe could not be sent: no perl' })
    const outside = asPredicted(snapshot, flow('ext', 'n1', 80))
    expect(outside.plan.flows[0]?.unable).toBe('external/ext is no machine of the cluster; --catch waits for its next packet')
  })

  test('an ICMP error that a host did not send', () => {
    const refusing = make({ rules: { n2: 'filter -A FORWARD -d $p2 -p udp -j REJECT --reject-with icmp-port-unreachable' } })
    const w = asPredicted(refusing, flow('p1', 'p2', 53, 'udp'))
    for (const seen of w.seen.values()) seen.packets = seen.packets.filter((p) => p.headers.proto === 'udp')
    w.answer = { kind: 'silent' }
    expect(verify(refusing, w)).toMatchObject({ result: 'unknown', reason: expect.stringContaining('no ICMP error was sent') })
    // what was not refused is something else
    change(w, 'n2', 0, (p) => ({ ...p, steps: [], end: { hook: 'postrouting', headers: p.headers, oif: 'cali2' } }))
    expect(verify(refusing, w)).toMatchObject({ result: 'differs', difference: { node: 'n2' } })
  })

  test('an undecided prediction', () => {
    const unknown = make({ rules: { n2: 'mangle -A FORWARD -m u32 --u32 "0=1" -j DROP' } })
    const w = asPredicted(unknown, flow('p1', 'p2'))
    w.answer = { kind: 'answered' }
    expect(verify(unknown, w)).toMatchObject({ result: 'unknown', reason: expect.stringContaining('nothing was predicted') })
  })
})

describe('whose packet is whose', () => {
  const snapshot = make(service)

  test('a port that masquerading chose is known from the node before', () => {
    const masquerading = make({ rules: { n1: 'nat -A POSTROUTING -d $p2 -j MASQUERADE --random-fully' } })
    const w = asPredicted(masquerading, flow('p1', 'p2'))
    const masqueraded = (p: SeenPacket, sport: number): SeenPacket => ({
      ...p,
      headers: { ...p.headers, sport },
      ...(p.end && { end: { ...p.end, headers: { ...last(p), sport } } }),
    })
    change(w, 'n1', 0, (p) => ({ ...p, ...(p.end && { end: { ...p.end, headers: { ...last(p), sport: 5555 } } }) }))
    const n2 = w.seen.get('n2')
    const [first, second] = n2?.packets ?? []
    if (!n2 || !first || !second) throw new Error('n2 sees request and answer')
    // somebody else's packet came before, and was dropped
    const { end: _, ...theirs } = masqueraded(first, 4444)
    const back = {
      ...second,
      headers: { ...last(second), dport: 5555 },
      ...(second.end && { end: { ...second.end, headers: { ...last(second), dport: 5555 } } }),
    }
    n2.packets = [
      { ...theirs, steps: [{ kind: 'rule', table: 'ip filter', chain: 'FORWARD', index: 0, text: 'drop', verdict: 'drop' }] },
      masqueraded(first, 5555),
      back,
    ]
    change(w, 'n1', 1, (p) => ({ ...p, headers: { ...p.headers, dport: 5555 } }))
    expect(verify(masquerading, w)).toMatchObject({ result: 'agrees' })
  })

  test('a SYN that was said twice counts once', () => {
    const w = asPredicted(snapshot, flow('p1', 'svc'))
    const n2 = w.seen.get('n2')
    const [first, ...rest] = n2?.packets ?? []
    if (!n2 || !first) throw new Error('n2 sees it')
    n2.packets = [first, { ...first, steps: [] }, ...rest]
    expect(verify(snapshot, w).result).toBe('agrees')
  })
})
