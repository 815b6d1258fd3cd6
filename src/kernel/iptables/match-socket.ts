import { type Doubt, unknown } from './doubt.ts'
import type { MatchEnv } from './env.ts'
import { readOptions } from './options.ts'
import type { Match } from './types.ts'

type Kind<K extends Match['kind']> = Extract<Match, { kind: K }>

/**
 * `-m owner` (net/netfilter/xt_owner.c): a packet without a socket — forwarded, or made by the kernel — matches only if every option is
 * negated (`(info->match ^ info->invert) == 0`); what the kernel sends by a socket of its own has one, of nobody. Which user a local sender is, no dump says.
 */
export function matchOwner(match: Kind<'owner'>, env: MatchEnv, doubts: Doubt[]): boolean {
  const options = readOptions(match.options, { '--uid-owner': 1, '--gid-owner': 1, '--socket-exists': 0, '--suppl-groups': 0 })
  if (!options) return unknown(doubts, `not modelled: -m owner ${match.options.join(' ')}`)
  for (const { name, args, not } of options) {
    if (name === '--suppl-groups') continue
    if (!env.localSender) {
      const matches = name === '--socket-exists' && env.controlSocket === true
      if (matches === not) return false
    } else if (name === '--socket-exists') {
      if (not) return false
    } else unknown(doubts, `whose process sends is not known: ${name} ${args.join(' ')}`, not)
  }
  return true
}

/**
 * `-m socket` (net/netfilter/xt_socket.c): a socket of this host that the packet belongs to. Without --nowildcard, sockets that listen on
 * any address don't count, which the dump's socket table can't exclude for a new connection.
 */
export function matchSocket(match: Kind<'socket'>, env: MatchEnv, doubts: Doubt[]): boolean {
  const has = env.hasSocket()
  if (has === false) return false
  const bound = match.options.includes('--nowildcard') || env.ct.state === 'ESTABLISHED'
  if (has && bound && !match.options.includes('--transparent')) return true
  return unknown(doubts, `which socket takes the packet is not known: ${['-m socket', ...match.options].join(' ')}`)
}
