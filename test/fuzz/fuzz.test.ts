/** A minute's worth of the campaign (fuzz.ts), with seeds of its own. */
import { describe, expect, test } from 'vitest'
import { needs } from '../support/needs.ts'
import { campaign, ownKernel } from './campaign.ts'
import { makeScenario } from './generate.ts'

describe.runIf(needs('root', 'ip', 'python3', 'iptables-restore', 'ipset', 'nft'))('random networks', () => {
  test('the walk and the kernel agree', async () => {
    const said: string[] = []
    const tally = await campaign({
      seed: 500_000,
      topologies: 60,
      seconds: 45,
      workers: 2,
      shrink: false,
      make: (seed) => makeScenario(seed, { probes: 45 }),
      kernel: ownKernel,
      say: (text) => said.push(text),
    })
    expect(tally.differing, said.join('\n')).toBe(0)
    expect(tally.agreed).toBeGreaterThan(0)
    expect(tally.delivered / tally.packets).toBeGreaterThan(0.2)
    expect(tally.undecided / tally.packets).toBeLessThan(0.05)
  })
})
