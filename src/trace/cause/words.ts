/** How causes are worded: objects, packets, short lists. */
import type { ServiceKey } from '../../kernel/ipvs/types.ts'
import { ruleEvidence } from '../evidence.ts'
import type { Case, Headers } from './case.ts'

/** `networkpolicy shop/allow` of `networkpolicy/shop/allow`: as it is said, and as kubectl takes it. */
export const spoken = (object: string): string => object.replace('/', ' ')

/** `10.244.1.4 → 10.244.2.3:8080/tcp` */
export function said({ src, dst, proto, dport }: Headers): string {
  const to = dport === undefined ? dst.text : `${dst.family === 6 ? `[${dst.text}]` : dst.text}:${portText(dport)}`
  return `${src ? `${src.text} → ` : ''}${to}/${proto}`
}

const portText = (p: { readonly lo: number; readonly hi: number }): string => (p.lo === p.hi ? `${p.lo}` : '*')

/** `a`, `a and b`, `a, b and 3 more` */
export function some(items: Iterable<string>, most = 3): string {
  const all = [...new Set(items)]
  if (all.length > most) return `${all.slice(0, most).join(', ')} and ${all.length - most} more`
  return all.length < 2 ? (all[0] ?? '') : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`
}

/** The rule that was to blame as iptables-save or nft prints it, without its counters: those change, the rule stays. */
export function ruleLine({ snapshot, blame }: Case): string {
  if (!blame.source || !blame.rule) return ''
  return ruleEvidence(snapshot, blame.source, blame.rule)
    .text.replace(/^\[\d+:\d+\] /, '')
    .replace(/\bcounter packets \d+ bytes \d+ /, '')
    .trim()
}

/** `10.96.0.10:53/udp`, `firewall mark 7` */
export const serverName = (key: ServiceKey): string =>
  key.kind === 'mark' ? `firewall mark ${key.mark}` : said({ dst: key.ip, proto: key.proto, dport: { lo: key.port, hi: key.port } })
