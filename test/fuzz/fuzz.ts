/**
 * Random networks in this machine's kernel against the walk:
 *
 *     node test/fuzz/fuzz.ts [--seed N] [--topologies N] [--seconds N] [--family 4|6] [--iptables|--nft] [--probes N] [--show N]
 *
 * Needs root. Prints what disagreed, shrunk, then the count; exit 1 if anything disagreed or could not be built.
 */
import { parseArgs } from 'node:util'
import { campaign, ownKernel } from './campaign.ts'
import { makeScenario } from './generate.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    topologies: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '3600' },
    family: { type: 'string' },
    iptables: { type: 'boolean' },
    nft: { type: 'boolean' },
    probes: { type: 'string', default: '45' },
    workers: { type: 'string', default: '2' },
    shrink: { type: 'boolean' },
  },
})
const family = values.family === '4' ? 4 : values.family === '6' ? 6 : undefined
const only = values.iptables ? 'iptables' : values.nft ? 'nft' : undefined
const tally = await campaign({
  seed: Number(values.seed),
  topologies: Number(values.topologies),
  seconds: Number(values.seconds),
  workers: Number(values.workers),
  shrink: values.shrink ?? false,
  make: (seed) => makeScenario(seed, { probes: Number(values.probes), ...(family && { family }), ...(only && { only }) }),
  kernel: ownKernel,
  say: (text) => process.stdout.write(`${text}\n`),
})
process.exitCode = tally.differing > 0 || tally.unlawful > 0 ? 1 : 0
