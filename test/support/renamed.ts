/** What a trace of the original is called in the redacted snapshot: the parts of it that name or locate something. */
import type { Cluster } from '../../src/cluster/types.ts'
import { path } from '../../src/snapshot/redact/header.ts'
import type { Words } from '../../src/snapshot/redact/words.ts'
import type { Evidence, Flow, Hop, Trace } from '../../src/trace/types.ts'

export interface Renaming {
  ip(text: string): string
  host(text: string): string
  node(text: string): string
  object(text: string): string
  file(text: string): string
}

export const asItIs: Renaming = {
  ip: (text) => text,
  host: (text) => text,
  node: (text) => text,
  object: (text) => text,
  file: (text) => text,
}

export function renaming(words: Words, cluster: Cluster): Renaming {
  const ip = (text: string): string => words.plain(text) ?? text
  const host = (text: string): string =>
    text
      .split('/')
      .map((part, i) => (i === 0 ? part : words.names.name(part)))
      .join('/')
  const object = (text: string): string => {
    if (text.includes(', ')) return text.split(', ').map(object).join(', ')
    const [kind = '', ...names] = text.split('/')
    if (kind === 'service') return `${kind}/${words.agents.servicePort(names.join('/'))}`
    if (kind === 'profile') return `${kind}/${words.agents.profile(names[0] as string)}`
    if (!/policy/.test(kind)) return host(text)
    const name = names.at(-1) as string
    const tier = cluster.policies.find((p) => p.name === name)?.tier
    return [kind, ...names.slice(0, -1).map((n) => words.names.name(n)), words.names.policy(name, tier)].join('/')
  }
  return {
    ip,
    host,
    object,
    node: (text) => (text.includes('/') ? host(text) : words.names.name(text)),
    file: (text) => path(text.replace(/\.gz$/, ''), words) ?? text.replace(/\.gz$/, ''),
  }
}

export const renamedFlow = ({ from, dst, ...flow }: Flow, to: Renaming): Flow => ({
  ...flow,
  dst: to.ip(dst),
  from: {
    kind: from.kind,
    ...(from.name && { name: to.host(`x/${from.name}`).slice(2) }),
    ...(from.ip && { ip: to.ip(from.ip) }),
    ...(from.ip6 && { ip6: to.ip(from.ip6) }),
  },
})

/** Objects and sysctls are laid out anew: only of other dumps the lines are the same. */
const place = (e: Evidence | undefined, to: Renaming): string =>
  e === undefined ? '' : `${to.file(e.file)}${/cluster\/|sysctl/.test(e.file) ? '' : `:${e.line}`}`

const hop = (h: Hop, to: Renaming) => [
  to.node(h.node),
  h.stage,
  h.owner,
  h.object === undefined ? '' : to.object(h.object),
  h.weight,
  h.table,
  place(h.evidence, to),
  h.also?.length,
]

/** In an order that does not hang on names. */
export function gist(trace: Trace, to: Renaming): readonly string[] {
  const outcomes = trace.outcomes.map((o) => [
    o.verdict,
    o.probability.toFixed(9),
    o.endpoint && to.host(o.endpoint),
    o.address && to.ip(o.address),
    o.port,
    o.seenSource && to.ip(o.seenSource),
    o.error?.replace(/[0-9a-f:.]{6,}/, to.ip),
    o.node && to.node(o.node),
  ])
  const paths = trace.paths.map((p) => [
    p.verdict,
    p.hops.map((h) => hop(h, to)),
    p.reply?.hops.map((h) => hop(h, to)),
    p.cause && [to.node(p.cause.node), p.cause.kind, p.cause.object && to.object(p.cause.object), place(p.cause.evidence, to)],
  ])
  return [...outcomes, ...paths].map((x) => JSON.stringify(x)).sort()
}
