/** Hosts are read when they are first asked for, and no more of them than that; damage is told all the same. */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { lightened, loadSnapshot } from '../../src/snapshot/load.ts'
import { describeSnapshot } from '../../src/snapshot/show.ts'
import type { Snapshot } from '../../src/snapshot/types.ts'
import { openFolder } from '../../src/system/files-folder.ts'
import { memoryFiles } from '../../src/system/files-memory.ts'
import { traceFlow } from '../../src/trace/trace.ts'
import type { Flow } from '../../src/trace/types.ts'
import { captures } from '../support/captures.ts'
import { needs } from '../support/needs.ts'
import { flowOf, truthOf } from '../support/predict.ts'
import { example, filesOf, spied, withFiles } from './damage.ts'

const shop = filesOf(example)
const flow = (from: string, dst: string, port: number): Flow => ({ from: { kind: 'pod', name: from }, proto: 'tcp', dst, port })
const pods = loadSnapshot(openFolder(example)).cluster.pods
const podOn = (node: string, other = '') => {
  const pod = pods.find((p) => p.node === node && !p.hostNetwork && p.phase === 'Running' && p.name !== other)
  if (!pod) throw new Error(`no pod on ${node}`)
  return { name: `${pod.namespace}/${pod.name}`, ip: pod.ips.find((ip) => ip.family === 4)?.text ?? '', port: pod.ports[0]?.port ?? 80 }
}
/** what tells whose address is whose, and who is whose neighbour */
const LOOKED_AT = /^(?:ip-addr|ip-link|ip-route|ip6-route|ip-nexthop)\.json$/

test('a walk reads the hosts on its way; of other nodes and their pods the addresses and routes at most', () => {
  const { source, read } = spied(openFolder(example))
  const snapshot = loadSnapshot(source)
  expect([...read].filter((file) => /^(?:nodes|pods|external)\//.test(file))).toEqual([])
  const [from, to] = [podOn('n1'), podOn('n2')]
  expect(traceFlow(snapshot, flow(from.name, to.ip, to.port)).paths.length).toBeGreaterThan(0)
  const of = (dir: string) => [...read].filter((file) => file.startsWith(`${dir}/`)).map((file) => file.slice(dir.length + 1))
  expect(of('nodes/n1')).toContain('iptables-save.txt')
  expect(of('nodes/n2')).toContain('iptables-save.txt')
  expect(of('nodes/n3').filter((file) => !LOOKED_AT.test(file))).toEqual([])
  const strangers = pods.filter((p) => p.node === 'n3').map((p) => `pods/${p.namespace}_${p.name}`)
  expect(strangers.length).toBeGreaterThan(1)
  // where nodes hang on veth pairs themselves, the other end may be a pod's
  expect(strangers.flatMap(of).filter((file) => !LOOKED_AT.test(file))).toEqual([])
})

describe('a dump that is cut off', () => {
  const dumps = [...shop.keys()].filter((f) =>
    /^(?:nodes\/n3|pods\/[^/]+|external\/[^/]+)\/.*(?:\.json|tables-save\.txt|nft\.txt)$/.test(f),
  )
  const cut = (file: string) => withFiles(shop, { [file]: (shop.get(file) as Buffer).subarray(0, (shop.get(file) as Buffer).length >> 1) })

  test.each(dumps.filter((file) => (shop.get(file) as Buffer).toString().trim() !== '[]'))('%s: snapshot show tells', (file) => {
    expect(() => describeSnapshot(loadSnapshot(cut(file)))).toThrow(expect.objectContaining({ name: 'ParseError', file }))
  })

  test('stops the walk that comes to it, and no other', () => {
    const file = 'nodes/n3/iptables-save.txt'
    const [from, near, far] = [podOn('n1'), podOn('n2'), podOn('n3')]
    const [whole, damaged] = [loadSnapshot(withFiles(shop, {})), loadSnapshot(cut(file))]
    const elsewhere = flow(from.name, near.ip, near.port)
    expect(traceFlow(damaged, elsewhere)).toEqual(traceFlow(whole, elsewhere))
    const there = () => traceFlow(damaged, flow(from.name, far.ip, far.port))
    // also when it is asked again
    for (let n = 0; n < 2; n++) expect(there).toThrow(expect.objectContaining({ name: 'ParseError', file }))
  })
})

describe('a snapshot that lets go of its hosts', () => {
  test('is the same until it holds more than it may', () => {
    const plenty = loadSnapshot(openFolder(example))
    expect(lightened(plenty)).toBe(plenty)
    const snapshot = loadSnapshot(openFolder(example), { hosts: new Map() }, 0)
    const lighter = lightened(snapshot)
    expect(lighter).not.toBe(snapshot)
    expect({ ...lighter, hosts: undefined }).toMatchObject({ name: snapshot.name, header: snapshot.header, files: snapshot.files })
    expect(lighter.hosts.get('node/n1')).not.toBe(snapshot.hosts.get('node/n1'))
    // one that is supposed to be otherwise is not what was loaded
    const changed: Snapshot = { ...snapshot, down: new Set(['node/n1']) }
    expect(lightened(changed)).toBe(changed)
  })

  test('keeps what one flow alone needs: the next may need the same', () => {
    const { source, read } = spied(openFolder(example))
    let now = lightened(loadSnapshot(source, { hosts: new Map() }, 0))
    const [from, to] = [podOn('n1'), podOn('n2')]
    for (let n = 0; n < 5; n++) {
      read.clear()
      traceFlow(now, flow(from.name, to.ip, to.port))
      now = lightened(now)
      expect(read.has('nodes/n1/iptables-save.txt')).toBe(n === 0)
    }
  })

  test('reads again what is asked for again, and counts it once', () => {
    const { source, read } = spied(memoryFiles('shop', shop))
    describeSnapshot(loadSnapshot(source))
    const total = [...read].reduce((sum, name) => sum + (shop.get(name) as Buffer).length, 0)
    const limits = { entries: 1e5, archive: 1e9, total, file: 1e9, ratio: 1000, ratioFrom: 1e9 }
    const described = (most: number) =>
      describeSnapshot(loadSnapshot(memoryFiles('shop', shop, { ...limits, total: most }), { hosts: new Map() }, 0))
    expect(described(total).nodes).toHaveLength(3)
    expect(() => described(total - 1)).toThrow('together are larger')
  })

  test.runIf(needs('captures')).each(['vxlan-iptables', 'nft-nft', 'ipip-ipvs', 'crosssubnet-nft-dualstack'])(
    '%s: answers are the same',
    (name) => {
      const folder = join(captures, name)
      const kept = loadSnapshot(openFolder(folder))
      let now = loadSnapshot(openFolder(folder), { hosts: new Map() }, 0)
      let times = 0
      const truth = truthOf(folder)
      // each time that it lets go costs the reading of its hosts
      for (const line of truth.filter((_, i) => i % Math.ceil(truth.length / 25) === 0)) {
        expect(traceFlow(now, flowOf(line))).toEqual(traceFlow(kept, flowOf(line)))
        const lighter = lightened(now)
        if (lighter !== now) times++
        now = lighter
      }
      expect(times).toBeGreaterThan(0)
      expect(describeSnapshot(now)).toEqual(describeSnapshot(kept))
    },
  )
})
