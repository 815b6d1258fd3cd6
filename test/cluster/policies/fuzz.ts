/**
 * Random policies of every kind and packets on clusters run by real Calico, against what netctl says of them, from the nodes' tables and from the policies:
 *
 *     NETCTL_CALICO=REPOSITORY node test/cluster/policies/fuzz.ts [--seed N] [--clusters N] [--rounds N] [--only ROUND] [--flows N] [--keep FOLDER]
 *
 * Needs root, and a git repository of Calico to build it from. Prints what differs, then the count; exit 1 if anything does.
 */
import { parseArgs } from 'node:util'
import { campaign, carryOut, options } from '../random/order.ts'
import { oneCluster } from './campaign.ts'

const { values } = parseArgs({ options: { ...options, flows: { type: 'string', default: '400' } } })
await carryOut(values, 'policies', (order) => campaign(order, oneCluster))
