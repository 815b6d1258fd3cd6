/** The whole way, on real kernels: nodes and pods of the lab, predictions from their dumps, and what becomes of real packets. */
import { rmSync } from 'node:fs'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AskedFlow, type Catching, type Ground, predict, type Verified, verifyFlows } from '../../src/cli/verify/verify-flows.ts'
import { loadSnapshot } from '../../src/snapshot/load.ts'
import type { Snapshot } from '../../src/snapshot/types.ts'
import { memoryFiles } from '../../src/system/files-memory.ts'
import type { RunScript } from '../../src/system/run-script.ts'
import { fakeRoot } from '../support/collected-lab.ts'
import { needs } from '../support/needs.ts'
import { Agent } from '../support/netns-agent.ts'
import { flowOf, forFamily, nftText, parseFlows, restoreText } from '../support/netns-case.ts'
import { dumpHost, folderOf, objects } from '../support/netns-dump.ts'
import { type HostName, hosts, type Lab, makeLab, tcpPorts, udpPorts } from '../support/netns-lab.ts'
import { texts } from '../support/node-scripts.ts'

/** as kube-proxy and an admin write them, in both kinds of tables */
const rules = `
  nat -N SVC
  nat -N SEP1
  nat -N SEP2
  nat -A PREROUTING -d $svc/{32|128} -p tcp -m tcp --dport 80 -j SVC
  nat -A OUTPUT -d $svc/{32|128} -p tcp -m tcp --dport 80 -j SVC
  nat -A SVC -m statistic --mode random --probability 0.50000000000 -j SEP1
  nat -A SVC -j SEP2
  nat -A SEP1 -p tcp -m tcp -j DNAT --to-destination $p2:7000
  nat -A SEP2 -p tcp -m tcp -j DNAT --to-destination $p3:7001
  nat -A POSTROUTING -s $p1 -d $p3 -j MASQUERADE --random-fully
  filter -A FORWARD -p tcp -m tcp --dport 7002 -j REJECT --reject-with tcp-reset
  filter -A FORWARD -p udp -m udp --dport 7002 -j REJECT --reject-with icmp-port-unreachable
  filter -A FORWARD -p tcp -m tcp --dport 7003 -j DROP
  filter -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
  filter -A FORWARD -j ACCEPT`
const native = `table ip own {
  map ports { type inet_service : verdict; elements = { 81 : drop, 54 : drop } }
  chain forward {
    type filter hook forward priority filter + 10; policy accept;
    ct state established accept
    ip daddr $p2 tcp dport vmap @ports
    ip daddr $p2 udp dport vmap @ports
  }
}`

const flows = `
  p1 tcp $svc:80 = ok
  p1 tcp $p2:80 = ok
  p1 tcp $p3:80 = ok
  p1 tcp $p2:9 = ok
  p1 tcp $p2:81 = ok
  p1 tcp $p2:7002 = ok
  p1 tcp $p2:7003 = ok
  p1 udp $p2:53 = ok
  p1 udp $p2:54 = ok
  p1 udp $p2:7002 = ok
  p1 udp $p2:9 = ok
  p1 icmp $p2 = ok
  p2 tcp $p1:80 = ok
  p2 udp $n1:53 = ok
  n1 tcp $svc:80 = ok
  n1 tcp $p2:80 = ok
  n1 tcp $n2:80 = ok
  n1 icmp $n2 = ok
  n1 tcp $n1:80 = ok
  n2 tcp $p1:80 = ok
  p1 tcp $ext:80 = ok`

