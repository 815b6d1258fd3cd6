/** Every chain that stands for an object, in every recorded cluster, leads to an object that the cluster has. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { loadCluster } from '../../src/cluster/load.ts'
import type { Cluster } from '../../src/cluster/types.ts'
import { parseIptablesSave } from '../../src/kernel/iptables/parse.ts'
import type { IptablesDump, Rule } from '../../src/kernel/iptables/types.ts'
import { parseIpvsSave } from '../../src/kernel/ipvs/parse-save.ts'
import { parseLinks } from '../../src/kernel/link/parse.ts'
import type { NftElement } from '../../src/kernel/nftables/expression-types.ts'
import { parseNftText } from '../../src/kernel/nftables/parse-text.ts'
import type { NftChain } from '../../src/kernel/nftables/types.ts'
import { parseRoutes } from '../../src/kernel/route/parse.ts'
import { policyObject } from '../../src/trace/attribution/calico-names.ts'
import { objectOfCalicoChain } from '../../src/trace/attribution/calico-object.ts'
import { parseServiceChain } from '../../src/trace/attribution/chain-owner.ts'
import { nftObject } from '../../src/trace/attribution/nft-object.ts'
import { nftRuleOwner, nftTableOwner } from '../../src/trace/attribution/nft-owner.ts'
import { routeObject } from '../../src/trace/attribution/route-object.ts'
import { routeOwner } from '../../src/trace/attribution/route-owner.ts'
import { ruleObject } from '../../src/trace/attribution/rule-object.ts'
import { ruleOwner } from '../../src/trace/attribution/rule-owner.ts'
import { nodePortAt, serviceAt, serviceObject } from '../../src/trace/attribution/service-at.ts'
import { virtualServerObject, virtualServerOwner } from '../../src/trace/attribution/virtual-server.ts'
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
    ...['default', 'kube-admin', 'kube-baseline', ...c.policies.flatMap((p) => (p.tier === undefined ? [] : [p.tier]))].map(
      (t) => `tier/${t}`,
    ),
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

const rulesets = captureNames().filter((name) => /^table ip6? (?:kube-proxy|calico) /m.test(nftText(join(captures, name), 'n1')))

function nftText(folder: string, node: string): string {
  const file = readdirSync(join(folder, 'nodes', node)).find((f) => /^nft\.txt(\.gz)?$/.test(f))
  return file === undefined ? '' : read(join(folder, 'nodes', node, file))
}

describe.each(rulesets)('nft of %s', (name) => {
  const folder = join(captures, name)
  test('owners and objects of all rules and elements', () => {
    const cluster = clusterOf(folder)
    const known = objectsOf(cluster)
    const wrong = new Set<string>()
    let named = 0
    for (const node of readdirSync(join(folder, 'nodes'))) {
      const { tables } = parseNftText(nftText(folder, node), 'nft.txt')
      for (const table of tables) {
        const owner = nftTableOwner(table)
        if (owner !== 'calico' && owner !== 'kube-proxy') continue
        for (const chain of table.chains.values()) {
          // what stands for one object says so in its name: a policy, a profile, an endpoint; a Service port
          const speaks = /^filter-cali-(p[io]|pr[io]|[tf]w|[tf]h|[tf]hfw)-/.test(chain.name) || chain.name.includes('/')
          for (const rule of chain.rules) {
            const object = nftObject(table, chain, rule, undefined, cluster, node)
            if (nftRuleOwner(table, rule.comment) !== owner && table.family !== 'arp') wrong.add(`owner ${chain.name}:${rule.line}`)
            if (object !== undefined && !known.has(object)) wrong.add(`${chain.name} ${object}`)
            if (speaks && object === undefined) wrong.add(`${node} ${chain.name}:${rule.line}`)
            if (object !== undefined) named++
          }
        }
        const services = table.chains.get('services')
        for (const set of table.sets.values()) {
          if (owner !== 'kube-proxy' || set.map?.kind !== 'verdict') continue
          for (const element of set.elements) {
            const object = nftObject(table, services as NftChain, { line: 1, statements: [] }, element, cluster)
            if (object === undefined || !known.has(object)) wrong.add(`${set.name} ${element.line} ${object}`)
            // the Service whose address it is, by the objects: several may share one, and the map says which port
            const at = addressOf(element, cluster)
            if (at !== undefined && at !== object) wrong.add(`${set.name} ${element.line} ${object}, not ${at}`)
            named++
          }
        }
      }
    }
    expect([...wrong].slice(0, 20)).toEqual([])
    expect(named).toBeGreaterThan(100)
  })
})

/** `10.96.0.10 . tcp . 53`, `tcp . 30080` */
function addressOf({ key }: NftElement, cluster: Cluster): string | undefined {
  const parts = key.kind === 'concat' ? key.parts : []
  const [ip, proto, port] = parts.length === 3 ? parts : [undefined, ...parts]
  const protocol = proto?.kind === 'number' ? { 6: 'tcp', 17: 'udp', 132: 'sctp' }[proto.value] : undefined
  if (protocol === undefined || port?.kind !== 'number') return undefined
  const at = ip?.kind === 'ip' ? serviceAt(cluster, ip.ip.text, protocol, port.value) : nodePortAt(cluster, protocol, port.value)
  return at?.port && serviceObject(at.service, at.port)
}

const tables = captureNames().filter((name) => existsSync(join(captures, name, 'nodes/n1/ipvsadm-save.txt')))

describe.each(tables)('IPVS of %s', (name) => {
  const folder = join(captures, name)
  test("every virtual server and every address of kube-ipvs0 is a Service's", () => {
    const cluster = clusterOf(folder)
    const known = objectsOf(cluster)
    const services = new Set(cluster.services.map((s) => `service/${s.namespace}/${s.name}`))
    for (const node of readdirSync(join(folder, 'nodes'))) {
      const dump = (file: string) => read(join(folder, 'nodes', node, file))
      const links = parseLinks(dump('ip-addr.json'), 'ip-addr.json')
      const { services: virtual } = parseIpvsSave(dump('ipvsadm-save.txt'), 'ipvsadm-save.txt')
      expect(virtual.length).toBeGreaterThan(10)
      for (const { key } of virtual) {
        expect(known).toContain(virtualServerObject(key, cluster))
        expect(virtualServerOwner(key, { links })).toBe('kube-proxy')
      }
      const bound = ([4, 6] as const)
        .flatMap((family) => parseRoutes(dump('ip-route.json'), 'ip-route.json', family))
        .filter((route) => route.type === 'local' && route.nexthops[0]?.device === 'kube-ipvs0')
      expect(bound.length).toBeGreaterThan(10)
      for (const route of bound) {
        expect(services).toContain(routeObject(route, { kind: 'node' }, cluster))
        expect(routeOwner(route, { kind: 'node' }, cluster)).toBe('kube-proxy')
      }
    }
  })
})
