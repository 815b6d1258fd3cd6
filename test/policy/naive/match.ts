/** Whether a rule matches; 'unknown' where the objects do not say (a pod without an address against a CIDR, a domain name). */
export type Match = boolean | 'unknown'

export type Direction = 'ingress' | 'egress'

/** The first rule that decides: its place in the list of its direction, and what it does. */
export interface Decider {
  readonly rule: number
  readonly action: 'Allow' | 'Deny' | 'Pass'
}

export function both(...matches: readonly Match[]): Match {
  if (matches.includes(false)) return false
  return matches.includes('unknown') ? 'unknown' : true
}

export function either(matches: readonly Match[]): Match {
  if (matches.includes(true)) return true
  return matches.includes('unknown') ? 'unknown' : false
}

export function not(match: Match): Match {
  return match === 'unknown' ? match : !match
}

/** What the objects leave open is asked, and all answers are tried: does an unknown match hold, does a proxy let the request pass. */
export type Ask = (question: 'unknown' | 'l4-only') => boolean

export function settle(match: Match, ask: Ask): boolean {
  return match === 'unknown' ? ask('unknown') : match
}
