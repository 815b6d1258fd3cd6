import type { DataType } from './datatype.ts'
import { formatDuration, formatElement, formatExpression, quoted } from './format-expression.ts'
import { formatCounts, formatLimit, formatQuota, formatStateful } from './format-stateful.ts'
import { formatStatement } from './format-statement.ts'
import type { NftChain, NftFlowtable, NftObject, NftRule, NftRuleset, NftSet, NftTable, SetData } from './types.ts'

/**
 * A ruleset as `nft -f` loads it; handles are left out. What iptables-nft made can't be loaded so, nor what was not understood.
 * The JSON of nft 1.0 does not tell the devices of netdev chains, and no key of type `integer` can be declared without `typeof`.
 */
export const formatNft = (ruleset: NftRuleset): string => ruleset.tables.map(formatTable).join('')

/** A table as `nft list ruleset` prints it. */
export function formatTable(table: NftTable): string {
  const updated = updatedSets(table)
  const blocks = [
    ...table.objects.map(formatObject),
    ...[...table.sets.values()].map((s) => formatSetBlock(s, updated.has(s.name))),
    ...table.flowtables.map(formatFlowtable),
    ...[...table.chains.values()].map(formatChain),
  ]
  const own = [...comment(table), ...(table.flags.length > 0 ? [`flags ${table.flags.join(',')}`] : [])]
  return `table ${table.family} ${table.name} {\n${[...own.map((l) => `\t${l}\n`), ...blocks].join('')}}\n`
}

/** Sets that rules add to: the JSON of nft 1.0 does not say `dynamic`, without which the kernel refuses the rule. */
function updatedSets(table: NftTable): ReadonlySet<string> {
  const names = new Set<string>()
  for (const chain of table.chains.values())
    for (const rule of chain.rules) for (const s of rule.statements) if (s.kind === 'set' && s.operation !== 'delete') names.add(s.set)
  return names
}

const comment = ({ comment }: { readonly comment?: string }): readonly string[] =>
  comment === undefined ? [] : [`comment ${quoted(comment)}`]

const block = (head: string, lines: readonly string[]): string => `\t${head} {\n${lines.map((l) => `\t\t${l}\n`).join('')}\t}\n`

/** A chain with its rules, indented as within its table. */
export function formatChain(chain: NftChain): string {
  const { base } = chain
  const hook: string[] = []
  if (base) {
    const devices = base.devices.map(quoted)
    const at = devices.length === 0 ? '' : devices.length === 1 ? ` device ${devices[0]}` : ` devices = { ${devices.join(', ')} }`
    hook.push(`type ${base.type} hook ${base.hook}${at} priority ${base.priority}; policy ${base.policy};`)
  }
  return block(`chain ${chain.name}`, [...comment(chain), ...hook, ...chain.rules.map(formatRule)])
}

/** A rule on one line, with counters as they stood. */
export const formatRule = (rule: NftRule): string => [...rule.statements.map(formatStatement), ...comment(rule)].join(' ')

function formatSetBlock(set: NftSet, updated: boolean): string {
  const flags = updated && !set.flags.includes('dynamic') ? [...set.flags, 'dynamic'] : set.flags
  const lines = [declaration(set), ...comment(set)]
  if (flags.length > 0) lines.push(`flags ${flags.join(',')}`)
  if (set.timeout !== undefined) lines.push(`timeout ${formatDuration(set.timeout)}`)
  if (set.gcInterval !== undefined) lines.push(`gc-interval ${formatDuration(set.gcInterval)}`)
  if (set.size !== undefined) lines.push(`size ${set.size}`)
  if (set.policy !== undefined) lines.push(`policy ${set.policy}`)
  if (set.autoMerge) lines.push('auto-merge')
  if (set.statements.length > 0) lines.push(set.statements.map(formatStateful).join(' '))
  if (set.elements.length > 0) {
    const key: DataType = set.types.length === 1 ? set.types[0] : set.types
    const data = dataType(set.map)
    lines.push(`elements = { ${set.elements.map((e) => formatElement(e, key, data)).join(',\n\t\t\t     ')} }`)
  }
  return block(`${set.map ? 'map' : 'set'} ${set.name}`, lines)
}

function dataType(map: SetData | undefined): DataType {
  if (map?.kind !== 'types') return map?.kind
  return map.types.length === 1 ? map.types[0] : map.types
}

/** `type ipv4_addr . inet_service : verdict`, or `typeof …` where that is known */
function declaration({ types, typeof: computed, map }: NftSet): string {
  const byExpression = computed && (map?.kind !== 'types' || map.typeof)
  const key = byExpression ? computed.map((e) => formatExpression(e)).join(' . ') : types.join(' . ')
  const word = byExpression ? 'typeof' : 'type'
  if (!map) return `${word} ${key}`
  if (map.kind !== 'types') return `${word} ${key} : ${map.kind === 'verdict' ? 'verdict' : map.object}`
  const data = byExpression && map.typeof ? map.typeof.map((e) => formatExpression(e)).join(' . ') : map.types.join(' . ')
  return `${word} ${key} : ${map.interval ? 'interval ' : ''}${data}`
}

function formatFlowtable(f: NftFlowtable): string {
  const lines = [`hook ${f.hook} priority ${f.priority}`]
  if (f.devices.length > 0) lines.push(`devices = { ${f.devices.map(quoted).join(', ')} }`)
  if (f.flags.length > 0) lines.push(`flags ${f.flags.join(',')}`)
  if (f.counter) lines.push('counter')
  return block(`flowtable ${f.name}`, lines)
}

function formatObject(o: NftObject): string {
  return block(`${o.kind === 'other' ? o.type : o.kind} ${o.name}`, [...comment(o), ...objectBody(o)])
}

function objectBody(o: NftObject): readonly string[] {
  switch (o.kind) {
    case 'counter':
      return [formatCounts(o)]
    case 'quota':
      return [formatQuota(o.quota)]
    case 'limit':
      return [formatLimit(o.limit)]
    case 'ct helper':
      return [`type ${quoted(o.type)} protocol ${o.protocol}`, `l3proto ${o.l3proto}`]
    case 'ct timeout': {
      const states = [...o.policy].map(([state, seconds]) => `${state} : ${seconds}`)
      return [`protocol ${o.protocol}`, `l3proto ${o.l3proto}`, `policy = { ${states.join(', ')} }`]
    }
    case 'ct expectation':
      return [
        `protocol ${o.protocol}`,
        `dport ${o.dport}`,
        `timeout ${formatDuration(o.timeout)}`,
        `size ${o.size}`,
        `l3proto ${o.l3proto}`,
      ]
    case 'synproxy':
      return [`mss ${o.mss}`, `wscale ${o.wscale}`, ...(o.flags.length > 0 ? [o.flags.join(' ')] : [])]
    case 'secmark':
      return [quoted(o.context)]
    case 'other':
      return [o.text]
  }
}
