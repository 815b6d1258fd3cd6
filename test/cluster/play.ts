/**
 * A cluster to try things on by hand, until Ctrl-C (or SIGTERM); after `kill -9` as well, nothing of it stays for long.
 *
 *   node test/cluster/play.ts 2 [--dual] [--proxy iptables|nftables|ipvs|none] [--cni ptp|bridge|calico|none]
 *     [--felix iptables|nftables] [--shop]
 *
 * `--shop`: with the pods and services of shop.ts, which needs two nodes.
 */
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { up } from './cluster.ts'
import { openShop } from './open-shop.ts'

const usage =
  'usage: node test/cluster/play.ts NODES [--dual] [--proxy iptables|nftables|ipvs|none] [--cni ptp|bridge|calico|none] [--felix iptables|nftables] [--shop]'

function given() {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      dual: { type: 'boolean' },
      proxy: { type: 'string' },
      cni: { type: 'string' },
      felix: { type: 'string' },
      shop: { type: 'boolean' },
    },
  })
  const [count] = positionals
  if (positionals.length !== 1 || !(Number(count) >= 1)) throw new Error('how many nodes?')
  const proxyMode = oneOf(values.proxy ?? 'iptables', 'iptables', 'nftables', 'ipvs', 'none')
  if (values.shop && count !== '2') throw new Error('a shop needs two nodes')
  return {
    count: Number(count),
    shop: values.shop === true,
    options: {
      dual: values.dual === true,
      proxyMode,
      cni: oneOf(values.cni ?? 'ptp', 'ptp', 'bridge', 'calico', 'none'),
      felix: oneOf(values.felix ?? 'iptables', 'iptables', 'nftables'),
    },
  }
}

function oneOf<T extends string>(word: string, ...words: readonly T[]): T {
  const found = words.find((w) => w === word)
  if (found === undefined) throw new Error(`${word} is none of ${words.join(', ')}`)
  return found
}

function orUsage<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}`)
    process.exit(2)
  }
}

const { count, shop, options } = orUsage(given)
const cluster = await up(count, options).catch((error: Error) => {
  console.error(error.message)
  process.exit(1)
})
if (shop) await openShop(cluster, options.dual ? 2 : 1)
console.log(`export KUBECONFIG=${cluster.kubeconfig}`)
for (const node of cluster.nodes) console.log(`a shell on ${node}: ${cluster.inside(node).join(' ')} bash`)
await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
await cluster.down()
