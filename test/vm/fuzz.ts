/**
 * Random networks with IPVS, IPIP and WireGuard in the emulated kernel against the walk:
 *
 *     node test/vm/fuzz.ts [--seed N] [--topologies N] [--family 4|6] [--probes N] [--shrink] [--ordinary]
 *
 * --ordinary: the host's fuzz (test/fuzz), to hold the walk against another version of the kernel. Needs root. Prints what disagreed, then the
 * count; exit 1 if anything disagreed or could not be built.
 */
import { parseArgs } from 'node:util'
import { campaign } from '../fuzz/campaign.ts'
import { makeScenario } from '../fuzz/generate.ts'
import { makeVmScenario } from './generate.ts'
import { emulatedKernel } from './runner.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    topologies: { type: 'string', default: '60' },
    seconds: { type: 'string', default: '7200' },
    family: { type: 'string' },
    probes: { type: 'string', default: '60' },
    shrink: { type: 'boolean', default: false },
    ordinary: { type: 'boolean', default: false },
  },
})
const family = values.family === '4' ? 4 : values.family === '6' ? 6 : undefined
const probes = Number(values.probes)
const tally = await campaign({
  seed: Number(values.seed),
  topologies: Number(values.topologies),
  seconds: Number(values.seconds),
  workers: 1,
  shrink: values.shrink,
  make: (seed) =>
    values.ordinary ? makeScenario(seed, { probes, allSets: true, ...(family && { family }) }) : makeVmScenario(seed, probes, family),
  kernel: emulatedKernel,
  say: (text) => process.stdout.write(`${text}\n`),
})
process.exitCode = tally.differing > 0 || tally.unlawful > 0 ? 1 : 0
