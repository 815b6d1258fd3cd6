/**
 * Random services, settings of kube-proxy and packets on real clusters, against what netctl says of them:
 *
 *     node test/cluster/random/fuzz.ts [--seed N] [--clusters N] [--rounds N] [--only ROUND] [--flows N] [--kept N] [--verify N] [--keep FOLDER] [--proxy MODE]…
 *
 * Needs root. Prints what differs, then the count; exit 1 if anything does.
 */
import { parseArgs } from 'node:util'
import { oneCluster, type RandomOrder } from './campaign.ts'
import { campaign, carryOut, options } from './order.ts'
import type { Mode } from './proxy-settings.ts'

const { values } = parseArgs({
  options: {
    ...options,
    kept: { type: 'string', default: '120' },
    verify: { type: 'string', default: '0' },
    proxy: { type: 'string', multiple: true, default: ['iptables', 'nftables'] },
  },
})
await carryOut(values, 'random', (order) => {
  const random: RandomOrder = {
    ...order,
    kept: Number(values.kept),
    modes: values.proxy as readonly Mode[],
    verify: Number(values.verify),
  }
  return campaign(random, oneCluster)
})
