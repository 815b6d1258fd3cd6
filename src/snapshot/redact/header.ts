/** snapshot.json of a redacted snapshot. */
import { type Json, rec, str } from '../../cluster/items.ts'
import { splitPod } from './learn.ts'
import type { Words } from './words.ts'

/** `missing`: what redacting left out besides. */
export function header(json: Json, words: Words, missing: readonly string[]): Json {
  const { listeners, forwarding, routes, unknownDestination } = rec(json.assume)
  const entries = (of: unknown, key: (text: string) => string, value: (v: unknown) => unknown) =>
    Object.fromEntries(Object.entries(rec(of)).map(([k, v]) => [key(k), value(v)]))
  const ports = (v: unknown): unknown =>
    Array.isArray(v) ? v.filter((p) => typeof p === 'string' && /^[a-z]+\/[\d-]+$/.test(p)) : 'containerPorts'
  return {
    apiVersion: 'netctl.dev/v1alpha1',
    kind: 'Snapshot',
    schemaVersion: 1,
    ...(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(str(json.takenAt) ?? '') && { takenAt: json.takenAt }),
    source: 'netctl collect --redact',
    missing: [...new Set(texts(json.missing).map((text) => note(text, words))), ...missing],
    assume: {
      ...(listeners !== undefined && { listeners: entries(listeners, (k) => host(k, words), ports) }),
      ...(forwarding !== undefined && { forwarding: texts(forwarding).map((h) => host(h, words)) }),
      ...(routes !== undefined && {
        routes: entries(
          routes,
          (k) => words.plain(k) ?? k,
          (v) => host(str(v) ?? '', words),
        ),
      }),
      ...((unknownDestination === 'unreachable' || unknownDestination === 'dropped' || unknownDestination === 'undecided') && {
        unknownDestination,
      }),
    },
  }
}

const texts = (x: unknown): readonly string[] => (Array.isArray(x) ? x.filter((t) => typeof t === 'string') : [])

/** `node/n1`, `pod/shop/web-1`, `pod/*` */
const host = (text: string, words: Words): string =>
  text
    .split('/')
    .map((part, i) => (i === 0 || part === '*' ? part : words.names.name(part)))
    .join('/')

/** A folder of the snapshot, or a file in it; undefined if it is none that a snapshot has. */
export function path(file: string, words: Words): string | undefined {
  const [folder, name, ...rest] = file.split('/')
  if (name === undefined || rest.length > 1) return undefined
  switch (folder) {
    case 'nodes':
    case 'external':
      return [folder, words.names.name(name), ...rest].join('/')
    case 'pods':
      return [
        folder,
        splitPod(name)
          .map((n) => words.names.name(n))
          .join('_'),
        ...rest,
      ].join('/')
    default:
      return undefined
  }
}

/** Reasons in words of netctl's own; whatever else a tool said may hold anything. */
const WORDS = new Set(
  `there is no are to look into their network namespaces left out as not all of rules could be read ended while the node was changed it twice in time after s its end
  output too early the kernel tracks connections virtual servers and tables failed sockets iptables ip6tables iptables-legacy iptables-nft iptables-save ip6tables-save
  iptables-legacy-save ip6tables-legacy-save nft ipset ip conntrack ipvsadm ss bridge wg birdcl birdc bpftool sysctl nsenter list ruleset table odd name a has can't exit
  right lacks kubectl auth can-i -A pods nothing is known about listeners beyond dumps iptables's ip6tables's save -j -d -L -n addr link route rule neigh show all more than neither nor the cluster objects tell their names`.split(
    /\s+/,
  ),
)

function note(text: string, words: Words): string {
  const [, at = '', reason = ''] = /^([a-z]+\/[^\s:]+)?(?:: )?(.*)$/s.exec(text) ?? []
  const where = at.startsWith('cluster/') ? (/^cluster\/[a-z.0-9]+\.json$/.test(at) ? at : '') : (path(at, words) ?? '')
  const known = reason.split(/[\s:,;]+/).every((word) => word === '' || WORDS.has(word) || /^\d+$/.test(word))
  const why = known ? reason : `${where === '' ? 'something is missing ' : ''}for a reason that may hold names`
  return [where, why].filter((part) => part !== '').join(': ')
}
