/** Virtual servers as recorded, and random ones, through the model and the kernel: read, printed, restored, saved: the same. */
import { beforeAll, describe, expect, test } from 'vitest'
import { formatIpvsSave } from '../../src/kernel/ipvs/format-save.ts'
import { parseIpvsSave } from '../../src/kernel/ipvs/parse-save.ts'
import type { Observation, Scenario } from '../fuzz/scenario.ts'
import { makeNet } from '../fuzz/topology.ts'
import { makeRandom } from '../kernel/random.ts'
import { dumps } from '../kernel-tables/dumps.ts'
import { needs } from '../support/needs.ts'
import { runInVm } from './runner.ts'
import { addServices } from './services.ts'

/** A table on both families' virtual servers, as commands. */
function randomTable(seed: number): string {
  const r = makeRandom(seed)
  const lines = ([4, 6] as const).flatMap((family) => {
    const net = makeNet(r, family)
    const node = net.spaces.find((s) => s.kind === 'node')
    return node ? addServices(r, net, node).ipvsadm.filter((line) => !line.startsWith('-e')) : []
  })
  return lines.map((line) => `${line}\n`).join('')
}

const scenario = (name: string, text: string): Scenario => ({
  name,
  family: 4,
  spaces: { n1: { kind: 'node', ipvsadm: formatIpvsSave(parseIpvsSave(text, name)).split('\n').filter(Boolean) } },
  wires: [],
  tcp: [],
  udp: [],
  probes: [],
})

/** Without what tells one dump from another: services in the order of the kernel's hash, servers as sorted by the tool. */
function services(text: string): readonly string[] {
  return formatIpvsSave(parseIpvsSave(text, 'ipvsadm-save.txt'))
    .split(/^(?=-A )/m)
    .map((service) => {
      const [head, ...servers] = service.split('\n')
      return [head, ...servers.sort()].join('\n')
    })
    .sort()
}

describe.runIf(needs('vm', 'captures'))('virtual servers through the emulated kernel', () => {
  const recorded = new Map(dumps('ipvsadm-save.txt').map(({ file, text }) => [text, file]))
  const texts = [
    ...[...recorded].map(([text, file]) => [file, text] as const),
    ...Array.from({ length: 12 }, (_, i) => [`seed ${i + 1}`, randomTable(i + 1)] as const),
  ]
  const saved = new Map<string, Observation>()
  beforeAll(async () => {
    // one after the other: the kernel counts the services of all namespaces while it lists those of one (ip_vs_genl_dump_services)
    for (const o of await runInVm(
      texts.map(([name, text]) => scenario(name, text)),
      400,
      { batch: texts.length },
    ))
      saved.set(o.name, o)
  }, 500_000)

  test.each(texts)('%s', (name, text) => {
    const observed = saved.get(name)
    if (!observed || 'error' in observed) throw new Error(observed?.error ?? 'not run')
    expect(services(observed.files.n1?.['ipvsadm-save.txt'] ?? '')).toEqual(services(text))
  })
})
