import { describe, expect, test } from 'vitest'
import { campaign } from '../fuzz/campaign.ts'
import { needs } from '../support/needs.ts'
import { makeVmScenario } from './generate.ts'
import { emulatedKernel } from './runner.ts'

describe.runIf(needs('vm'))('random networks in the emulated kernel', () => {
  test('IPVS, IPIP and WireGuard: no disagreement, little undecided', { timeout: 1_200_000 }, async () => {
    const said: string[] = []
    const tally = await campaign({
      seed: 1,
      topologies: 12,
      seconds: 1000,
      workers: 1,
      shrink: false,
      make: (seed) => makeVmScenario(seed, 60),
      kernel: emulatedKernel,
      say: (text) => said.push(text),
    })
    expect({ differing: tally.differing, unlawful: tally.unlawful }, said.join('\n')).toEqual({ differing: 0, unlawful: 0 })
    expect(tally.packets).toBeGreaterThan(500)
    expect(tally.undecided / tally.packets, said.join('\n')).toBeLessThan(0.02)
  })
})
