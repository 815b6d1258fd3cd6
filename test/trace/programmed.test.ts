/** Policies and tables of the recorded clusters: what real Calico programmed is what the policies mean. */
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ip } from '../../src/net/ip.ts'
import { evaluate } from '../../src/policy/evaluate.ts'
import { resolveEnd } from '../../src/policy/query/ends.ts'
import { endAt } from '../../src/policy/query/who.ts'
import { inventoryOf } from '../../src/snapshot/names.ts'
import { openSnapshot } from '../../src/snapshot/open.ts'
import { differenceOf } from '../../src/trace/programmed.ts'
import { truthOf, worldOf } from '../policy/captures.ts'
import { portOf, protocolOf } from '../policy/packets.ts'
import { captures } from '../support/captures.ts'
import { needs } from '../support/needs.ts'

/** How pods of a capture fare by their tables, beside what policies mean: the kinds of differences, and the first entry. */
async function differences(name: string, every: number) {
  const snapshot = await openSnapshot(join(captures, name), (load) => Promise.resolve(load()))
  const inventory = inventoryOf(snapshot)
  const world = worldOf(name)
  const flows = truthOf(name).filter(({ from, via }) => from.kind === 'pod' && via.startsWith('pod') && !via.includes('hostNetwork'))
  return flows
    .filter((_, i) => i % every === 0)
    .flatMap((truth) => {
      const source = resolveEnd(world, truth.from.name)
      if (!source) return []
      const flow = { source, destination: endAt(world, ip(truth.dst)), protocol: protocolOf(truth), ...portOf(truth) }
      return differenceOf(snapshot, inventory, flow, evaluate(world, flow)) ?? []
    })
}

describe.runIf(needs('captures'))('meant and programmed', () => {
  it.each(['vxlan-iptables', 'nft-nft', 'crosssubnet-nft-dualstack', 'ipip-ipvs', 'random-1', 'random-2', 'random-3', 'random-4'])(
    'agree in %s',
    async (name) => expect(await differences(name, 3)).toEqual([]),
  )

  it('differ where somebody else drops, and the rule is named', async () => {
    const found = await differences('broken-admin-chain', 1)
    expect(new Set(found.map(({ kind }) => kind))).toEqual(new Set(['lost']))
    expect(found[0]?.text).toContain('ADMIN-HARDENING')
    expect(found[0]?.place).toMatchObject({ file: 'nodes/n2/iptables-save.txt' })
  })
})
