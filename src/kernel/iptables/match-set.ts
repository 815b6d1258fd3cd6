import { testSet } from '../ipset/evaluate.ts'
import { assume, type Doubt, unknown } from './doubt.ts'
import type { MatchEnv } from './env.ts'
import type { Match } from './types.ts'

/** Options of `-m set` that change neither what is looked up nor what the answer is. */
const silent = new Set(['!', '--update-counters', '--update-subcounters'])

/** `-m set --match-set NAME src,dst` (net/netfilter/xt_set.c). */
export function matchSet(match: Extract<Match, { kind: 'set' }>, env: MatchEnv, doubts: Doubt[]): boolean {
  const not = match.not === true
  const set = env.ipset(match.set)
  if (!set) return unknown(doubts, `set ${match.set} is not in ipset-save.txt: is the packet in it?`, not)
  const returnNomatch = match.rest.includes('--return-nomatch')
  const strange = match.rest.find((w) => !silent.has(w) && w !== '--return-nomatch')
  if (strange) return unknown(doubts, `not modelled: -m set --match-set ${match.set} ${strange}`, not)
  const result = testSet(set, match.directions, { ...view(env), returnNomatch })
  if (result.kind === 'unknown') return unknown(doubts, `is the packet in set ${match.set}? ${result.why}`, not)
  const answer = result.found !== not
  if (result.timeout === undefined) return answer
  return assume(
    doubts,
    `members of sets that had time left when the dump was made are still there (${match.set}: ${result.timeout} s)`,
    answer,
  )
}

const view = (env: MatchEnv) => ({
  packet: env.packet,
  mark: env.mark,
  inDevice: env.inDevice,
  outDevice: env.outDevice,
  ipset: (name: string) => env.ipset(name),
})