describe.runIf(needs('root', 'ip', 'iptables-restore', 'nft', 'conntrack', 'perl', 'python3', 'ipset'))(
  'predicted and observed',
  { timeout: 300_000 },
  () => {
    let lab: Lab
    const agent = new Agent()
    const roots: Partial<Record<HostName, string>> = {}

    beforeAll(async () => {
      lab = await makeLab()
      for (const node of ['n1', 'n2'] as const) roots[node] = fakeRoot(lab, node)
      await Promise.all(hosts.map((h) => agent.serve(lab.ns[h], h, tcpPorts, udpPorts)))
    })
    afterAll(async () => {
      agent.end()
      for (const folder of Object.values(roots)) rmSync(folder, { recursive: true })
      await lab.remove()
    })

    /** `sh` in the namespace of a node, where it finds its pods */
    const runOn =
      (node: HostName): RunScript =>
      async (script, _args, patienceMs, { heard, signal } = {}) => {
        // processes of its own are this machine's, those of pods are where fakeRoot put them
        const place = script.endsWith('\nstop\n') ? [] : [roots[node] ?? '']
        const running = execa('nsenter', [`--net=/run/netns/${lab.ns[node]}`, 'sh', '-s', '--', '20', node, ...place], {
          input: script,
          encoding: 'buffer',
          reject: false,
          timeout: patienceMs,
          ...(signal && { cancelSignal: signal }),
        })
        if (heard) running.stdout.on('data', heard)
        const ran = await running
        return { output: Buffer.from(ran.stdout), ...(ran.failed && { failure: Buffer.from(ran.stderr).toString() }) }
      }

    const load = async (family: 4 | 6, text: string, nft = native): Promise<void> => {
      const tool = family === 4 ? 'iptables' : 'ip6tables'
      await lab.sh(
        'n1',
        `nft flush ruleset\nconntrack -F 2> /dev/null || true\n${tool}-nft-restore <<'END'\n${restoreText(forFamily(text, family))}END\nnft -f - <<'END'\n${nftText(nft, family)}\nEND`,
      )
    }

    const read = async (): Promise<Snapshot> => {
      const files: Record<string, string> = { ...objects }
      for (const host of hosts) {
        for (const [name, dump] of Object.entries(await dumpHost(lab, host))) files[`${folderOf(host)}/${name}`] = dump
        delete files[`${folderOf(host)}/nft.json`]
        const listening = [...tcpPorts.map((p) => `tcp LISTEN 0 0 *:${p} *:*`), ...udpPorts.map((p) => `udp UNCONN 0 0 *:${p} *:*`)]
        files[`${folderOf(host)}/sockets.txt`] = `${listening.join('\n')}\n`
      }
      return loadSnapshot(memoryFiles('lab', files))
    }

    let grounds = 0
    const ground = async (snapshot?: Snapshot, again: () => Promise<Snapshot> = read): Promise<Ground> => ({
      snapshot: snapshot ?? (await read()),
      again,
      to: async (node) => (node === 'n1' || node === 'n2' ? runOn(node) : { missing: 'no way' }),
      texts,
      signal: new AbortController().signal,
      // ports of its own: those of a moment ago may still be in TIME_WAIT, though conntrack was made to forget them
      chance: (grounds++ * 100) / 10_000,
      newId: () => `lab${Math.random().toString(36).slice(2, 12).padEnd(8, '0')}`,
    })
    const asked = (text: string, family: 4 | 6): AskedFlow[] =>
      parseFlows(forFamily(text, family)).map((f) => ({ flow: flowOf(f), id: f.text.split(' = ')[0] as string }))
    /** What is caught, and when nodes watch for it. */
    const catching = (on: Ground, some: readonly AskedFlow[], how: Catching) => {
      const armed = Promise.withResolvers<void>()
      const caught = verify({ ...on, armed: () => armed.resolve() }, some, how)
      return { caught, armed: armed.promise }
    }
    const verify = (on: Ground, some: readonly AskedFlow[], catching?: Catching): Promise<Verified> =>
      verifyFlows(on, some, predict(on, on.snapshot, some, catching), catching)
    const told = ({ traces }: Verified) =>
      traces.map(
        ({ id, verification: v }) =>
          `${id}: ${v.result}${v.difference ? ` on ${v.difference.node}: ${v.difference.predicted} / ${v.difference.observed}` : ''}${v.reason ? ` (${v.reason})` : ''}`,
      )
    const tablesLeft = async () =>
      (await Promise.all((['n1', 'n2'] as const).map((n) => lab.sh(n, 'nft list tables')))).join('').match(/netctl_verify\S*/g) ?? []

    // alone: the node sends nothing by that address of its own
    test.each([4, 6] as const)('IPv%d: an error that comes to the address that a node masquerades with is seen there', async (family) => {
      await load(family, rules)
      const done = await verify(await ground(), asked('p1 udp $p3:9 = ok', family))
      expect(told(done)).toEqual([expect.stringMatching(/: agrees$/)])
    })

    test.each([4, 6] as const)('IPv%d: the kernel does as predicted, whatever the verdict', async (family) => {
      await load(family, rules)
      const some = asked(flows, family)
      const done = await verify(await ground(), some)
      expect(told(done)).toEqual(some.map(({ id }) => `${id}: agrees`))
      expect(done.left).toEqual([])
      expect(await tablesLeft()).toEqual([])
      const [svc] = done.traces
      const steps = [...(svc?.verification.steps.request ?? []), ...(svc?.verification.steps.reply ?? [])]
      expect(steps.filter((s) => s.status !== 'observed')).toEqual([])
      expect(new Set(done.traces.map((t) => t.verification.observed.verdict))).toEqual(new Set(['delivered', 'refused', 'dropped']))
    })

    describe('reality is otherwise by one rule: the step is found', () => {
      const lines = rules
        .trim()
        .split('\n')
        .map((l) => l.trim())
      const without = (k: number) => lines.filter((_, i) => i !== k).join('\n')
      const swap = (from: string, to: string) => rules.replace(from, to)
      const cases: readonly (readonly [name: string, real: string, nft: string, flow: string, predicted: RegExp, observed: RegExp])[] = [
        [
          'translations to other ports',
          swap('$p2:7000', '$p2:7001').replace('$p3:7001', '$p3:7000'),
          native,
          'p1 tcp $svc:80 = ok',
          /:700[01] tcp/,
          /:700[01] tcp/,
        ],
        [
          'a rule that drops is gone',
          swap('filter -A FORWARD -p tcp -m tcp --dport 7003 -j DROP', ''),
          native,
          'p1 tcp $p2:7003 = ok',
          /DROP/,
          /FORWARD/,
        ],
        [
          'a rule that drops is there',
          `filter -A FORWARD -p tcp -m tcp --dport 80 -j DROP\n${rules}`,
          native,
          'p1 tcp $p2:80 = ok',
          /ACCEPT/,
          /drop/i,
        ],
        [
          'another table',
          rules,
          native.replace('81 : drop', '80 : drop'),
          'p1 tcp $p2:80 = ok',
          /no further rule|goes on/,
          /vmap|did not get through/,
        ],
        [
          'the answer is dropped',
          swap('-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT', '-p tcp -m tcp --sport 80 -j DROP'),
          native,
          'p1 tcp $p2:80 = ok',
          /RELATED,ESTABLISHED/,
          /drop/i,
        ],
        [
          'what is not masqueraded any more',
          without(lines.findIndex((l) => l.includes('MASQUERADE'))),
          native,
          'p1 tcp $p3:7001 = ok',
          /MASQUERADE/,
          /./,
        ],
      ]
      test.each(cases)('%s', async (_, real, nft, flow, predicted, observed) => {
        await load(4, rules)
        const old = await read()
        await load(4, real, nft)
        // what is read again is still the old: the tables can't be what has changed
        const done = await verify(await ground(old, async () => old), asked(flow, 4))
        const v = done.traces[0]?.verification
        expect(told(done).join()).toMatch(/: differs on /)
        expect(v?.difference?.node).toBe('n1')
        expect(v?.difference?.predicted).toMatch(predicted)
        expect(v?.difference?.observed).toMatch(observed)
      })

      test('and is no difference once the tables are read again', async () => {
        await load(4, rules)
        const old = await read()
        await load(4, swap('$p2:7000', '$p2:7003').replace('--dport 7003 -j DROP', '--dport 7009 -j DROP').replace('$p3:7001', '$p2:7001'))
        const done = await verify(await ground(old), asked('p1 tcp $svc:80 = ok\np1 tcp $p2:80 = ok', 4))
        expect(told(done)).toEqual(['p1 tcp 10.96.0.1:80: agrees', 'p1 tcp 10.244.2.2:80: agrees'])
      })
    })

    test('a packet of somebody else’s is caught, and held against what is predicted of it', async () => {
      await load(4, rules)
      const on = await ground()
      const some = asked('p1 tcp $svc:80 = ok', 4)
      const { caught, armed } = catching(on, some, { patienceMs: 30_000, dropped: false })
      await Promise.race([armed, caught])
      await agent.probe({ ns: lab.ns.p1, proto: 'tcp', dst: '10.96.0.1', port: 80, times: 1, timeout: 2 })
      const done = await caught
      expect(told(done)).toEqual(['p1 tcp 10.96.0.1:80: agrees'])
      expect(done.traces[0]?.verification.sourcePort).toBeGreaterThan(1024)
    })

    test('ended early, it takes away what it put there', async () => {
      await load(4, rules)
      const stop = new AbortController()
      let armed: readonly string[] = []
      const on: Ground = {
        ...(await ground()),
        signal: stop.signal,
        armed: (nodes) => {
          armed = nodes
          stop.abort()
        },
      }
      const done = await verify(on, asked('p1 tcp $svc:80 = ok', 4), { patienceMs: 60_000, dropped: false })
      expect(armed).toEqual(['n1', 'n2'])
      expect([done.left, await tablesLeft()]).toEqual([[], []])
    })

    test('of several packets, the one that is dropped', async () => {
      await load(4, rules)
      const on = await ground()
      const other = catching(on, asked('ext tcp $p2:7003 = ok', 4), { patienceMs: 6000, dropped: true })
      await Promise.race([other.armed, other.caught])
      // n2 has no rules
      await agent.probe({ ns: lab.ns.ext, proto: 'tcp', dst: '10.244.2.2', port: 7003, times: 1, timeout: 2 })
      expect(told(await other.caught)).toEqual(['ext tcp 10.244.2.2:7003: unknown (no such packet was dropped while we waited)'])
      const { caught, armed } = catching(on, asked('p1 tcp $p2:7003 = ok', 4), { patienceMs: 30_000, dropped: true })
      await Promise.race([armed, caught])
      await agent.probe({ ns: lab.ns.p1, proto: 'tcp', dst: '10.244.2.2', port: 7003, times: 1, timeout: 2 })
      expect(told(await caught)).toEqual(['p1 tcp 10.244.2.2:7003: agrees'])
    })
  },
)
