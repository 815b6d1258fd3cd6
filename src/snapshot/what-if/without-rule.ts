/**
 * `--without-rule NODE:TABLES:…:N`: as if a rule had been deleted. `n2:iptables:filter:FORWARD:3` is the third rule of the chain, as
 * `iptables -D FORWARD 3` counts; `n2:nft:ip:filter:forward:#12` the one with that handle.
 */
import { NetctlError } from '../../error.ts'
import type { IptablesDump, Rule } from '../../kernel/iptables/types.ts'
import type { NftRule, NftTable } from '../../kernel/nftables/types.ts'
import { isXtables } from '../../kernel/nftables/xtables.ts'
import { replaced } from '../../lazy.ts'
import { nearest } from '../../nearest.ts'
import type { Changed, Host, Snapshot } from '../types.ts'
import { hostsNamed, labelOf, withHosts } from './change.ts'

const usage = {
  code: 'WHF002',
  try: "--without-rule 'n2:iptables:filter:FORWARD:3', ip6tables likewise, or 'n2:nft:ip:filter:forward:#12'",
} as const

interface Place {
  readonly host: Host
  readonly flag: string
  readonly table: string
  readonly chain: string
  /** `3`, or `#12` for a handle of nft */
  readonly rule: string
}

/** The snapshot without a rule; `said`: the flag's value. @throws NetctlError if it names none, with those that are there */
export function withoutRule(snapshot: Snapshot, said: string): Changed {
  const flag = `--without-rule ${said}`
  const [node = '', tool = '', ...rest] = said.split(':')
  const family = tool === 'nft' ? rest.shift() : undefined
  const table = rest.shift()
  const rule = rest.pop() ?? ''
  const chain = rest.join(':')
  if (table === undefined || chain === '' || !/^#?\d{1,9}$/.test(rule) || !/^(?:ip6?tables(?:-legacy|-nft)?|nft)$/.test(tool))
    throw new NetctlError({ ...usage, message: `${flag}: not NODE:TABLES:TABLE:CHAIN:NUMBER` })
  const [host] = hostsNamed(snapshot, node, flag)
  if (!host || node === '*') throw new NetctlError({ ...usage, message: `${flag}: a rule stands on one node` })
  const place = { host, flag, table, chain, rule }
  return family === undefined ? withoutIptables(snapshot, place, tool) : withoutNft(snapshot, place, family)
}

function withoutIptables(snapshot: Snapshot, place: Place, tool: string): Changed {
  const { host, flag, table: tableName, chain: chainName, rule } = place
  const family = tool.startsWith('ip6') ? 6 : 4
  const dumps = host.iptables[family] ?? []
  // the dump of the backend in use has the tool's plain name
  const dump = dumps.find((d) => new RegExp(`(?:^|/)${tool}-save\\.txt`).test(d.file))
  if (!dump)
    throw missing(
      `${flag}: ${host.dir} has no dump of ${tool}`,
      dumps.map((d) => d.file.replace(/^.*\/|-save\.txt.*$/g, '')),
    )
  const table = dump.tables.find((t) => t.name === tableName)
  if (!table)
    throw missing(
      `${flag}: ${dump.file} has no table ${tableName}`,
      dump.tables.map((t) => t.name),
    )
  const chain = table.chains.get(chainName)
  if (!chain) throw missing(`${flag}: table ${tableName} of ${dump.file} has no chain ${chainName}`, near(chainName, table.chains.keys()))
  const at = Number(rule) - 1
  const gone = rule.startsWith('#') ? undefined : chain.rules[at]
  const texts = (r: Rule) => snapshot.line(dump.file, r.line).replace(/^\[\d+:\d+\] /, '')
  if (!gone)
    throw notThere(
      place,
      dump.file,
      chain.rules.map((r, i) => `${i + 1}  ${texts(r)}`),
    )
  const chains = new Map(table.chains).set(chainName, { ...chain, rules: chain.rules.toSpliced(at, 1) })
  const tables = dump.tables.map((t) => (t === table ? { ...t, chains } : t))
  const changed: readonly IptablesDump[] = dumps.map((d) => (d === dump ? { ...d, tables } : d))
  return answer(
    snapshot,
    replaced(host, { iptables: replaced(host.iptables, { [family]: changed }) }),
    dump.file,
    gone,
    `${tableName} ${texts(gone)}`,
  )
}

function withoutNft(snapshot: Snapshot, place: Place, family: string): Changed {
  const { host, flag, table: tableName, chain: chainName, rule } = place
  const ruleset = host.nft
  if (!ruleset) throw missing(`${flag}: ${host.dir} has neither nft.txt nor nft.json`, [])
  const name = (t: NftTable) => `${t.family} ${t.name}`
  const table = ruleset.tables.find((t) => name(t) === `${family} ${tableName}`)
  if (table && isXtables(table))
    throw missing(`${flag}: ${name(table)} is a table of iptables, which iptables-save tells more of`, [], usage.try)
  if (!table) throw missing(`${flag}: ${ruleset.file} has no table ${family} ${tableName}`, ruleset.tables.map(name))
  const chain = table.chains.get(chainName)
  if (!chain)
    throw missing(`${flag}: table ${name(table)} of ${ruleset.file} has no chain ${chainName}`, near(chainName, table.chains.keys()))
  const { rules } = chain
  const at = rule.startsWith('#') ? rules.findIndex((r) => r.handle === Number(rule.slice(1))) : Number(rule) - 1
  const gone = rules[at]
  const texts = (r: NftRule) => snapshot.line(ruleset.file, r.line).trim().slice(0, 300)
  const number = (r: NftRule, i: number) => (r.handle === undefined ? `${i + 1}` : `${i + 1} or #${r.handle}`)
  if (!gone)
    throw notThere(
      place,
      ruleset.file,
      rules.map((r, i) => `${number(r, i)}  ${texts(r)}`),
    )
  const chains = new Map(table.chains).set(chainName, { ...chain, rules: rules.toSpliced(at, 1) })
  const tables = ruleset.tables.map((t) => (t === table ? { ...t, chains } : t))
  return answer(snapshot, replaced(host, { nft: { ...ruleset, tables } }), ruleset.file, gone, `${name(table)} ${chainName} ${texts(gone)}`)
}

const answer = (snapshot: Snapshot, host: Host, file: string, { line }: { readonly line: number }, text: string): Changed => ({
  snapshot: withHosts(snapshot, [host]),
  changes: [
    { kind: 'without-rule', node: labelOf(host), what: `without ${text}`, evidence: { file, line, text: snapshot.line(file, line) } },
  ],
})

function missing(message: string, have: readonly string[], advice = have.slice(0, 12).join(', ')): NetctlError {
  return new NetctlError({ code: 'WHF004', message, ...(advice !== '' && { try: advice }) })
}

const near = (name: string, names: Iterable<string>): readonly string[] => {
  const all = [...names]
  const close = nearest(name, all)
  return close.length > 0 ? close : all
}

/** With the rules that are there, by number. */
function notThere({ flag, chain }: Place, file: string, rules: readonly string[]): NetctlError {
  const shown = rules.slice(0, 20)
  const more = rules.length > shown.length ? [`… and ${rules.length - shown.length} more`] : []
  return new NetctlError({
    code: 'WHF004',
    message: `${flag}: chain ${chain} of ${file} has ${rules.length === 0 ? 'no rules' : 'no such rule; its rules are'}`,
    have: [...shown, ...more],
  })
}
