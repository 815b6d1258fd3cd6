/** What has to be known of a snapshot before its first pseudonym: its names, the blocks of its addresses, and starts of device names that rules match. */
import { type Json, rec, str } from '../../cluster/items.ts'
import { contains, type Prefix, parseIp, parsePrefix, prefix } from '../../net/ip.ts'
import { masked } from './addresses.ts'
import type { Names } from './names.ts'
import { type Mapping, object } from './objects.ts'
import { enclosing, isOrderable } from './words.ts'

/** Learns the names in the objects. Twice, for what selectors match by a part of a text is known after the first time. */
export function learnObjects(items: readonly Json[], names: Names): void {
  const to: Mapping = {
    name: (text, kind) => {
      names.learn(text, kind)
      return text
    },
    policy: (text, tier) => {
      names.learn(
        text
          .replace(/^(?:knp\.default|kanp\.adminnetworkpolicy|kbanp\.baselineadminnetworkpolicy)\./, '')
          .replace(new RegExp(`^${escaped(tier ?? 'default')}\\.`), ''),
        'policy',
      )
      return text
    },
    profile: (text) => {
      const [, kind, namespace, account] = /^(kns|ksa)\.([^.]+)(?:\.(.+))?$/.exec(text) ?? []
      if (kind === undefined) names.learn(text, 'x')
      if (namespace !== undefined) names.learn(namespace, 'ns')
      if (account !== undefined) names.learn(account, 'sa')
      return text
    },
    device: (text) => text,
    plain: (text) => (/^-?[\d.]+$/.test(text) || parsePrefix(text) ? text : undefined),
    matching: () => [],
  }
  for (const item of items) object(item, to)
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** Names that stand in the paths of files: `nodes/n1/…`, `pods/shop_web/…`, `external/router/…`. */
export function learnFolders(files: readonly string[], names: Names): void {
  for (const file of files) {
    const [folder, name] = file.split('/')
    if (name === undefined) continue
    if (folder === 'nodes') names.learn(name, 'node')
    if (folder === 'external') names.learn(name, 'external')
    if (folder === 'pods') {
      const [namespace = '', pod = ''] = splitPod(name)
      names.learn(namespace, 'ns')
      names.learn(pod, 'pod')
    }
  }
}

/** `shop_web`: names of Kubernetes have no `_` */
export const splitPod = (folder: string): readonly [string, string] => {
  const at = folder.indexOf('_')
  return at < 0 ? ['', folder] : [folder.slice(0, at), folder.slice(at + 1)]
}

export interface Blocks {
  readonly networks: readonly Prefix[]
  readonly ordered: readonly Prefix[]
}

/** `addresses`: texts of `ip -j addr`; `texts`: dumps of rules and sets, which may have ranges. */
export function learnBlocks(items: readonly Json[], addresses: Iterable<string>, texts: Iterable<string>): Blocks {
  const networks = new Map<string, Prefix>()
  const ordered = new Map<string, Prefix>()
  const network = (p: Prefix | undefined): void => {
    if (p && p.length < (p.ip.family === 4 ? 31 : 127)) networks.set(`${masked(p, 0).text}/${p.length}`, p)
  }
  for (const text of addresses) {
    for (const [, address = '', length = ''] of text.matchAll(
      /"local":\s*"([0-9a-f.:]+)",(?:\s*"(?:broadcast|address)":\s*"[0-9a-f.:]+",)?\s*"prefixlen":\s*(\d+)/gi,
    ))
      network(parsePrefix(`${address}/${length}`))
  }
  for (const { kind, spec } of items) {
    const { cidr, podCIDR, podCIDRs } = rec(spec)
    for (const text of [cidr, podCIDR, ...(Array.isArray(podCIDRs) ? podCIDRs : [])]) network(parsePrefix(str(text) ?? ''))
    // the place in the list tells the address
    const block = kind === 'IPAMBlock' ? parsePrefix(str(cidr) ?? '') : undefined
    if (block) ordered.set(`${block.ip.text}/${block.length}`, block)
  }
  for (const text of texts) {
    for (const [, from = '', to = ''] of text.matchAll(
      /(?<![\w.:])\[?((?:\d{1,3}\.){3}\d{1,3}|[0-9a-f:]*:[0-9a-f:.]*)\]?-\[?((?:\d{1,3}\.){3}\d{1,3}|[0-9a-f:]*:[0-9a-f:.]*)/gi,
    )) {
      const [first, last] = [parseIp(from), parseIp(to)]
      if (!first || !last || first.family !== last.family) continue
      const block = enclosing(first, last)
      const whole = masked(block, 0).text === first.text && masked(block, -1).text === last.text
      if (!whole && isOrderable(block)) ordered.set(`${masked(block, 0).text}/${block.length}`, block)
    }
  }
  return { networks: [...networks.values()], ordered: outermost([...ordered.values()]) }
}

/** Blocks inside of others say nothing new. */
function outermost(blocks: readonly Prefix[]): readonly Prefix[] {
  const out: Prefix[] = []
  for (const block of [...blocks].sort((x, y) => x.length - y.length))
    if (!out.some((o) => contains(o, block.ip))) out.push(prefix(masked(block, 0), block.length))
  return out
}

/** Starts of device names that rules match: `cali+` of iptables, `"cali*"` of nft. */
export function learnWildcards(texts: Iterable<string>): readonly string[] {
  const out = new Set<string>()
  for (const text of texts) {
    for (const [, start = ''] of text.matchAll(/ (?:-[io]|--physdev-(?:in|out)) ([^\s+]{1,15})\+/g)) out.add(start)
    for (const [, start = ''] of text.matchAll(/"([^"*\s]{1,15})\*"/g)) out.add(start)
  }
  return [...out]
}
