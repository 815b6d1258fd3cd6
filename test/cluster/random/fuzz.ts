/**
 * Random services, settings of kube-proxy and packets on real clusters, against what netctl says of them:
 *
 *     node test/cluster/random/fuzz.ts [--seed N] [--clusters N] [--rounds N] [--only ROUND] [--flows N] [--kept N] [--verify N] [--keep FOLDER] [--proxy MODE]…
 *
 * Needs root. Prints what differs, then the count; exit 1 if anything does.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { campaign } from './campaign.ts'
import type { Mode } from './proxy-settings.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    clusters: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string' },
    flows: { type: 'string', default: '500' },
    kept: { type: 'string', default: '120' },
    verify: { type: 'string', default: '0' },
    proxy: { type: 'string', multiple: true, default: ['iptables', 'nftables'] },
    keep: { type: 'string' },
  },
})
const folder = values.keep ?? mkdtempSync(join(tmpdir(), 'netctl-random-'))
mkdirSync(folder, { recursive: true })
const tally = await campaign({
  seed: Number(values.seed),
  clusters: Number(values.clusters),
  rounds: Number(values.rounds),
  ...(values.only !== undefined && { only: Number(values.only) }),
  flows: Number(values.flows),
  kept: Number(values.kept),
  modes: values.proxy as readonly Mode[],
  verify: Number(values.verify),
  folder,
  say: (text) => console.log(text),
})
if (values.keep === undefined) rmSync(folder, { recursive: true })
process.exitCode = tally.differing > 0 ? 1 : 0
