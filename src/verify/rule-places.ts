/** Where the rules of a prediction stand, in the words in which the kernel's trace names them. */
import { backendOf } from '../kernel/iptables/backend.ts'
import type { Host, Snapshot } from '../snapshot/types.ts'
import type { Hop } from '../trace/types.ts'

/** Where a rule stands, as the kernel's trace names it. */
export interface RulePlace {
  /** family and name: `ip filter`, `inet kube-proxy` */
  readonly table: string
  readonly chain: string
  /** which rule of its chain, from 0; undefined for a policy, and where a dump has all rules on one line */
  readonly index: number | undefined
  /** of iptables-legacy, of which nothing is traced */
  readonly legacy: boolean
}

type Places = ReadonlyMap<string, RulePlace | 'several'>

const known = new WeakMap<Host, Places>()

/** Undefined for a hop that is no rule which a packet met at the IP hooks. */
export function rulePlace({ hosts }: Snapshot, { node, table, chain, evidence, weight, action }: Hop): RulePlace | undefined {
  if (table === undefined || chain === undefined || weight === 'tried' || table.startsWith('netdev ') || !evidence) return undefined
  const host = hosts.get(`node/${node}`) ?? hosts.get(node)
  const at = host && placesOf(host).get(`${evidence.file}:${evidence.line}`)
  const policy = action.toLowerCase() === 'policy drop'
  if (at && at !== 'several') return policy ? { ...at, index: undefined } : at
  return { table: table.includes(' ') ? table : `${familyOf(evidence.file)} ${table}`, chain, index: undefined, legacy: false }
}

const familyOf = (file: string): string => (/(^|\/)ip6tables/.test(file) ? 'ip6' : 'ip')

function placesOf(host: Host): Places {
  let places = known.get(host)
  if (!places) known.set(host, (places = readPlaces(host)))
  return places
}

function readPlaces({ iptables, nft, versions }: Host): Places {
  const places = new Map<string, RulePlace | 'several'>()
  const put = (file: string, line: number, place: RulePlace) => {
    const key = `${file}:${line}`
    places.set(key, places.has(key) ? 'several' : place)
  }
  for (const dump of [...(iptables[4] ?? []), ...(iptables[6] ?? [])]) {
    const legacy = backendOf(dump, versions?.iptablesBackend) === 'legacy'
    for (const { name, chains } of dump.tables) {
      const table = `${dump.family === 4 ? 'ip' : 'ip6'} ${name}`
      for (const chain of chains.values()) {
        put(dump.file, chain.line, { table, chain: chain.name, index: undefined, legacy })
        for (const [index, rule] of chain.rules.entries()) put(dump.file, rule.line, { table, chain: chain.name, index, legacy })
      }
    }
  }
  for (const { family, name, chains } of nft?.tables ?? []) {
    const table = `${family} ${name}`
    for (const chain of chains.values()) {
      if (chain.base) put(nft?.file ?? '', chain.base.line, { table, chain: chain.name, index: undefined, legacy: false })
      for (const [index, rule] of chain.rules.entries()) put(nft?.file ?? '', rule.line, { table, chain: chain.name, index, legacy: false })
    }
  }
  return places
}
