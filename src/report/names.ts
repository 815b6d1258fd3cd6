import type { Aspect, Flow, Owner, Verdict } from '../trace/types.ts'
import type { Style } from './pen.ts'

/** Marks; their ASCII twins are in pen.ts. */
export const verdictMarks: Readonly<Record<Verdict, string>> = {
  delivered: '✓',
  refused: '✗',
  unreachable: '✗',
  dropped: '✗',
  undecided: '?',
}
export const verdictStyles: Readonly<Record<Verdict, Style>> = {
  delivered: 'good',
  refused: 'bad',
  unreachable: 'bad',
  dropped: 'bad',
  undecided: 'warn',
}

/** Short tags of who put an entry there. */
export const ownerTags: Readonly<Record<Owner, string>> = {
  calico: 'calico',
  'kube-proxy': 'kproxy',
  kernel: 'kernel',
  netctl: 'netctl',
  other: 'other',
}

export const aspectNames: Readonly<Record<Aspect, string>> = {
  primaryFunction: 'primary function',
  serviceManagement: 'service management',
  podNetwork: 'pod network',
  networkPolicies: 'network policies',
  trafficForwarding: 'traffic forwarding',
  loadBalancing: 'load balancing',
  overlayUnderlay: 'overlay/underlay',
  podIpManagement: 'pod IP management',
}

/** `address:port`, with brackets around IPv6. */
export function socketName(address: string, port?: number): string {
  const host = address.includes(':') && port !== undefined ? `[${address}]` : address
  return port === undefined ? host : `${host}:${port}`
}

/** Who sends, as an endpoint that could be typed. */
export function sourceName(flow: Flow): string {
  if (flow.label) return flow.label.from
  const { kind, name, ip, ip6 } = flow.from
  return name ? `${kind}/${name}` : (flow.source ?? ip ?? ip6 ?? kind)
}

/** To whom, as an endpoint that could be typed, always with port and protocol: a missing port is said aloud, never guessed by the reader. */
export function targetName(flow: Flow): string {
  const typed = (flow.label?.to ?? socketName(flow.dst)).replace(/\/(tcp|udp|sctp|icmp)$/, '')
  if (flow.proto === 'icmp') return `${typed}/icmp`
  const bareV6 = /^[0-9a-f:.]+$/i.test(typed) && typed.split(':').length > 2
  const hasPort = !bareV6 && /:[^:/\]]+$/.test(typed)
  if (hasPort || flow.port === undefined) return `${typed}/${flow.proto}`
  return `${bareV6 ? `[${typed}]` : typed}:${flow.port}/${flow.proto}`
}

/** `67 %`; what is not everything never reads `100 %`, what is not nothing never `0 %`. */
export function percent(probability: number): string {
  const p = probability * 100
  if (p >= 99.995) return '100 %'
  if (p > 99) return `${Math.floor(p * 10) / 10} %`
  if (p >= 0.95) return `${Math.round(p)} %`
  if (p >= 0.1) return `${p.toFixed(1)} %`
  return p > 0 ? '< 0.1 %' : '0 %'
}

/** `1 rule`, `12 rules`, `1,024 rules`. Grouped by hand: the first toLocaleString of a process costs it half a bare start of Node. */
export const count = (n: number, noun: string): string => `${String(n).replace(/\B(?=(\d{3})+$)/g, ',')} ${noun}${n === 1 ? '' : 's'}`

/** One command-line word, quoted where a shell would take it apart. */
export const shellWord = (word: string): string => (/^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)
