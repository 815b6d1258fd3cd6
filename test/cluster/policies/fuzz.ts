/**
 * Random policies of every kind and packets on clusters run by real Calico, against what netctl says of them, from the nodes' tables and from the policies:
 *
 *     NETCTL_CALICO=REPOSITORY node test/cluster/policies/fuzz.ts [--seed N] [--clusters N] [--rounds N] [--only ROUND] [--flows N] [--keep FOLDER]
 *
 * Needs root, and a git repository of Calico to build it from. Prints what differs, then the count; exit 1 if anything does.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { campaign } from './campaign.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    clusters: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string' },
    flows: { type: 'string', default: '400' },
    keep: { type: 'string' },
  },
})
const folder = values.keep ?? mkdtempSync(join(tmpdir(), 'netctl-policies-'))
mkdirSync(folder, { recursive: true })
const tally = await campaign({
  seed: Number(values.seed),
  clusters: Number(values.clusters),
  rounds: Number(values.rounds),
  ...(values.only !== undefined && { only: Number(values.only) }),
  flows: Number(values.flows),
  folder,
  say: (text) => console.log(text),
})
if (values.keep === undefined) rmSync(folder, { recursive: true })
process.exitCode = tally.differing > 0 ? 1 : 0
