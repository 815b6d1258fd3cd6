/**
 * `nft monitor trace` as the oracle for which rules a packet passed, not only for what became of it: random rulesets on one node of the lab,
 * rule by rule. NETCTL_SEEDS says how many (default 4 for each family).
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadSnapshot } from '../../src/snapshot/load.ts'
import type { Snapshot } from '../../src/snapshot/types.ts'
import { memoryFiles } from '../../src/system/files-memory.ts'
import { traceFlow } from '../../src/trace/trace.ts'
import type { Hop, Trace } from '../../src/trace/types.ts'
import { makeNftables } from '../fuzz/nftables.ts'
import type { Probe } from '../fuzz/scenario.ts'
import type { Pool } from '../fuzz/values.ts'
import { needs } from '../support/needs.ts'
import { Agent } from '../support/netns-agent.ts'
import { flowOf, forFamily, parseFlows } from '../support/netns-case.ts'
import { dumpHost, folderOf, objects } from '../support/netns-dump.ts'
import { addressOf, type HostName, hosts, type Lab, makeLab, tcpPorts, udpPorts } from '../support/netns-lab.ts'
import { monitorTrace, ruleText, type TracedPacket } from '../support/nft-trace.ts'
import { makeRandom } from './random.ts'

const seeds = Number(process.env.NETCTL_SEEDS ?? 4)
const flows = [
  'p1 tcp $p2:80',
  'p1 tcp $svc:81',
  'p1 udp $svc:7000',
  'p3 udp $p1:7001',
  'ext tcp $p1:7000',
  'ext udp $n1:53',
  'n1 tcp $p2:7002',
]

/** Values for the generator: the lab's addresses and the flows above. */
function poolOf(seed: number, family: 4 | 6): Pool {
  const r = makeRandom(seed)
  const of = (...names: string[]) => names.map((n) => addressOf(n, family))
  const all = of('p1', 'p2', 'p3', 'n1', 'n2', 'ext', 'svc', 'svc2')
  const prefixes = of('pods1', 'pods2', 'svcs', 'lan')
  const probes: readonly Probe[] = parseFlows(forFamily(flows.map((f) => `${f} = ok`).join('\n'), family)).map((f) => ({
    from: f.from,
    proto: f.proto,
    dst: f.dst,
    times: 1,
    ...(f.port !== undefined && { port: f.port }),
  }))
  const space = {
    ...{
      name: 'n1',
      kind: 'node' as const,
      ips: [],
      ip: [],
      bridge: [],
      sysctl: [],
      ipset: [],
      iptablesLegacy: [],
      iptablesNft: [],
      nft: [],
    },
    devices: ['cali1', 'cali3', 'eth0', 'eth1'],
    addresses: of('n1', 'n1b'),
  }
  return {
    r,
    net: { family, spaces: [], wires: [], services: of('svc', 'svc2'), prefixes, nobody: of('far') },
    space,
    sets: [],
    random: false,
    not: () => '',
    probe: () => r.pick(probes),
    sourceOf: (p) => addressOf(p.from, family),
    port: () => r.pick([80, 81, 7000, 7001]),
    backend: () => r.pick(of('p1', 'p2', 'p3')),
    address: () => r.pick(all),
    prefix: () => r.pick(prefixes),
    device: () => r.pick(space.devices),
    mark: () => r.pick(['0x1', '0x2', '0x3']),
  }
}

/** ours of n1, in the words of the kernel's trace */
const passed = (hops: readonly Hop[]): string[] =>
  hops.flatMap((h) =>
    h.node === 'n1' && h.table !== undefined && h.table !== 'inet tracing'
      ? [`${h.table} ${h.chain}: ${h.action === 'policy drop' ? 'policy drop' : ruleText(h.evidence?.text ?? '')}`]
      : [],
  )

/** every packet of TCP and UDP that comes in or is sent by the node itself is followed */
const tracing = ['add table inet tracing'].concat(
  ['prerouting', 'output'].flatMap((hook) => [
    `add chain inet tracing ${hook} { type filter hook ${hook} priority -400; }`,
    `add rule inet tracing ${hook} meta l4proto { tcp, udp } meta nftrace set 1`,
  ]),
)

