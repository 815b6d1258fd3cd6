import { contains } from '../../net/ip.ts'
import { protocolNumber } from '../../net/packet.ts'
import { parseNumber } from '../words.ts'
import { type Doubt, unknown } from './doubt.ts'
import type { MatchEnv } from './env.ts'
import { parseMaskedPrefix } from './masked-prefix.ts'
import { isTracked } from './match-conntrack.ts'
import { type Option, readOptions } from './options.ts'

const arity = { '--ipvs': 0, '--vproto': 1, '--vaddr': 1, '--vport': 1, '--vdir': 1, '--vmethod': 1, '--vportctl': 1 }

/**
 * `-m ipvs` (net/netfilter/xt_ipvs.c): was the packet handled by IPVS, and of which virtual server is the connection that it is a request of?
 * It is looked up as IPVS has rewritten it, so answers are of none. Undefined: words that the match does not have.
 */
export function matchIpvs(words: readonly string[], env: MatchEnv, doubts: Doubt[]): boolean | undefined {
  const options = readOptions(words, arity)
  if (!options || options.length === 0) return undefined
  const [first] = options
  if (options.length === 1 && first?.name === '--ipvs') return (env.ipvs !== undefined) !== first.not
  if (!env.ipvs) return false
  const { connection } = env.ipvs
  const asked = options.filter((o) => o.name !== '--ipvs' && o.name !== '--vproto')
  const answers = options
    .filter((o) => o.name === '--vproto')
    .map((o) => (Number(o.args[0]) === protocolNumber(env.packet.proto)) !== o.not)
  if (answers.includes(false) || !connection) return false
  for (const option of asked) {
    const answer = holds(option, connection, env)
    if (answer === undefined) return unknown(doubts, `not modelled: -m ipvs ${option.name} ${option.args.join(' ')}`)
    if (answer === option.not) return false
  }
  return true
}

type Connection = NonNullable<NonNullable<MatchEnv['ipvs']>['connection']>

function holds({ name, args }: Option, connection: Connection, env: MatchEnv): boolean | undefined {
  const [value = ''] = args
  switch (name) {
    case '--vaddr': {
      const masked = parseMaskedPrefix(value)
      return masked && contains(masked.prefix, connection.virtual)
    }
    case '--vport':
      return connection.port === undefined ? undefined : parseNumber(value) === connection.port
    case '--vdir':
      return isTracked(env) && env.ct.direction === value
    case '--vmethod':
      return value === connection.method
    default:
      // --vportctl: of the connection that controls this one (FTP)
      return undefined
  }
}
