/**
 * A snapshot under other names and addresses, from which the same packets take the same ways. What is not understood is left out: no text of the original
 * gets through that is neither a word of the tool that printed it, nor a number.
 */

import { vethDigits } from '../../cluster/felix-names.ts'
import { arr, type Json, rec, str } from '../../cluster/items.ts'
import { loadCluster } from '../../cluster/load.ts'
import type { Cluster } from '../../cluster/types.ts'
import { ParseError } from '../../kernel/source.ts'
import type { FileSource } from '../../system/files.ts'
import { SNAPSHOT_RESOURCES } from '../collect/objects.ts'
import { openStore, type Store } from '../store.ts'
import { addressMap } from './addresses.ts'
import { AgentNames } from './agent-names.ts'
import { learnEndpoints } from './endpoints.ts'
import { header, path } from './header.ts'
import { Interfaces } from './interfaces.ts'
import { ipvsListing, ipvsWords, procIpvs } from './ipvs.ts'
import { ipJson, nftJson } from './json.ts'
import { learnBlocks, learnFolders, learnObjects, learnWildcards } from './learn.ts'
import { bird, clock, conntrack, ipset, iptables, nft, recent, sockets, sysctl, versions, wireguard } from './lines.ts'
import { Names } from './names.ts'
import { type Mapping, object } from './objects.ts'
import { secretOf } from './secret.ts'
import { NotRedactable, Words } from './words.ts'

export interface Redacted {
  /** names and texts of the files, one after the other as they are asked for; the last one is snapshot.json */
  readonly files: Iterable<readonly [name: string, text: string]>
  /** what was left out, and why; whole when all files were asked for */
  readonly missing: readonly string[]
  /** what became of names and addresses: only for who has the original */
  readonly words: Words
}

type Change = (text: string, words: Words) => string

/** What is done to each dump. A file that is not here is left out. */
const DUMPS: Readonly<Record<string, Change>> = {
  'iptables-save.txt': iptables,
  'iptables-legacy-save.txt': iptables,
  'iptables-nft-save.txt': iptables,
  'ip6tables-save.txt': iptables,
  'ip6tables-legacy-save.txt': iptables,
  'ip6tables-nft-save.txt': iptables,
  'nft.txt': nft,
  'nft.json': nftJson,
  'ipset-save.txt': ipset,
  'ip-addr.json': ipJson,
  'ip-link.json': ipJson,
  'ip-route.json': ipJson,
  'ip6-route.json': ipJson,
  'ip-nexthop.json': ipJson,
  'ip-rule.json': ipJson,
  'ip6-rule.json': ipJson,
  'ip-neigh.json': ipJson,
  'bridge-fdb.json': ipJson,
  'ip-fdb.json': ipJson,
  'bpftool-net.json': ipJson,
  'conntrack.txt': conntrack,
  'wg-show.txt': wireguard,
  'sysctl.txt': sysctl,
  'sysctl-vs.txt': sysctl,
  'sockets.txt': sockets,
  'ipvsadm-save.txt': ipvsWords,
  'ipvsadm-conn.txt': ipvsWords,
  'ipvsadm.txt': ipvsListing,
  'ipvsadm-thresholds.txt': ipvsListing,
  'proc-ip_vs.txt': procIpvs,
  'xt_recent.txt': recent,
  'jiffies.txt': clock,
  'bird.txt': bird,
  'versions.txt': versions,
}

/** `key`: 32 random bytes, drawn for this snapshot and kept nowhere. Throws ParseError where a file can't be read as what it should be. */
export function redact(source: FileSource, key: Buffer): Redacted {
  const store = openStore(source)
  const cluster = loadCluster({ files: store.files.filter((f) => f.startsWith('cluster/')), text: (f) => store.text(f) ?? '' })
  const words = learn(store, cluster, key)
  const missing: string[] = []
  return { files: files(store, cluster, words, missing), missing, words }
}

function learn(store: Store, cluster: Cluster, key: Buffer): Words {
  const secret = secretOf(key)
  const items = objectFiles(store).flatMap((file) => itemsOf(store, file))
  const names = new Names()
  learnObjects(items, names)
  learnFolders(store.files, names)
  for (const host of hostsIn(store)) names.learn(host, 'x')
  names.seal()
  const dumps = (pattern: RegExp) => store.files.filter((f) => pattern.test(f)).map((f) => store.text(f) ?? '')
  const rules = () => dumps(/(?:tables(?:-nft|-legacy)?-save|nft|ipset-save)\.(?:txt|json)(?:\.gz)?$/)
  const addresses = addressMap(secret, learnBlocks(items, dumps(/ip-addr\.json(?:\.gz)?$/), rules()))
  const interfaces = new Interfaces(secret, learnWildcards(rules()))
  const agents = new AgentNames(names, interfaces, addresses, secret)
  agents.learn(cluster)
  learnEndpoints(rules(), cluster, agents)
  const words = new Words(names, interfaces, agents, addresses, secret)
  for (const text of dumps(/ip-addr\.json(?:\.gz)?$/)) orNothing(() => ipJson(text, words))
  return words
}

