/** The collector in network namespaces: what it reads must trace as the lab's own dump does, and hold no secret. */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadSnapshot } from '../../../src/snapshot/load.ts'
import type { Snapshot } from '../../../src/snapshot/types.ts'
import { openFolder } from '../../../src/system/files-folder.ts'
import { memoryFiles } from '../../../src/system/files-memory.ts'
import { traceFlow } from '../../../src/trace/trace.ts'
import { collectNode } from '../../support/collected-lab.ts'
import { needs, root } from '../../support/needs.ts'
import { flowOf, forFamily, parseFlows, restoreText } from '../../support/netns-case.ts'
import { dumpHost, folderOf, objects } from '../../support/netns-dump.ts'
import { hosts, type Lab, makeLab } from '../../support/netns-lab.ts'
import { outcomeText } from '../../support/outcome-text.ts'

const rules = {
  n1: `
    nat -A PREROUTING -d $svc -p tcp -m tcp --dport 80 -j DNAT --to-destination $p2:81
    filter -A FORWARD -m set --match-set blocked src -j DROP`,
  // of the other variant
  n2: 'filter -A FORWARD -p tcp -m tcp --dport 7000 -j REJECT --reject-with {icmp-port-unreachable|icmp6-port-unreachable}',
  p2: 'filter -A INPUT -p tcp -m tcp --dport 7001 -j DROP',
}
const sets = 'ipset create blocked hash:ip family {inet|inet6}; ipset add blocked $p3'
const native = (ip: string) => `table inet own {
  chain forward {
    type filter hook forward priority filter; policy accept;
    tcp dport 7002 counter drop
  }
}
table ${ip} nat {
  chain mine {
    type nat hook prerouting priority dstnat; policy accept;
    tcp dport 7003 dnat to $p2:82
  }
}`
const flows = `
  p1 tcp $svc:80 = p2 $p2:81 < $p1
  p1 tcp $p2:80 = p2 $p2:80 < $p1
  p3 tcp $p2:80 = dropped
  p1 tcp $p2:7000 = icmp 3/3 $n2
  p1 tcp $p2:7001 = dropped
  p1 tcp $p2:7002 = dropped
  p1 tcp $p2:7003 = p2 $p2:82 < $p1
  n2 tcp $p1:80 = p1 $p1:80 < $n2`

const listening = (port: number) => `tcp LISTEN 0 0 *:${port} *:*\n`
const sockets = [80, 81, 82].map(listening).join('')

