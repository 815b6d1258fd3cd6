import { nearest } from '../nearest.ts'
import { type Ip, parseIp, parsePrefix } from '../net/ip.ts'
import { ResolveError } from './inventory.ts'

export type ObjectKind = 'pod' | 'svc' | 'node' | 'external' | 'deploy' | 'sts' | 'ds' | 'job' | 'rs'
export type Proto = 'tcp' | 'udp' | 'sctp' | 'icmp'

/** An endpoint as typed, not yet looked up. */
export interface EndpointRef {
  readonly text: string
  readonly target:
    | { readonly kind: 'address'; readonly ip: Ip }
    | { readonly kind: 'object'; readonly type: ObjectKind; readonly namespace?: string; readonly name: string }
    /** a name without a kind: wrong, but worth looking up for the message */
    | { readonly kind: 'bare'; readonly namespace?: string; readonly name: string }
  /** number or name, as typed */
  readonly port?: string
  readonly proto?: Proto
}

/** What stands behind the name: `:80/udp`, `/icmp`, or nothing. */
export const portText = ({ port, proto }: EndpointRef): string =>
  `${port === undefined ? '' : `:${port}`}${proto === undefined ? '' : `/${proto}`}`

/** Kinds as kubectl abbreviates them. */
const KINDS: Readonly<Record<string, ObjectKind>> = Object.assign(Object.create(null), {
  po: 'pod',
  pod: 'pod',
  pods: 'pod',
  svc: 'svc',
  service: 'svc',
  services: 'svc',
  no: 'node',
  node: 'node',
  nodes: 'node',
  external: 'external',
  ext: 'external',
  deploy: 'deploy',
  deployment: 'deploy',
  deployments: 'deploy',
  sts: 'sts',
  statefulset: 'sts',
  statefulsets: 'sts',
  ds: 'ds',
  daemonset: 'ds',
  daemonsets: 'ds',
  job: 'job',
  jobs: 'job',
  rs: 'rs',
  replicaset: 'rs',
  replicasets: 'rs',
})

/** Is a word a kind of endpoint, as kubectl abbreviates them? */
export const isKind = (word: string): boolean => KINDS[word.toLowerCase()] !== undefined

export const SYNTAX =
  'KIND/[NAMESPACE/]NAME[:PORT[/PROTO]] or ADDRESS[:PORT[/PROTO]], like pod/shop/client, svc/shop/web:http, 10.96.0.10:53/udp, [fd00::5]:80'

const syntaxError = (text: string, why: string): ResolveError =>
  new ResolveError('syntax', `“${text}” is no endpoint: ${why}`, [], `say it as ${SYNTAX}`)

/**
 * Reads `KIND/[NAMESPACE/]NAME[:PORT[/PROTO]]`, `NAMESPACE/KIND/NAME`, or an address; `/icmp` for ping.
 * Throws ResolveError on anything else.
 */
export function parseEndpoint(text: string): EndpointRef {
  const typed = text.trim()
  if (typed === '') throw syntaxError(text, 'it is empty')
  const { rest, proto } = cutProtocol(typed)
  const whole = parseIp(rest)
  if (whole?.family === 6) return done(text, { kind: 'address', ip: whole }, undefined, proto)
  if (rest.startsWith('[')) {
    const [, inner = '', port] = /^\[([^\]]*)\](?::(.*))?$/.exec(rest) ?? []
    const ip = parseIp(inner)
    if (!ip) throw syntaxError(text, `“${inner || rest}” in the brackets is no IPv6 address`)
    return done(text, { kind: 'address', ip }, port, proto)
  }
  const colon = rest.lastIndexOf(':')
  const name = colon < 0 ? rest : rest.slice(0, colon)
  const port = colon < 0 ? undefined : rest.slice(colon + 1)
  if (name.includes(':'))
    throw syntaxError(
      text,
      rest.includes('/') ? 'there is more than one colon' : 'it is no IPv6 address either; one with a port is written [ADDRESS]:PORT',
    )
  const ip = parseIp(name)
  if (ip) return done(text, { kind: 'address', ip }, port, proto)
  if (parsePrefix(name)) throw syntaxError(text, 'it is a block of addresses, not one')
  if (/^[\d.]+$/.test(name)) throw syntaxError(text, `${name} is no IPv4 address`)
  return done(text, parseObject(text, name), port, proto)
}