/** Hosts that only snapshot.json names. */
function hostsIn(store: Store): readonly string[] {
  const { listeners, forwarding, routes } = rec(headerOf(store).assume)
  return [...Object.keys(rec(listeners)), ...arr(forwarding), ...Object.values(rec(routes))].flatMap((text) =>
    typeof text === 'string'
      ? text
          .split('/')
          .slice(1)
          .filter((part) => part !== '*')
      : [],
  )
}

const headerOf = (store: Store): Json => rec(orNothing(() => JSON.parse(store.text('snapshot.json') ?? '{}')))

/** What is damaged tells nothing; that it is left out is said where it is written. */
function orNothing<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof ParseError || error instanceof NotRedactable) return undefined
    throw error
  }
}

const KNOWN = new Set(SNAPSHOT_RESOURCES.map(({ plural, group }) => (group === '' ? plural : `${plural}.${group}`)))

/** Core kinds and Kubernetes' own may stand without their group. */
const objectFiles = (store: Store): readonly string[] =>
  store.files.filter((file) => {
    const name = /^cluster\/(?:v3\/)?([a-z0-9.-]+?)\.json(?:\.gz)?$/.exec(file)?.[1]
    return name !== undefined && (KNOWN.has(name) || [...KNOWN].some((known) => known.endsWith('.k8s.io') && known.split('.')[0] === name))
  })

function itemsOf(store: Store, file: string): readonly Json[] {
  const root: unknown = orNothing(() => JSON.parse(store.text(file) ?? ''))
  return (Array.isArray(root) ? root : arr(rec(root).items)).map(rec)
}

function* files(store: Store, cluster: Cluster, words: Words, missing: string[]): Iterable<readonly [string, string]> {
  let unknown = 0
  const objects = new Set(objectFiles(store))
  for (const file of store.files) {
    const plain = file.replace(/\.gz$/, '')
    if (plain === 'snapshot.json') continue
    if (objects.has(file)) {
      if (!WORKLOADS.test(plain)) yield [plain, list(rec(orNothing(() => JSON.parse(store.text(file) ?? ''))), itemsOf(store, file), words)]
      continue
    }
    const to = path(plain, words)
    const change = Object.hasOwn(DUMPS, plain.slice(plain.lastIndexOf('/') + 1))
      ? DUMPS[plain.slice(plain.lastIndexOf('/') + 1)]
      : undefined
    // of the two of nft, the text is read
    if (plain.endsWith('/nft.json') && store.has(plain.replace(/json$/, 'txt'))) continue
    if (to === undefined || change === undefined) {
      unknown++
      continue
    }
    try {
      yield [to, change(store.text(file) ?? '', words)]
    } catch (error) {
      if (error instanceof NotRedactable) missing.push(`${to}: left out, as it has ${error.message}`)
      else if (error instanceof SyntaxError || error instanceof ParseError) missing.push(`${to}: left out, as it is not what it should be`)
      else throw error
    }
  }
  if (unknown > 0) missing.push(`${unknown} ${unknown === 1 ? 'file' : 'files'} left out, as nothing is known of names in such`)
  const workloads = [...workloadsOf(store, cluster)]
  if (workloads.length > 0)
    yield [`cluster/workloadendpoints.projectcalico.org.json`, list({ apiVersion: 'projectcalico.org/v3' }, workloads, words)]
  yield ['snapshot.json', `${JSON.stringify(header(headerOf(store), words, missing), undefined, 1)}\n`]
}

const WORKLOADS = /\/workloadendpoints\.[a-z.]*json$/

/** Which veth is whose can't be computed from pseudonyms any more: Calico's own objects say it. */
function* workloadsOf(store: Store, cluster: Cluster): Iterable<Json> {
  const known = new Set<string>()
  for (const file of objectFiles(store).filter((f) => WORKLOADS.test(f.replace(/\.gz$/, '')))) {
    for (const item of itemsOf(store, file)) {
      const name = `${str(rec(item.metadata).namespace)}/${str(rec(item.spec).pod)}`
      if (!known.has(name)) yield item
      known.add(name)
    }
  }
  for (const { namespace, name, node, hostNetwork } of cluster.pods) {
    if (hostNetwork || known.has(`${namespace}/${name}`)) continue
    yield {
      apiVersion: 'projectcalico.org/v3',
      kind: 'WorkloadEndpoint',
      metadata: { name: `${namespace}-${name}`, namespace },
      spec: { ...(node !== undefined && { node }), pod: name, interfaceName: `cali${vethDigits(namespace, name)}` },
    }
  }
}

function list(root: Json, items: readonly Json[], words: Words): string {
  const to: Mapping = {
    name: (text) => words.names.name(text),
    policy: (text, tier) => words.names.policy(text, tier),
    profile: (text) => words.agents.profile(text),
    device: (text) => words.interfaces.name(text),
    plain: (text) => words.plain(text),
    matching: (holds) => [...words.names.texts()].filter(holds),
  }
  const kind = str(root.kind)
  const made = {
    ...(str(root.apiVersion) !== undefined && { apiVersion: root.apiVersion }),
    ...(kind !== undefined && /^[A-Z][A-Za-z]{1,60}List$/.test(kind) ? { kind } : { kind: 'List' }),
    items: items.map((item) => object(item, to)),
  }
  return `${JSON.stringify(made, undefined, 1)}\n`
}