describe.runIf(needs('root', 'ip', 'iptables-restore', 'ipset', 'nft', 'dash', 'busybox'))(
  'the collector and the lab’s own dump',
  { timeout: 300_000 },
  () => {
    let lab: Lab
    beforeAll(async () => {
      lab = await makeLab()
    })
    afterAll(() => lab.remove())

    test.each([
      [[], ['t_p1', 't_p3']],
      [['t_p3', 't_p9'], ['t_p3']],
      // a name that another one begins with
      [['t_p'], []],
      [['-'], []],
    ] as const)('only the pods that are wanted: %s', async (only, found) => {
      const { files, whole } = await collectNode(lab, 'n1', ['dash'], only)
      const folders = new Set([...files.keys()].flatMap((name) => /^pods\/([^/]+)/.exec(name)?.[1] ?? []))
      expect([whole, [...folders].sort()]).toEqual([true, found])
    })

    /** nobody listens in the lab */
    const snapshotOf = (files: Readonly<Record<string, string | Buffer>>): Snapshot =>
      loadSnapshot(memoryFiles('lab', { ...files, ...Object.fromEntries(hosts.map((h) => [`${folderOf(h)}/sockets.txt`, sockets])) }))

    test.each([
      [4, ['dash']],
      [6, ['busybox', 'ash']],
    ] as const)('IPv%d, %s', async (family, shell) => {
      const tool = family === 4 ? 'iptables' : 'ip6tables'
      await lab.sh('n1', forFamily(sets, family))
      await lab.sh('n2', `nft -f - <<'END'\n${forFamily(native(family === 4 ? 'ip' : 'ip6'), family)}\nEND`)
      for (const [host, variant] of [
        ['n1', 'nft'],
        ['n2', 'legacy'],
        ['p2', 'nft'],
      ] as const)
        await lab.sh(host, `${tool}-${variant}-restore <<'END'\n${restoreText(forFamily(rules[host], family))}END`)

      const dumped: Record<string, string | Buffer> = { ...objects }
      for (const host of hosts)
        for (const [name, text] of Object.entries(await dumpHost(lab, host))) dumped[`${folderOf(host)}/${name}`] = text
      const n1 = await collectNode(lab, 'n1', shell)
      const n2 = await collectNode(lab, 'n2', shell)
      expect([n1.whole, n2.whole]).toEqual([true, true])
      expect(Buffer.concat([...n1.files.values(), ...n2.files.values()]).includes('planted')).toBe(false)
      expect([...n1.notes, ...n2.notes].filter((note) => /left out|failed|changed/.test(note))).toEqual([])
      const own = Object.fromEntries(Object.entries(dumped).filter(([name]) => !/^(nodes|pods)\//.test(name)))
      const collected = snapshotOf({ ...own, ...Object.fromEntries([...n1.files, ...n2.files]) })
      expect([...collected.hosts.keys()].sort()).toEqual(['external/ext', 'node/n1', 'node/n2', 'pod/t/p1', 'pod/t/p2', 'pod/t/p3'])

      for (const flow of parseFlows(forFamily(flows, family))) {
        const told = [snapshotOf(dumped), collected].map((snapshot) => {
          const trace = traceFlow(snapshot, flowOf(flow))
          const ways = trace.paths.map((p) => [...p.hops, ...(p.reply?.hops ?? [])].map((h) => `${h.node} ${h.where} ${h.action}`))
          return { outcomes: trace.outcomes.map((o) => outcomeText(o, flow.proto)), ways }
        })
        expect(told[1]?.outcomes, flow.text).toEqual(flow.expected)
        expect(told[1], flow.text).toEqual(told[0])
      }
      for (const host of ['n1', 'n2', 'p2'] as const) await lab.sh(host, `nft flush ruleset; ${tool}-legacy -F; ${tool}-legacy -t nat -F`)
      await lab.sh('n1', 'ipset destroy blocked')
    })

    test('netctl collect --local: a folder or an archive that loads, for its owner only', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'netctl-collect-'))
      try {
        const collect = (out: string) =>
          execa(
            'nsenter',
            [
              `--net=/run/netns/${lab.ns.n1}`,
              process.execPath,
              join(root, 'bin/dev.ts'),
              'collect',
              '--local',
              '--node',
              'n1',
              '-O',
              out,
              '-o',
              'json',
            ],
            { reject: false },
          )
        const made = await collect(join(folder, 'snapshot'))
        expect(JSON.parse(made.stdout)).toMatchObject({ kind: 'Collected', nodes: [{ node: 'n1' }] })
        const snapshot = loadSnapshot(openFolder(join(folder, 'snapshot')))
        expect(snapshot.hosts.get('node/n1')?.links?.map((l) => l.name)).toEqual(['lo', 'eth0', 'eth1', 'cali1', 'cali3'])
        expect(snapshot.header.takenAt).toBeDefined()
        for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
          expect(statSync(join(entry.parentPath, entry.name)).mode & 0o077, entry.name).toBe(0)

        expect((await collect(join(folder, 'snapshot.tar.gz'))).exitCode).toBe(made.exitCode)
        const shown = await execa(process.execPath, [
          join(root, 'bin/dev.ts'),
          'snapshot',
          'show',
          join(folder, 'snapshot.tar.gz'),
          '-o',
          'json',
        ])
        expect(JSON.parse(shown.stdout)).toMatchObject({ source: 'netctl collect --local', counts: { nodes: 1 } })
        expect(statSync(join(folder, 'snapshot.tar.gz')).mode & 0o777).toBe(0o600)

        const again = await collect(join(folder, 'snapshot'))
        expect([again.exitCode, JSON.parse(again.stdout).error.code]).toEqual([2, 'SNP002'])
        expect(readdirSync(folder).sort()).toEqual(['snapshot', 'snapshot.tar.gz'])
      } finally {
        rmSync(folder, { recursive: true })
      }
    })
  },
)
