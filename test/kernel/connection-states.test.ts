/**
 * Connections that outlive the rules they were made under: opened for real, then the rules change, the tables are dumped, and the next packet
 * must go where the walk says that it goes.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadSnapshot } from '../../src/snapshot/load.ts'
import { memoryFiles } from '../../src/system/files-memory.ts'
import { traceFlow } from '../../src/trace/trace.ts'
import type { Flow } from '../../src/trace/types.ts'
import { needs } from '../support/needs.ts'
import { forFamily, restoreText } from '../support/netns-case.ts'
import { dumpHost, folderOf, objects } from '../support/netns-dump.ts'
import { type HostName, hosts, type Lab, makeLab, pods } from '../support/netns-lab.ts'
import { startTalk, type Talk } from '../support/netns-talk.ts'

const able = needs('root', 'ip', 'python3', 'iptables-restore', 'conntrack')
/** nobody has this address, and n2 says nothing about it */
const gone = '{10.244.2.9|fd44:2::9}'
const sendTo = (where: string) =>
  ['tcp', 'udp']
    .map((proto) => `nat -A PREROUTING -d $svc/{32|128} -p ${proto} -m ${proto} --dport 80 -j DNAT --to-destination ${where}`)
    .join('\n')

describe.runIf(able).each([4, 6] as const)('connections that exist (IPv%i)', (family) => {
  let lab: Lab
  let talk: Talk
  const say = (text: string): string => forFamily(text, family)
  const tool = family === 4 ? 'iptables' : 'ip6tables'

  beforeAll(async () => {
    lab = await makeLab()
    talk = startTalk()
    for (const h of ['p1', 'p2', 'p3', 'ext'] as const) await talk.listen(lab.ns[h], h, 80)
    await lab.sh('n2', say('ip route add blackhole $pods2 2>/dev/null || true'))
  })
  afterAll(async () => {
    talk.stop()
    await lab.remove()
  })

  /** the rules of a node from now on; connections stay */
  const rules = (node: HostName, text: string) =>
    lab.sh(
      node,
      `for t in raw mangle nat filter; do ${tool} -t $t -F; done\n${tool} -P FORWARD ACCEPT\n${tool}-restore -w 5 --noflush <<'END'\n${restoreText(say(text))}END`,
    )
  const forget = (node: HostName, sport: number) =>
    lab.sh(node, `conntrack -D -f ipv${family} -p tcp --orig-port-src ${sport} 2>/dev/null || true`)

  async function predicted(flow: Omit<Flow, 'from'> & Partial<Pick<Flow, 'from'>>): Promise<string> {
    const files: Record<string, string> = { ...objects }
    await Promise.all(
      hosts.map(async (host) => {
        const folder = folderOf(host)
        for (const [name, text] of Object.entries(await dumpHost(lab, host, family))) files[`${folder}/${name}`] = text
        files[`${folder}/sockets.txt`] = await lab.sh(host, 'ss -Hlntu')
        if (host in pods || host === 'ext') return
        files[`${folder}/conntrack.txt`] = await lab.sh(host, `conntrack -L -f ipv${family} 2>/dev/null`)
        files[`${folder}/sysctl.txt`] += await lab.sh(host, 'sysctl net.netfilter.nf_conntrack_tcp_loose')
      }),
    )
    const { outcomes } = traceFlow(loadSnapshot(memoryFiles('lab', files)), { from: { kind: 'pod', name: 't/p1' }, ...flow })
    return outcomes.map((o) => (o.verdict === 'delivered' ? (o.endpoint?.split('/').at(-1) ?? '') : (o.reason ?? o.verdict))).join(' | ')
  }
  const web = (proto: 'tcp' | 'udp', sport: number, state?: Flow['state']) =>
    ({ proto, dst: say('$svc'), port: 80, sourcePort: sport, ...(state && { state }) }) as const
  const open = (name: string, proto: 'tcp' | 'udp', sport: number, timeout?: number) =>
    talk.begin({ talk: name, ns: lab.ns.p1, proto, dst: say('$svc'), port: 80, sport, ...(timeout !== undefined && { timeout }) })
  const silence = 0.8

  test('they pass rules that let nothing new pass, with the translation that they were made with', async () => {
    await rules('n1', sendTo('$p2'))
    expect(await open('a', 'tcp', 40000)).toBe('open')
    await open('b', 'udp', 40000)
    expect([await talk.say('a'), await talk.say('b')]).toEqual(['p2', 'p2'])
    await rules('n1', `${sendTo('$p3')}\nfilter -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\nfilter -A FORWARD -j DROP`)
    for (const state of ['from-dump', 'established'] as const)
      expect([await predicted(web('tcp', 40000, state)), await predicted(web('udp', 40000, state))]).toEqual(['p2', 'p2'])
    expect([await talk.say('a'), await talk.say('b')]).toEqual(['p2', 'p2'])
    expect(await predicted(web('tcp', 40001))).toBe('dropped')
    expect(await open('c', 'tcp', 40001, silence)).toBe('TimeoutError')
  })

  test('UDP to where nobody is goes on, whatever the rules say now', async () => {
    await rules('n1', sendTo(gone))
    await open('d', 'udp', 40010)
    expect(await talk.say('d', 'word', silence)).toBe('TimeoutError')
    await rules('n1', sendTo('$p2'))
    expect(await predicted(web('udp', 40010, 'from-dump'))).toBe('dropped')
    expect(await predicted(web('udp', 40011))).toBe('p2')
    expect(await talk.say('d', 'word', silence)).toBe('TimeoutError')
    await open('e', 'udp', 40011)
    expect(await talk.say('e')).toBe('p2')
  })

  test('a SYN that was not answered is sent again to the same place', async () => {
    await rules('n1', sendTo(gone))
    const opening = open('f', 'tcp', 40020, 3.5)
    // the first SYN is out when the entry is there
    await lab.sh(
      'n1',
      `for i in $(seq 500); do conntrack -L -f ipv${family} 2>/dev/null | grep -q 'sport=40020.*UNREPLIED' && break; sleep 0.02; done`,
    )
    await rules('n1', sendTo('$p2'))
    expect(await predicted(web('tcp', 40020, 'from-dump'))).toBe('dropped')
    // a second and a third SYN follow after one second each (tcp_syn_linear_timeouts) or one and three
    expect(await opening).toBe('TimeoutError')
  })

  test.each([
    [1, 'NEW', 'dropped', 40030],
    [1, 'INVALID', 'p2', 40031],
    [0, 'NEW', 'p2', 40032],
    [0, 'INVALID', 'dropped', 40033],
  ] as const)('a node that has lost the entry, with tcp_loose %i and a rule that drops %s: %s', async (loose, state, result, sport) => {
    await rules('n1', sendTo('$p2'))
    await rules('n2', 'filter -A FORWARD -j ACCEPT')
    expect(await open(`g${sport}`, 'tcp', sport)).toBe('open')
    await lab.sh('n2', `sysctl -qw net.netfilter.nf_conntrack_tcp_loose=${loose}`)
    await rules('n2', `filter -A FORWARD -d $p2 -m conntrack --ctstate ${state} -j DROP`)
    await forget('n2', sport)
    expect(await predicted(web('tcp', sport, 'from-dump'))).toBe(result)
    expect(await talk.say(`g${sport}`, 'word', result === 'dropped' ? silence : 4)).toBe(result === 'dropped' ? 'TimeoutError' : result)
    await rules('n2', 'filter -A FORWARD -j ACCEPT')
  })

  test('after the end of a connection the same port begins another one: the nat rules are asked', async () => {
    await rules('n1', sendTo('$p2'))
    expect(await open('h', 'tcp', 40040)).toBe('open')
    expect(await talk.say('h', 'close')).toBe('closed')
    await talk.end('h')
    await lab.sh(
      'n1',
      `for i in $(seq 500); do conntrack -L -f ipv${family} 2>/dev/null | grep -q 'TIME_WAIT.*sport=40040' && break; sleep 0.02; done`,
    )
    await rules('n1', sendTo('$p3'))
    expect(await predicted(web('tcp', 40040, 'from-dump'))).toBe('p3')
    expect(await open('i', 'tcp', 40040)).toBe('open')
    expect(await talk.say('i')).toBe('p3')
  })

  test('a client that has lost the way is told so of a new connection, not of one that it has', async () => {
    await rules('n1', sendTo('$p2'))
    expect([await open('o', 'tcp', 40070), await open('p', 'udp', 40070)]).toEqual(['open', 'open'])
    expect([await talk.say('o'), await talk.say('p')]).toEqual(['p2', 'p2'])
    await lab.sh('p1', say('ip route add unreachable $svc/{32|128}'))
    expect(await predicted(web('tcp', 40070, 'from-dump'))).toBe('dropped')
    expect([await predicted(web('udp', 40070, 'from-dump')), await predicted(web('tcp', 40071))]).toEqual(['unreachable', 'unreachable'])
    expect([await talk.say('o', 'word', silence), await talk.say('p', 'word', silence)]).toEqual(['TimeoutError', 'OSError'])
    expect(await open('q', 'tcp', 40071)).toBe('OSError')
    await lab.sh('p1', say('ip route del unreachable $svc/{32|128}'))
  })

  test('after a reset it depends on who sent it', async () => {
    await rules('n1', sendTo('$p2'))
    expect(await open('j', 'tcp', 40050)).toBe('open')
    expect(await open('k', 'tcp', 40051)).toBe('open')
    expect([await talk.say('j'), await talk.say('k')]).toEqual(['p2', 'p2'])
    expect(await talk.say('j', 'reset')).toBe('ConnectionResetError')
    await talk.end('j')
    await talk.end('k', true)
    await rules('n1', sendTo('$p3'))
    for (const sport of [40050, 40051]) expect(await predicted(web('tcp', sport, 'from-dump'))).toContain('which side reset the connection')
    expect([await open('l', 'tcp', 40050), await open('m', 'tcp', 40051)]).toEqual(['open', 'open'])
    expect([await talk.say('l'), await talk.say('m')]).toEqual(['p2', 'p3'])
  })

  test('a node that sees requests only never has the connection as established', async () => {
    await rules('n1', 'filter -A FORWARD -j ACCEPT')
    await rules('n2', 'filter -A FORWARD -d $p1 -m conntrack --ctstate ESTABLISHED -j DROP')
    await lab.sh('ext', say('ip route replace $pods1 via $n2'))
    expect(await talk.begin({ talk: 'n', ns: lab.ns.ext, proto: 'tcp', dst: say('$p1'), port: 80, sport: 40060 })).toBe('open')
    expect(await talk.say('n')).toBe('p1')
    const flow = { from: { kind: 'external', name: 'ext' }, proto: 'tcp', dst: say('$p1'), port: 80, state: 'established' } as const
    expect(await predicted(flow)).toContain('n2 sees the requests of this connection, but not their answers')
  })
})