function done(text: string, target: EndpointRef['target'], port: string | undefined, proto: Proto | undefined): EndpointRef {
  if (port === '') throw syntaxError(text, 'nothing follows the colon')
  if (port !== undefined && /^\d+$/.test(port) && (Number(port) < 1 || Number(port) > 65535))
    throw syntaxError(text, `port ${port} is not between 1 and 65535`)
  if (port !== undefined && !/^[\w-]+$/.test(port)) throw syntaxError(text, `“${port}” is neither a number nor a name of a port`)
  if (proto === 'icmp' && port !== undefined) throw syntaxError(text, 'ICMP has no ports')
  return { text, target, ...(port !== undefined && { port }), ...(proto && { proto }) }
}

/** Takes `/tcp`, `/udp`, `/sctp` behind a port, and `/icmp` behind anything, off the end. */
function cutProtocol(text: string): { readonly rest: string; readonly proto?: Proto } {
  const cut =
    /^(.+:[\w-]+|\[.+\]|[\d.]+|[\da-f]*:[\da-f:.]*)\/([A-Za-z]\w*)$/i.exec(text) ??
    /^([^/]+\/.+|[^/]+:[^/]*)\/(icmp|icmpv6|ping)$/i.exec(text)
  if (!cut) return { rest: text }
  const word = (cut[2] as string).toLowerCase()
  const proto = word === 'icmpv6' || word === 'ping' ? 'icmp' : word
  if (proto !== 'tcp' && proto !== 'udp' && proto !== 'sctp' && proto !== 'icmp')
    throw syntaxError(text, `“${word}” is no protocol; there are tcp, udp, sctp and icmp`)
  return { rest: cut[1] as string, proto }
}

function parseObject(text: string, name: string): EndpointRef['target'] {
  const parts = name.split('/')
  if (parts.some((p) => p === '')) throw syntaxError(text, 'a part of the name is empty')
  if (parts.length === 1) return { kind: 'bare', name }
  const [first, second, third] = parts.map((p) => p.toLowerCase()) as [string, string, string | undefined]
  let type = KINDS[first]
  let namespace = parts.length === 3 ? second : undefined
  let object = parts.at(-1) as string
  if (type === undefined && parts.length === 3 && KINDS[second] !== undefined) {
    type = KINDS[second]
    namespace = first
    object = third as string
  }
  if (type === undefined) {
    // `shop/web-1` as flow lines and kubectl say it; `pdo/web-1` is a kind that was mistyped
    const near = KINDS[nearest(first, Object.keys(KINDS), 1)[0] ?? '']
    if (parts.length === 2 && near === undefined) return { kind: 'bare', namespace: first, name: second }
    throw new ResolveError(
      'syntax',
      `“${text}”: ${first} is no kind of endpoint`,
      near ? [{ value: [near, ...parts.slice(1)].join('/'), label: near }] : [],
      near ? undefined : 'the kinds are pod, svc, node, external, deploy, sts, ds, job, rs',
    )
  }
  if (parts.length > 3) throw syntaxError(text, 'it has too many parts')
  if (namespace !== undefined && (type === 'node' || type === 'external'))
    throw syntaxError(text, `a ${type === 'node' ? 'node' : 'host outside'} is in no namespace`)
  // Kubernetes names are lower case; hosts outside are called as their folders are
  object = type === 'external' ? (parts.at(-1) as string) : object.toLowerCase()
  return { kind: 'object', type, ...(namespace !== undefined && { namespace }), name: object }
}
