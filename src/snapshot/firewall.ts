import { type Backend, backendOf } from '../kernel/iptables/backend.ts'
import { parseIptablesSave } from '../kernel/iptables/parse.ts'
import type { IptablesDump } from '../kernel/iptables/types.ts'
import { parseNftJson } from '../kernel/nftables/parse-json.ts'
import { parseNftText } from '../kernel/nftables/parse-text.ts'
import type { NftRuleset } from '../kernel/nftables/types.ts'
import { hasIptablesTables } from '../kernel/nftables/xtables.ts'
import { ParseError } from '../kernel/source.ts'
import type { Family } from '../net/ip.ts'
import type { Reader } from './host.ts'
import type { Host, Versions } from './types.ts'

export interface FirewallDumps {
  readonly iptables: Host['iptables']
  readonly nft: NftRuleset | undefined
  /** iptables dumps that were read, as stored */
  readonly files: readonly string[]
}

/**
 * The packet filter of one host: iptables dumps of both backends (the kernel runs all of them, whichever tool is the default)
 * and the ruleset of nft.
 */
export function loadFirewall(
  read: Reader,
  kind: Host['kind'],
  dir: string,
  versions: Versions | undefined,
  note: (what: string) => void,
): FirewallDumps {
  const backend = versions?.iptablesBackend
  const ruleset = readRuleset(read, versions)
  const files: string[] = []
  const dumps = (family: Family): readonly IptablesDump[] | undefined => {
    const tool = family === 4 ? 'iptables' : 'ip6tables'
    const one = (name: string, main: boolean) =>
      read(`${name}.txt`, name, family === 4 ? ['iptables', 'empty'] : ['ip6tables', 'iptables', 'empty'], (text, file) => {
        if (text.trim() === '' && main && kind === 'node') expectNoTables(file, family, backend, ruleset)
        files.push(file)
        return parseIptablesSave(text, file, family)
      })
    const inUse = one(`${tool}-save`, true)
    const legacy = one(`${tool}-legacy-save`, false)
    const nft = one(`${tool}-nft-save`, false)
    // without the dump of the backend in use, those of both backends say the same
    if (inUse === undefined && !(legacy && nft)) {
      if (backend === 'legacy' && legacy) return [legacy]
      return backend === 'nft' && nft ? [nft] : undefined
    }
    return [inUse, legacy, nft].filter((d) => d !== undefined).filter((d, i) => i === 0 || d.tables.length > 0)
  }
  const iptables = { 4: dumps(4), 6: dumps(6) }
  if (ruleset && ruleset.tables.length === 0) expectNoNft(ruleset, iptables, backend)
  if (!ruleset && kind === 'node' && backend === 'nft')
    note(`${dir}: no nft.txt or nft.json, so tables of nft beside iptables are not known`)
  return { iptables, files, nft: ruleset }
}

/** Both forms give the same model. The text has lines to point at, tells what the JSON of nft 1.0 leaves out (devices of chains), and is a quarter to read. */
function readRuleset(read: Reader, versions: Versions | undefined): NftRuleset | undefined {
  const json = () => read('nft.json', 'nft -j list ruleset', ['nft-json'], parseNftJson)
  const text = read('nft.txt', 'nft list ruleset', ['nft', 'empty'], parseNftText)
  if (!text) return json()
  if (text.tables.length > 0) return text
  const shown = json()
  const sign =
    shown && shown.tables.length > 0
      ? `${shown.file} is not`
      : !shown && versions?.kubeProxy?.mode === 'nftables' && `${versions.file} says that kube-proxy runs in nftables mode`
  if (sign) throw new ParseError(text.file, 1, `empty, though ${sign}; take it again or delete the file to have it treated as not recorded`)
  return text
}

/** An empty iptables-save is an answer only where nft shows that iptables has no tables in this family. */
function expectNoTables(file: string, family: Family, backend: Backend | undefined, ruleset: NftRuleset | undefined): void {
  const name = family === 4 ? 'ip' : 'ip6'
  const tool = family === 4 ? 'iptables' : 'ip6tables'
  const advice = 'take it again or delete the file to have it treated as not recorded'
  if (!ruleset) throw new ParseError(file, 1, `empty, and no nft.txt or nft.json shows that ${tool} has no tables; ${advice}`)
  if (hasIptablesTables(ruleset, name))
    throw new ParseError(file, 1, `empty, though ${ruleset.file} shows tables of ${tool}-nft; ${advice}`)
  const native = ruleset.tables.some((t) => t.family === name || t.family === 'inet')
  if (backend === 'legacy' && !native)
    throw new ParseError(file, 1, `empty, and nothing shows that ${tool}-legacy has no tables; ${advice}`)
}

/** nft lists what iptables-nft made: an empty ruleset beside its tables is a damaged dump. */
function expectNoNft(ruleset: NftRuleset, iptables: Host['iptables'], backend: Backend | undefined): void {
  for (const family of [4, 6] as const) {
    const dump = iptables[family]?.find((d) => d.tables.length > 0 && backendOf(d, backend) === 'nft')
    if (dump)
      throw new ParseError(
        ruleset.file,
        1,
        `empty, though ${dump.file} shows tables of iptables-nft; take it again or delete the file to have it treated as not recorded`,
      )
  }
}
