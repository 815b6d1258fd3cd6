import type { Family } from '../net/ip.ts'
import { parseIp } from '../net/ip.ts'
import type { Inventory } from './inventory.ts'
import { ResolveError } from './inventory.ts'
import { type ResolvedDestination, type ResolvedSource, type ResolveOptions, resolveDestination, resolveSource } from './resolve.ts'

/** A flow made of names. Fits `Flow`. */
export interface ResolvedFlow {
  readonly flow: {
    readonly from: ResolvedSource['from']
    readonly proto: ResolvedDestination['proto']
    readonly dst: string
    readonly port?: number
    readonly source?: string
    readonly label: { readonly from: string; readonly to: string }
  }
  /** what was chosen on the user's behalf, to be said */
  readonly notes: readonly string[]
}

/**
 * Resolves both ends of a flow. Without `family`, the destination's first address that the source can talk to is taken
 * (a source with one family can't use the other).
 */
export function resolveFlow(inventory: Inventory, from: string, to: string, options: ResolveOptions): ResolvedFlow {
  const source = resolveSource(inventory, from, options)
  const destination = destinationFor(inventory, source, to, options)
  const family = parseIp(destination.dst)?.family
  if (family !== undefined && source.families.length > 0 && !source.families.includes(family)) {
    throw new ResolveError(
      'family',
      `${source.label} has no IPv${family} address, ${destination.dst} is one`,
      [],
      options.family === undefined ? 'name a destination of the other family' : 'leave --family out',
    )
  }
  const { proto, port, dst } = destination
  return {
    flow: {
      from: source.from,
      proto,
      dst,
      ...(port !== undefined && { port }),
      ...(source.source !== undefined && { source: source.source }),
      label: { from: source.label, to: destination.label },
    },
    notes: [...source.notes, ...destination.notes],
  }
}

function destinationFor(inventory: Inventory, source: ResolvedSource, to: string, options: ResolveOptions): ResolvedDestination {
  const first = resolveDestination(inventory, to, options)
  const family = parseIp(first.dst)?.family
  const [only, other] = source.families
  if (options.family !== undefined || only === undefined || other !== undefined || only === family) return first
  try {
    return resolveDestination(inventory, to, { ...options, family: only satisfies Family })
  } catch (error) {
    // it has one family only, and that is said above with the source's name
    if (error instanceof ResolveError && error.problem === 'family') return first
    throw error
  }
}
