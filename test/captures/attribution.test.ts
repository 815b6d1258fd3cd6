/** Every chain that stands for an object, in every recorded cluster, leads to an object that the cluster has. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { loadCluster } from '../../src/cluster/load.ts'
import type { Cluster } from '../../src/cluster/types.ts'
import { parseIptablesSave } from '../../src/kernel/iptables/parse.ts'
import type { IptablesDump, Rule } from '../../src/kernel/iptables/types.ts'
import { policyObject } from '../../src/trace/attribution/calico-names.ts'
import { objectOfCalicoChain } from '../../src/trace/attribution/calico-object.ts'
import { parseServiceChain } from '../../src/trace/attribution/chain-owner.ts'
import { ruleObject } from '../../src/trace/attribution/rule-object.ts'
import { ruleOwner } from '../../src/trace/attribution/rule-owner.ts'
import { captureNames, captures } from '../support/captures.ts'

const read = (path: string): string => (path.endsWith('.gz') ? gunzipSync(readFileSync(path)).toString('utf8') : readFileSync(path, 'utf8'))

function clusterOf(folder: string): Cluster {
  const files = readdirSync(join(folder, 'cluster'), { recursive: true, withFileTypes: true })
    .filter((f) => f.isFile())
    .map((f) => join(f.parentPath, f.name).slice(folder.length + 1))
  return loadCluster({ files, text: (f) => read(join(folder, f)) })
}

function dumpsOf(folder: string): readonly { readonly node: string; readonly dump: IptablesDump }[] {
  return readdirSync(join(folder, 'nodes')).flatMap((node) =>
    readdirSync(join(folder, 'nodes', node))
      .filter((f) => /^ip6?tables-(legacy-|nft-)?save\.txt(\.gz)?$/.test(f))
      .map((f) => ({
        node,
        dump: parseIptablesSave(read(join(folder, 'nodes', node, f)), `nodes/${node}/${f}`, f.startsWith('ip6') ? 6 : 4),
      })),
  )
}

/** Names of everything that a rule may stand for. */
function objectsOf(c: Cluster): ReadonlySet<string> {
  return new Set([
    ...c.policies.map(policyObject),
    ...c.services.flatMap((s) => s.ports.map((p) => `service/${s.namespace}/${s.name}${p.name ? `:${p.name}` : ''}`)),
    ...c.pods.map((p) => `pod/${p.namespace}/${p.name}`),
    ...c.hostEndpoints.map((h) => `hostendpoint/${h.name}`),
    ...c.ipPools.map((p) => `ippool/${p.name}`),
    'profile/projectcalico-default-allow',
    ...c.namespaces.flatMap((n) => [`profile/kns.${n}`, `profile/ksa.${n}.default`]),
    ...['default', ...c.policies.flatMap((p) => (p.tier === undefined ? [] : [p.tier]))].map((t) => `tier/${t}`),
  ])
}

/** the same rule as kube-proxy writes it in large clusters */
const bare = (rule: Rule): Rule => ({ ...rule, matches: rule.matches.filter((m) => m.kind !== 'comment') })

describe.each(captureNames())('%s', (name) => {
  const folder = join(captures, name)
  test('objects of all chains', () => {
    const dumps = dumpsOf(folder)
    const cluster = clusterOf(folder)
    const known = objectsOf(cluster)
    const lost = new Set<string>()
    const wrong = new Set<string>()
    for (const { node, dump } of dumps) {
      for (const table of dump.tables) {
        for (const chain of table.chains.values()) {
          if (/^cali-(p[io]|pr[io]|[tf]w|[tf]h|[tf]hfw)-/.test(chain.name)) {
            const object = objectOfCalicoChain(chain.name, cluster, node)
            if (object === undefined || !known.has(object)) lost.add(`${chain.name} ${object}`)
          }
          const service = parseServiceChain(chain.name)
          for (const rule of chain.rules) {
            const owner = ruleOwner(table.name, chain.name, rule)
            const object = ruleObject(table.name, chain.name, rule, cluster, node)
            if (object !== undefined && !known.has(object)) lost.add(`${chain.name} ${object}`)
            if (service && object === undefined) lost.add(`${node} ${chain.name}:${rule.line}`)
            if (service && owner !== 'kube-proxy') wrong.add(`${chain.name}:${rule.line}`)
            if (service && object !== ruleObject(table.name, chain.name, bare(rule), cluster, node))
              wrong.add(`bare ${chain.name}:${rule.line}`)
          }
        }
      }
    }
    expect(dumps.length).toBeGreaterThan(0)
    expect([...lost]).toEqual([])
    expect([...wrong]).toEqual([])
  })
})