describe.runIf(needs('root', 'ip', 'python3', 'nft', 'iptables-restore', 'ipset'))('nft monitor trace and the walk', () => {
  let agent: Agent
  let lab: Lab
  beforeAll(async () => {
    agent = new Agent()
    lab = await makeLab()
    await Promise.all(hosts.map((h) => agent.serve(lab.ns[h], h, tcpPorts, udpPorts)))
  })
  afterAll(async () => {
    await agent.leave(lab.all).catch(() => undefined)
    agent.end()
    await lab.remove()
  })

  /** Loads a ruleset, without the lines that nft finds unlawful: those that it took. */
  const load = async (lines: readonly string[]): Promise<readonly string[]> => {
    try {
      await lab.sh('n1', `nft flush ruleset\nconntrack -F 2>/dev/null || true\nnft -f - <<'END'\n${lines.join('\n')}\nEND`)
      return lines
    } catch (error) {
      const wrong = new Set([...String(error).matchAll(/\/dev\/stdin:(\d+):/g)].map((m) => Number(m[1])))
      if (wrong.size === 0) throw error
      return load(lines.filter((_, i) => !wrong.has(i + 1)))
    }
  }

  const snapshotOf = async (): Promise<Snapshot> => {
    const files: Record<string, string> = { ...objects }
    for (const host of hosts) {
      for (const [name, dump] of Object.entries(await dumpHost(lab, host as HostName))) files[`${folderOf(host)}/${name}`] = dump
      const listening = [...tcpPorts.map((p) => `tcp LISTEN 0 0 *:${p} *:*`), ...udpPorts.map((p) => `udp UNCONN 0 0 *:${p} *:*`)]
      files[`${folderOf(host)}/sockets.txt`] = `${listening.join('\n')}\n`
    }
    return loadSnapshot(memoryFiles('lab', files))
  }

  for (const family of [4, 6] as const) {
    test.each(Array.from({ length: seeds }, (_, i) => i + 1))(
      `seed %d, IPv${family}: the same rules in the same order`,
      { timeout: 300_000 },
      async (seed) => {
        const lines = await load([...makeNftables(poolOf(seed * 10 + family, family)), ...tracing])
        const snapshot = await snapshotOf()
        const monitor = await monitorTrace(lab.ns.n1, 'inet tracing')
        const told: string[] = []
        let compared = 0
        try {
          for (const line of parseFlows(forFamily(flows.map((f) => `${f} = ok`).join('\n'), family))) {
            const t: Trace = traceFlow(snapshot, flowOf(line), {})
            const [path, ...others] = t.paths
            if (!path || others.length > 0 || path.verdict === 'undecided') continue
            const before = monitor.packets().length
            await agent.probe({
              ns: lab.ns[line.from],
              proto: line.proto,
              dst: line.dst,
              times: 1,
              timeout: 0.5,
              ...(line.port && { port: line.port }),
            })
            const ours = passed(path.hops)
            const isTcp = line.proto.startsWith('tcp')
            const first = await seen(isTcp ? Math.min(1, ours.length) : ours.length, () =>
              monitor
                .packets()
                .slice(before)
                .find((p) => p.dst === line.dst && p.dport === line.port && p.proto === line.proto),
            )
            compared++
            const kernels = first?.rules ?? []
            // what comes after the handshake's end belongs to a packet of its own
            if (kernels.join('\n') !== ours.slice(0, kernels.length).join('\n') || (ours.length > kernels.length && !isTcp))
              told.push(`${line.text.replace(' = ok', '')}\n  ours:\n    ${ours.join('\n    ')}\n  kernel:\n    ${kernels.join('\n    ')}`)
          }
        } finally {
          monitor.stop()
        }
        expect(compared).toBeGreaterThan(0)
        expect(told, `\n${told.join('\n')}\n${lines.join('\n')}`).toEqual([])
      },
    )
  }
})

/** A packet's trace comes in pieces: it is complete when nothing is added any more, and for a while nothing was where more rules are foretold. */
async function seen(foretold: number, find: () => TracedPacket | undefined): Promise<TracedPacket | undefined> {
  let last = -1
  for (let quiet = 0; quiet < 25; quiet++) {
    await new Promise((resolve) => setTimeout(resolve, 60))
    const now = find()?.rules.length ?? -1
    if (now !== last) quiet = 0
    else if (now >= foretold || (foretold === 0 && quiet > 6)) break
    last = now
  }
  return find()
}
