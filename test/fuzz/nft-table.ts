/** A native table in the making, and what its parts are made of. */
import type { Pool } from './values.ts'

export const hooks = ['prerouting', 'input', 'forward', 'output', 'postrouting'] as const
export type Hook = (typeof hooks)[number]
export type Kind = 'filter' | 'route' | 'dst' | 'src'

export interface Table {
  readonly pool: Pool
  /** `ip t1` */
  readonly name: string
  readonly inet: boolean
  readonly lines: string[]
  /** sets by the expression that they are looked up with */
  readonly sets: { readonly key: string; readonly name: string; readonly verdicts?: boolean }[]
  /** maps of addresses to translate to, by their key; `port`: to address and port */
  readonly maps: { readonly key: string; readonly name: string; readonly port: boolean }[]
}

/** Chains that rules may jump to lie in the same group, where the same statements are lawful. */
export interface Place {
  readonly kind: Kind
  readonly hook: Hook | undefined
  readonly priority: number
  readonly users: readonly string[]
}

export const add = (t: Table, chain: string, rule: string): void => {
  t.lines.push(`add rule ${t.name} ${chain} ${rule}`)
}

export const ip = (t: Table) => (t.pool.net.family === 4 ? 'ip' : 'ip6')
export const type = (t: Table) => (t.pool.net.family === 4 ? 'ipv4_addr' : 'ipv6_addr')
export const some = (t: Table, n: number, make: () => string): string =>
  [...new Set(Array.from({ length: 1 + t.pool.r.below(n) }, make))].join(', ')
export const service = (t: Table) => {
  const probe = t.pool.probe()
  return { dst: probe.dst, proto: probe.proto === 'icmp' ? 'tcp' : probe.proto, port: probe.port ?? 80 }
}
