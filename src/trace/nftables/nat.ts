/** Statements of nat chains as the targets that `mapByRule` carries out (nft_nat.c, nft_masq.c, nft_redir.c). */
import type { NatRange } from '../../kernel/iptables/types.ts'
import { evaluate } from '../../kernel/nftables/expression.ts'
import type { Expression, NftElement } from '../../kernel/nftables/expression-types.ts'
import { lookup, settle } from '../../kernel/nftables/lookup.ts'
import type { Operand } from '../../kernel/nftables/operand.ts'
import type { NatStatement } from '../../kernel/nftables/statement-types.ts'
import { fromWords, type Ip, type Prefix } from '../../net/ip.ts'
import type { NatTarget } from '../conntrack/nat.ts'
import { Undecided } from '../run.ts'
import type { NftWalkEnv } from './env.ts'

const names = { dnat: 'DNAT', snat: 'SNAT', masquerade: 'MASQUERADE', redirect: 'REDIRECT' } as const

/** Undefined: a map has nothing for the packet, and the rule ends. `seen` takes what maps gave. */
export function natTarget(s: NatStatement, env: NftWalkEnv, label: string, seen: (element: NftElement) => void): NatTarget | undefined {
  const address = s.address && evaluateNat(s.address, env, seen)
  const port = s.port && evaluateNat(s.port, env, seen)
  if ((s.address && !address) || (s.port && !port)) return undefined
  const [host, ports] = address?.kind === 'concat' ? address.parts : [address, port]
  const to = { ...(host && addressRange(host, label)), ...(ports && portRange(ports, label)) }
  const flags = s.flags.flatMap((f) => (f === 'fully-random' ? ['--random-fully'] : f === 'netmap' ? [] : [`--${f}`]))
  const text = toText(to)
  const base = { kind: 'nat' as const, flags, ...(text !== '' && { toText: text }) }
  if (s.flags.includes('netmap') && to.from && to.to) return { ...base, target: 'NETMAP', to: { prefix: prefixOf(to.from, to.to) } }
  return { ...base, target: names[s.kind], ...(Object.keys(to).length > 0 && { to }) }
}

/** A map at the top is the usual form; what it gives is shown. */
function evaluateNat(x: Expression, env: NftWalkEnv, seen: (element: NftElement) => void): Operand | undefined {
  if (x.kind !== 'map') return evaluate(x, env)
  const key = evaluate(x.key, env)
  const element = key && settle(lookup(x.map, key, env), env)
  if (element) seen(element)
  return element?.data
}

function addressRange(x: Operand, label: string): Pick<NatRange, 'from' | 'to'> {
  switch (x.kind) {
    case 'ip':
      return { from: x.ip, to: x.ip }
    case 'range':
      if (x.from.kind === 'ip' && x.to.kind === 'ip') return { from: x.from.ip, to: x.to.ip }
      break
    case 'prefix':
      return ends(x.prefix)
    default:
      break
  }
  throw new Undecided(label, `the address to translate to is not known on ${label}`)
}

function portRange(x: Operand, label: string): Pick<NatRange, 'ports'> {
  if (x.kind === 'number') return { ports: { lo: x.value, hi: x.value } }
  if (x.kind === 'range' && x.from.kind === 'number' && x.to.kind === 'number') return { ports: { lo: x.from.value, hi: x.to.value } }
  throw new Undecided(label, `the port to translate to is not known on ${label}`)
}

function ends({ ip, ma, mb, mc, md }: Prefix): { readonly from: Ip; readonly to: Ip } {
  const { family, a, b, c, d } = ip
  return {
    from: fromWords(family, a & ma, b & mb, c & mc, d & md),
    to: family === 4 ? fromWords(4, 0, 0, 0, d | ~md) : fromWords(6, a | ~ma, b | ~mb, c | ~mc, d | ~md),
  }
}

/** nft_nat_setup_netmap: the mask is where both ends agree. */
function prefixOf(from: Ip, to: Ip): Prefix {
  const [ma, mb, mc, md] = [~(from.a ^ to.a), ~(from.b ^ to.b), ~(from.c ^ to.c), ~(from.d ^ to.d)]
  return { ip: from, length: from.family === 4 ? 32 : 128, ma, mb, mc, md }
}

function toText({ from, to, ports }: NatRange): string {
  const host = !from ? '' : to && to.text !== from.text ? `${from.text}-${to.text}` : from.text
  if (!ports) return host
  const port = ports.lo === ports.hi ? `${ports.lo}` : `${ports.lo}-${ports.hi}`
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
