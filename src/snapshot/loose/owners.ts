/** Whose dumps are in a file: its path may say it, or the addresses among the dumps beside it. */

import { arr, type Json, rec, str } from '../../cluster/items.ts'
import { OBJECT_NAME } from '../../cluster/object-name.ts'
import { parseIp } from '../../net/ip.ts'

export interface Owners {
  /** `nodes/n1`, `pods/shop_web-1`; undefined if nothing tells. `addresses`: those of the devices in the same folder */
  of(path: string, addresses: readonly string[] | undefined): string | undefined
}

const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')))

/** `nodes`, `pods`: objects, if there are any. `root`: what a folder with dumps and nothing else is called. */
export function ownersBy(nodes: readonly Json[], pods: readonly Json[], root: string): Owners {
  const nodeNames = nodes.flatMap((n) => nameOf(n) ?? []).sort((a, b) => b.length - a.length)
  const byAddress = new Map<string, string>()
  for (const pod of pods) {
    const { spec, status } = pod
    const name = podName(pod)
    if (rec(spec).hostNetwork === true || name === undefined) continue
    const folder = `pods/${name}`
    const { podIP, podIPs } = rec(status)
    for (const text of [podIP, ...arr(podIPs).map((p) => rec(p).ip)]) put(byAddress, text, folder)
  }
  for (const node of nodes) {
    for (const { type, address } of arr(rec(node.status).addresses).map(rec)) {
      const name = nameOf(node)
      if (name !== undefined && (type === 'InternalIP' || type === 'ExternalIP')) put(byAddress, address, `nodes/${name}`)
    }
  }
  const podNames = new Set(pods.flatMap((p) => podName(p) ?? []))
  return {
    of(path, addresses) {
      const named = podIn(path, podNames) ?? nodeIn(path, nodeNames)
      if (named !== undefined) return named
      const owners = new Set((addresses ?? []).flatMap((text) => byAddress.get(text) ?? []))
      if (owners.size === 1) return [...owners][0]
      // without objects, a folder of dumps is a node's
      return nodes.length === 0 && owners.size === 0 ? `nodes/${hostName(folderOf(path).split('/').at(-1) || root)}` : undefined
    },
  }
}

/** Names become names of folders: those that Kubernetes would not have are nobody's. */
const nameOf = ({ metadata }: Json): string | undefined => OBJECT_NAME.exec(str(rec(metadata).name) ?? '')?.[0]

function podName(pod: Json): string | undefined {
  const namespace = str(rec(pod.metadata).namespace) ?? 'default'
  const name = nameOf(pod)
  return name !== undefined && /^[a-z0-9-]{1,63}$/.test(namespace) ? `${namespace}_${name}` : undefined
}

function put(map: Map<string, string>, text: unknown, owner: string): void {
  const ip = typeof text === 'string' ? parseIp(text) : undefined
  if (ip) map.set(ip.text, owner)
}

/** `…/shop_web-1/ip-addr.json`, `…/shop/web-1/ip-addr.json` */
function podIn(path: string, names: ReadonlySet<string>): string | undefined {
  const parts = path.split('/')
  for (const [i, part] of parts.slice(0, -1).entries()) {
    const name = names.has(part) ? part : `${part}_${parts[i + 1]}`
    if (names.has(name)) return `pods/${name}`
  }
  return undefined
}

/** `…/n1/iptables-save`, `n1.iptables-save.txt`, `iptables-save_n1`: the longest name that stands there as a word. */
function nodeIn(path: string, names: readonly string[]): string | undefined {
  for (const part of path.split('/').reverse()) {
    for (const name of names) {
      const at = part.indexOf(name)
      const [before = '', after = ''] = at < 0 ? ['x'] : [part[at - 1], part[at + name.length]]
      if (!/[A-Za-z0-9]/.test(before) && !/[A-Za-z0-9]/.test(after)) return `nodes/${name}`
    }
  }
  return undefined
}

/** As Kubernetes would have it. */
const hostName = (text: string): string =>
  text
    .toLowerCase()
    .replace(/\.(?:tar\.gz|tgz|tar)$/, '')
    .replace(/[^a-z0-9.-]+/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '') || 'node'
