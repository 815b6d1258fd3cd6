/** Devices by name: `-i`, `-o` and `-m physdev`. */
import { type Doubt, unknown } from './doubt.ts'
import type { MatchEnv } from './env.ts'
import { readOptions } from './options.ts'
import type { Match } from './types.ts'

/**
 * A trailing `+` matches any rest; a hook without the device compares with the empty name (ip_packet_match, nulldevname), so a negated
 * device matches there and `+` alone always does (libxtables: xtables_parse_interface, mask over the characters before `+`).
 */
export function sameDevice(pattern: string, device: string): boolean {
  return pattern.endsWith('+') ? device.startsWith(pattern.slice(0, -1)) : pattern === device
}

/**
 * `-m physdev` (net/netfilter/xt_physdev.c): the ports of the bridge that has handed the packet to netfilter. Of all other packets the kernel says:
 * “Return MATCH if the invert flags of the used options are on”.
 */
export function matchPhysdev(match: Extract<Match, { kind: 'physdev' }>, { bridged }: MatchEnv, doubts: Doubt[]): boolean {
  const options = readOptions(match.options, {
    '--physdev-in': 1,
    '--physdev-out': 1,
    '--physdev-is-in': 0,
    '--physdev-is-out': 0,
    '--physdev-is-bridged': 0,
  })
  if (!options) return false
  if (!bridged) return options.every((o) => o.not)
  const isPort = (port: string, { name, args: [pattern = ''], not }: (typeof options)[number]): boolean =>
    port === '?' ? unknown(doubts, `which port of the bridge it is: ${name} ${pattern}`, not) : sameDevice(pattern, port) !== not
  return options.every((option) => {
    switch (option.name) {
      case '--physdev-is-in':
        return !option.not
      case '--physdev-in':
        return isPort(bridged.in, option)
      case '--physdev-out':
        // “if (!outdev) return false”, negated or not
        return bridged.out !== undefined && isPort(bridged.out, option)
      default:
        return (bridged.out !== undefined) !== option.not
    }
  })
}
