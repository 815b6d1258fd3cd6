/** Entries of nft where the dump has no line for them: `nft -j list ruleset` prints everything as one. */
import { formatRule } from '../kernel/nftables/format.ts'
import type { NftPlace } from './run.ts'

export const isWholeRuleset = (line: string): boolean => line.startsWith('{"nftables"')

/** The rule (or a base chain's policy) as `nft list ruleset` prints it, without its counter: that changes, the rule stays. */
export const nftLine = ({ rule, base }: NftPlace): string =>
  rule
    ? formatRule({ ...rule, statements: rule.statements.filter((s) => s.kind !== 'counter') })
    : `type ${base.base?.type} hook ${base.base?.hook} priority ${base.base?.priority}; policy ${base.base?.policy};`
