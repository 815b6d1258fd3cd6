/** Runs a case: the walk through the dump of a lab, and real packets through the lab itself, must come to the same. */
import { loadSnapshot } from '../../src/snapshot/load.ts'
import { suppose } from '../../src/snapshot/what-if/apply.ts'
import { memoryFiles } from '../../src/system/files-memory.ts'
import { traceFlow } from '../../src/trace/trace.ts'
import type { Outcome } from '../../src/trace/types.ts'
import { mayHappen } from './chance.ts'
import type { Agent, Seen } from './netns-agent.ts'
import { type Case, type FlowLine, flowOf, forFamily, nftText, payloadOf, restoreText } from './netns-case.ts'
import { dumpHost, folderOf, objects } from './netns-dump.ts'
import { type HostName, hosts, type Lab, makeLab, tcpPorts, udpPorts } from './netns-lab.ts'
import { outcomeText, seenText } from './outcome-text.ts'

export type Backend = 'nft' | 'legacy'
type Files = Readonly<Record<string, string>>
const untouched = new Map<HostName, Promise<Files>>()

/** What became of those of a case's flows that did not come to what was expected. */
export async function runCase(
  agent: Agent,
  c: Case,
  family: 4 | 6,
  backend: Backend,
  flows: readonly FlowLine[],
): Promise<ReadonlyMap<FlowLine, string>> {
  const lab = await makeLab()
  try {
    await prepare(lab, c, family, backend)
    const today = loadSnapshot(memoryFiles(c.name, oneForm(await dump(lab, c, family), c, backend)))
    const { snapshot } = suppose(today, { replace: [], withoutRule: [], sysctl: [], nodeDown: [], ...forFamilyAll(c.suppose, family) })
    for (const [host, script] of Object.entries(c.later ?? {})) await lab.sh(host as HostName, forFamily(script, family))
    await Promise.all(hosts.map((h) => agent.serve(lab.ns[h], h, tcpPorts, udpPorts)))
    const wrong = new Map<FlowLine, string>()
    await Promise.all(
      flows.map(async (flow) => {
        const outcomes = traceFlow(snapshot, flowOf(flow), { brief: true }).outcomes
        const how = compare(flow, outcomes, await observe(agent, lab, flow, outcomes))
        if (how !== undefined) wrong.set(flow, how)
      }),
    )
    return wrong
  } finally {
    await agent.leave(lab.all).catch(() => undefined)
    await lab.remove()
  }
}

const forFamilyAll = (lists: Case['suppose'] = {}, family: 4 | 6) =>
  Object.fromEntries(Object.entries(lists).map(([name, list]) => [name, list.map((text) => forFamily(text, family))]))

/** The two forms of nft's list take turns; the JSON of nft 1.0 does not tell devices of base chains. */
function oneForm(files: Files, { nft }: Case, backend: Backend): Files {
  const left = backend === 'legacy' && !Object.values(nft ?? {}).some((text) => text.includes(' device ')) ? '/nft.txt' : '/nft.json'
  return Object.fromEntries(Object.entries(files).filter(([name]) => !name.endsWith(left)))
}

async function prepare(lab: Lab, c: Case, family: 4 | 6, backend: Backend): Promise<void> {
  for (const [host, script] of Object.entries(c.sh ?? {})) await lab.sh(host as HostName, forFamily(script, family))
  for (const [host, text] of Object.entries(c.nft ?? {})) await lab.sh(host as HostName, `nft -f - <<'END'\n${nftText(text, family)}\nEND`)
  const load = async (rules: Case['rules'], variant: Backend) => {
    for (const [host, text] of Object.entries(rules ?? {})) {
      await lab.sh(
        host as HostName,
        `${family === 4 ? 'iptables' : 'ip6tables'}-${variant}-restore -w 5 <<'END'\n${restoreText(forFamily(text, family))}END`,
      )
    }
  }
  await load(c.rules, backend)
  await load(c.otherBackend, backend === 'nft' ? 'legacy' : 'nft')
}

async function dump(lab: Lab, c: Case, family: 4 | 6): Promise<Files> {
  const touched = new Set(Object.keys({ ...c.sh, ...c.nft, ...c.rules, ...c.otherBackend }))
  const files: Record<string, string> = { ...objects }
  await Promise.all(
    hosts.map(async (host) => {
      const taken = (touched.has(host) ? undefined : untouched.get(host)) ?? dumpHost(lab, host, touched.has(host) ? family : undefined)
      if (!touched.has(host)) untouched.set(host, taken)
      for (const [name, text] of Object.entries(await taken)) files[`${folderOf(host)}/${name}`] = text
    }),
  )
  // the agent's servers, which are not up yet while the dump is taken
  const sockets = [...tcpPorts.map((p) => ['tcp', 'LISTEN', p] as const), ...udpPorts.map((p) => ['udp', 'UNCONN', p] as const)]
    .flatMap(([proto, state, port]) => [`${proto} ${state} 0 0 0.0.0.0:${port} 0.0.0.0:*`, `${proto} ${state} 0 0 [::]:${port} [::]:*`])
    .join('\n')
  for (const host of hosts) files[`${folderOf(host)}/sockets.txt`] = `${sockets}\n`
  const left = (c.undumped ?? []).map((pod) => `${folderOf(pod)}/`)
  return left.length === 0 ? files : Object.fromEntries(Object.entries(files).filter(([name]) => !left.some((f) => name.startsWith(f))))
}

/** Silence is waited for only where it is foretold; a lost race on a busy machine must not look like a drop. */
function observe(agent: Agent, lab: Lab, f: FlowLine, outcomes: readonly Outcome[]): Promise<readonly Seen[]> {
  const silent = outcomes.some((o) => o.verdict === 'dropped' || o.verdict === 'undecided')
  return agent.probe({
    ns: lab.ns[f.from],
    proto: f.proto,
    dst: f.dst,
    times: f.times,
    timeout: silent ? 0.7 : 10,
    ...(f.port !== undefined && { port: f.port }),
    ...(f.source !== undefined && { source: f.source }),
    ...payloadOf(f),
  })
}

function compare(f: FlowLine, outcomes: readonly Outcome[], seen: readonly Seen[]): string | undefined {
  const predicted = new Map<string, number>()
  for (const o of outcomes) predicted.set(outcomeText(o, f.proto), o.probability)
  const counted = new Map<string, number>()
  for (const s of seen) counted.set(seenText(s), (counted.get(seenText(s)) ?? 0) + 1)
  const told = `${f.text}\n      ours:   ${[...predicted].map(([k, p]) => `${k} (${p})`).join(' | ')}${outcomes.map((o) => (o.reason === undefined ? '' : ` ${o.reason}`)).join('')}\n      kernel: ${[...counted].map(([k, n]) => `${k} (${n} of ${seen.length})`).join(' | ')}`
  const loose = (k: string) => (f.expected.includes('ok') && k.includes(' < ') ? 'ok' : k)
  const expected = [...f.expected].sort().join(' | ')
  if ([...new Set([...predicted.keys()].map(loose))].sort().join(' | ') !== expected) return `not what was expected: ${told}`
  if (expected === 'undecided') return undefined
  for (const [k, n] of counted) {
    const p = predicted.get(k)
    // one datagram in a hundred may get lost on a busy machine
    if (p === undefined && k === 'dropped' && n <= seen.length / 100) continue
    if (p === undefined) return `the kernel does otherwise: ${told}`
    if (!mayHappen(n, seen.length, p)) return `the kernel's frequencies differ: ${told}`
  }
  return undefined
}
