import { formatMatch } from './format-match.ts'
import { natOption } from './parse-target.ts'
import type { Chain, Counters, IptablesDump, Match, Rule, Target } from './types.ts'

/**
 * Prints a dump as `iptables-save` (with `-c` where rules have counters) prints it. The inverse of `parseIptablesSave`, from the typed
 * table alone.
 */
export function formatIptablesSave(dump: IptablesDump): string {
  const out: string[] = []
  const remarks = dump.remarks ?? []
  let next = 0
  const print = (line: string) => {
    out.push(line)
    while (remarks[next]?.line === out.length + 1) out.push((remarks[next++] as { text: string }).text)
  }
  while (remarks[next]?.line === out.length + 1) out.push((remarks[next++] as { text: string }).text)
  const matches = new Map<Match, string>()
  for (const table of dump.tables) {
    if (table.generated !== undefined) print(`# ${table.generated}`)
    print(`*${table.name}`)
    for (const chain of table.chains.values()) print(`:${chain.name} ${chain.policy ?? '-'} ${formatCounters(chain.counters)}`)
    for (const [chain, rule] of inOrder([...table.chains.values()])) print(formatRule(chain.name, rule, matches))
    print('COMMIT')
    if (table.completed !== undefined) print(`# ${table.completed}`)
  }
  for (; next < remarks.length; next++) out.push((remarks[next] as { text: string }).text)
  if (out.length === 0) return ''
  return out.join('\n') + (dump.unterminated ? '' : '\n')
}

/** Rules stand chain by chain in the dumps of the tools; in files made by hand the lines say in which order. */
function inOrder(chains: readonly Chain[]): (readonly [Chain, Rule])[] {
  const rules = chains.flatMap((chain) => chain.rules.map((rule) => [chain, rule] as const))
  const sorted = rules.every(([, rule], i) => i === 0 || (rules[i - 1] as (typeof rules)[number])[1].line <= rule.line)
  return sorted ? rules : rules.toSorted((x, y) => x[1].line - y[1].line)
}

const formatCounters = ({ packets, bytes }: Counters) => `[${packets}:${bytes}]`

/** One rule as a line: `[PACKETS:BYTES] -A CHAIN MATCHES TARGET`. `known` keeps the text of matches that many rules share. */
export function formatRule(chain: string, rule: Rule, known?: Map<Match, string>): string {
  let line = rule.counters ? `${formatCounters(rule.counters)} -A ${chain}` : `-A ${chain}`
  for (const match of rule.matches) {
    let text = known?.get(match)
    if (text === undefined) {
      text = formatMatch(match)
      known?.set(match, text)
    }
    line += ` ${text}`
  }
  return rule.target ? `${line} ${formatTarget(rule.target)}` : line
}

/** `-j DNAT --to-destination 10.0.0.1:80`, `-g CHAIN`. */
export function formatTarget(target: Target): string {
  switch (target.kind) {
    case 'verdict':
      return `-j ${target.verdict}`
    case 'jump':
      return `-j ${target.chain}`
    case 'goto':
      return `-g ${target.chain}`
    case 'mark':
      return ['-j MARK', ...target.words].join(' ')
    case 'connmark':
      return ['-j CONNMARK', ...target.words].join(' ')
    case 'reject':
      return `-j REJECT --reject-with ${target.type}`
    case 'notrack':
      return '-j NOTRACK'
    case 'ct':
      return ['-j CT', ...target.words].join(' ')
    case 'nat':
      return [
        `-j ${target.target}`,
        ...(target.toText === undefined ? [] : [natOption[target.target], target.toText]),
        ...target.flags,
      ].join(' ')
    case 'other':
      return [`-j ${target.name}`, ...target.words].join(' ')
  }
}
