/** What the client's socket came to, in the words of the prediction. */
import { parseIp } from '../net/ip.ts'
import type { Outcome } from '../trace/types.ts'
import type { ProbeAnswer, ProbeResult } from './types.ts'
import type { ObservedOutcome } from './verification.ts'

/** What a probe heard; without one nobody listened. */
export function outcomeOf({ answer, afterMs }: ProbeResult): ObservedOutcome {
  return { ...heard(answer), afterMs }
}

function heard(answer: ProbeAnswer): ObservedOutcome {
  switch (answer.kind) {
    case 'answered':
      return { verdict: 'delivered' }
    case 'refused':
      return { verdict: 'refused', error: 'rst' }
    case 'icmp': {
      const { type, code, from } = answer
      const six = parseIp(from)?.family === 6
      const refused = six ? type === 1 && code === 4 : type === 3 && (code === 2 || code === 3)
      return { verdict: refused ? 'refused' : 'unreachable', error: `icmp ${type}/${code} from ${from}` }
    }
    case 'errno':
      return { verdict: answer.name === 'ECONNREFUSED' ? 'refused' : 'unreachable', error: `errno ${answer.name}` }
    case 'silent':
      return { verdict: 'dropped' }
    case 'failed':
      return { verdict: 'unknown', reason: `the probe could not be sent: ${answer.reason}` }
  }
}

/** Is it what was predicted? An errno is all that some sockets tell of an ICMP error or a reset. */
export function sameOutcome(predicted: Outcome, observed: ObservedOutcome): boolean {
  if (predicted.verdict === 'delivered' || predicted.verdict === 'dropped') return predicted.verdict === observed.verdict
  if (predicted.error === observed.error) return predicted.verdict === observed.verdict
  const errno = /^errno (\w+)$/.exec(observed.error ?? '')?.[1]
  return errno !== undefined && predicted.error !== undefined && errnosOf(predicted.error).includes(errno)
}

/** icmp_err_convert[] (net/ipv4/icmp.c), tab_unreach[] and icmpv6_err_convert (net/ipv6/icmp.c); ECONNREFUSED for a reset. */
function errnosOf(error: string): readonly string[] {
  if (error === 'rst') return ['ECONNREFUSED']
  const [, type = '', code = '', from = ''] = /^icmp (\d+)\/(\d+) from (\S+)$/.exec(error) ?? []
  const name = `${type}/${code}`
  if (from.includes(':')) return type === '3' ? ['EHOSTUNREACH'] : type === '2' ? ['EMSGSIZE'] : (unreachable6[name] ?? [])
  return type === '11' ? ['EHOSTUNREACH'] : (unreachable4[name] ?? [])
}

const unreachable4: Readonly<Record<string, readonly string[]>> = {
  '3/0': ['ENETUNREACH'],
  '3/1': ['EHOSTUNREACH'],
  '3/2': ['ENOPROTOOPT'],
  '3/3': ['ECONNREFUSED'],
  '3/4': ['EMSGSIZE'],
  '3/5': ['EOPNOTSUPP'],
  '3/6': ['ENETUNREACH'],
  '3/7': ['EHOSTDOWN'],
  '3/8': ['ENONET'],
  '3/9': ['ENETUNREACH'],
  '3/10': ['EHOSTUNREACH'],
  '3/11': ['ENETUNREACH'],
  '3/12': ['EHOSTUNREACH'],
  '3/13': ['EHOSTUNREACH'],
}

const unreachable6: Readonly<Record<string, readonly string[]>> = {
  '1/0': ['ENETUNREACH'],
  '1/1': ['EACCES'],
  '1/2': ['EHOSTUNREACH'],
  '1/3': ['EHOSTUNREACH'],
  '1/4': ['ECONNREFUSED'],
  '1/5': ['EACCES'],
  '1/6': ['EACCES'],
}

/** `delivered`, `refused (rst)`, `dropped (no answer)` */
export function outcomeSaid({ verdict, error }: Pick<Outcome, 'error'> & { readonly verdict: Outcome['verdict'] | 'unknown' }): string {
  if (verdict === 'dropped') return 'dropped (no answer)'
  return error === undefined ? verdict : `${verdict} (${error})`
}
