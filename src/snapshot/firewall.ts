import { type Backend, backendOf } from '../kernel/iptables/backend.ts'
import { parseIptablesSave } from '../kernel/iptables/parse.ts'
import type { IptablesDump } from '../kernel/iptables/types.ts'
import { parseNftJson } from '../kernel/nftables/parse-json.ts'
import { parseNftText } from '../kernel/nftables/parse-text.ts'
import type { NftRuleset } from '../kernel/nftables/types.ts'
import { hasIptablesTables } from '../kernel/nftables/xtables.ts'
import { ParseError } from '../kernel/source.ts'
import { lazy, once } from '../lazy.ts'
import type { Family } from '../net/ip.ts'
import type { Reader } from './host.ts'
import type { Host, Versions } from './types.ts'

/** The packet filter of one host, each part read when it is first asked for. */
export interface Firewall {
  /** of both backends: the kernel runs all of them, whichever tool is the default */
  readonly iptables: Host['iptables']
  readonly nft: () => NftRuleset | undefined
}

/** Dumps of iptables, that of the backend in use first. */
const BACKENDS = ['save', 'legacy-save', 'nft-save'] as const
const toolOf = (family: Family): string => (family === 4 ? 'iptables' : 'ip6tables')

/** Names that dumps of iptables may have. */
export const IPTABLES_FILES = ([4, 6] as const).flatMap((family) => BACKENDS.map((of) => `${toolOf(family)}-${of}.txt`))

/**
 * The packet filter of a host of this kind. Dumps that contradict each other (an empty one where another shows tables) throw a ParseError
 * when they are asked for.
 */
export function openFirewall(read: Reader, kind: Host['kind'], versions: () => Versions | undefined): Firewall {
  const ruleset = once(() => readRuleset(read, versions))
  const dumps = (family: Family): readonly IptablesDump[] | undefined => {
    const backend = versions()?.iptablesBackend
    const [inUse, legacy, nft] = BACKENDS.map((of) => {
      const name = `${toolOf(family)}-${of}`
      return read(`${name}.txt`, name, family === 4 ? ['iptables', 'empty'] : ['ip6tables', 'iptables', 'empty'], (text, file) => {
        if (text.trim() === '' && of === 'save' && kind === 'node') expectNoTables(file, family, backend, ruleset())
        return parseIptablesSave(text, file, family)
      })
    })
    // without the dump of the backend in use, those of both backends say the same
    if (inUse === undefined && !(legacy && nft)) {
      if (backend === 'legacy' && legacy) return [legacy]
      return backend === 'nft' && nft ? [nft] : undefined
    }
    return [inUse, legacy, nft].filter((d) => d !== undefined).filter((d, i) => i === 0 || d.tables.length > 0)
  }
  const iptables = lazy({}, { 4: () => dumps(4), 6: () => dumps(6) })
  const nft = (): NftRuleset | undefined => {
    const known = ruleset()
    if (known?.tables.length === 0) expectNoNft(known, iptables, versions()?.iptablesBackend)
    return known
  }
  return { iptables, nft }
}

/** Both forms give the same model. The text has lines to point at, tells what the JSON of nft 1.0 leaves out (devices of chains), and is a quarter to read. */
function readRuleset(read: Reader, versions: () => Versions | undefined): NftRuleset | undefined {
  const json = () => read('nft.json', 'nft -j list ruleset', ['nft-json'], parseNftJson)
  const text = read('nft.txt', 'nft list ruleset', ['nft', 'empty'], parseNftText)
  if (!text) return json()
  if (text.tables.length > 0) return text
  const shown = json()
  const said = versions()
  const sign =
    shown && shown.tables.length > 0
      ? `${shown.file} is not`
      : !shown && said?.kubeProxy?.mode === 'nftables' && `${said.file} says that kube-proxy runs in nftables mode`
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
