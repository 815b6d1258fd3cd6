/**
 * A cluster to try things on by hand, until Ctrl-C (or SIGTERM); after `kill -9` as well, nothing of it stays for long.
 *
 *   node test/cluster/play.ts 2 [--dual] [--proxy iptables|nftables|none] [--cni ptp|none]
 */
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { up } from './cluster.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { dual: { type: 'boolean' }, proxy: { type: 'string' }, cni: { type: 'string' } },
})

function oneOf<T extends string>(word: string | undefined, ...words: readonly T[]): T | undefined {
  const found = words.find((w) => w === word)
  if (word !== undefined && found === undefined) throw new Error(`${word} is none of ${words.join(', ')}`)
  return found
}

const proxyMode = oneOf(values.proxy, 'iptables', 'nftables', 'none')
const cni = oneOf(values.cni, 'ptp', 'none')
const cluster = await up(Number(positionals[0] ?? 2), { dual: values.dual === true, ...(proxyMode && { proxyMode }), ...(cni && { cni }) })
console.log(`export KUBECONFIG=${cluster.kubeconfig}`)
for (const node of cluster.nodes) console.log(`a shell on ${node}: ${cluster.inside(node).join(' ')} bash`)
await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
await cluster.down()
