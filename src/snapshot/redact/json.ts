/** Dumps in JSON: of ip(8), bridge(8), bpftool(8) and nft(8). Keys are the tool's; texts are what words are in the other dumps. */
import { parseIp, prefix } from '../../net/ip.ts'
import { comment } from './comments.ts'
import { IP, NFT } from './vocabulary.ts'
import { NotRedactable, type Words } from './words.ts'

type Json = Readonly<Record<string, unknown>>
type Change = (text: string, key: string, parent: Json) => string
type Member = (key: string, value: unknown) => unknown

/** Changes all texts, or whole members; those that hold what nobody needs and that may tell whose machine it is go. */
function each(value: unknown, key: string, parent: Json, change: Change, member: Member = () => undefined): unknown {
  if (typeof value === 'string') return change(value, key, parent)
  if (Array.isArray(value)) return value.map((one) => each(one, key, parent, change, member))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([k, v]) =>
      DROPPED.has(k) || !/^[A-Za-z0-9_ &|^<>!=-]{1,60}$/.test(k) ? [] : [[k, member(k, v) ?? each(v, k, value as Json, change, member)]],
    ),
  )
}

const DROPPED = new Set([
  'ifalias',
  'altnames',
  'permaddr',
  'phys_port_id',
  'phys_port_name',
  'phys_switch_id',
  'parentbus',
  'parentdev',
  'tag',
  'jited',
  'map_ids',
  'owner_name',
])

/** As it was laid out, a line an entry or all in one. */
const rewritten = (text: string, change: Change): string => {
  const made = each(JSON.parse(text), '', {}, change)
  const indent = /^\s*[[{]\n([ \t]+)/.exec(text)?.[1]
  return `${JSON.stringify(made, undefined, indent)}\n`
}

const DEVICES = new Set(['ifname', 'dev', 'devname', 'iif', 'oif', 'link', 'master', 'label', 'vrf', 'physdev'])
/** lengths that stand beside an address, in rules and routes */
const LENGTHS: Readonly<Record<string, string>> = { src: 'srclen', dst: 'dstlen' }

/** `ip -j …`, `bridge -j fdb`, `bpftool -j net`. */
export const ipJson = (text: string, words: Words): string =>
  rewritten(text, (value, key, parent) => {
    if (DEVICES.has(key)) return words.interfaces.name(value)
    const length = LENGTHS[key] === undefined ? undefined : parent[LENGTHS[key]]
    const ip = typeof length === 'number' ? parseIp(value) : undefined
    if (ip && typeof length === 'number' && length >= 0 && length <= (ip.family === 4 ? 32 : 128))
      return words.prefix(prefix(ip, length)).ip.text
    return words.word(value, IP)
  })

/** nft -j list ruleset. Without the seeds of its hashes: of other addresses they give others. */
export function nftJson(text: string, words: Words): string {
  if (/"&": ?\[ ?\{ ?"payload": ?\{[^}]*"field": ?"[sd]addr"/.test(text))
    throw new NotRedactable('a mask on addresses, of which pseudonyms share no more than the start')
  const change: Change = (value, key) => {
    if (key === 'comment') return comment(value, words)
    if (NAMED.has(key) && !NFT.has(value)) return words.agents.name(value)
    if (key === 'prefix') return words.names.name(value)
    if (key === 'dev' || words.interfaces.knows(value)) return words.interfaces.name(value)
    if (value.startsWith('@')) return `@${words.agents.name(value.slice(1))}`
    return words.word(value, NFT)
  }
  return `${JSON.stringify(each(unseeded(JSON.parse(text)), '', {}, change, (key, value) => addresses(key, value, words)))}\n`
}

const NAMED = new Set(['name', 'table', 'chain', 'target'])

/** Blocks are `{"prefix": {"addr", "len"}}`, ranges `{"range": [a, b]}`. */
function addresses(key: string, value: unknown, words: Words): unknown {
  const { addr, len } = (typeof value === 'object' && value !== null ? value : {}) as Json
  const ip = key === 'prefix' && typeof addr === 'string' && typeof len === 'number' ? parseIp(addr) : undefined
  if (ip) return { addr: words.prefix(prefix(ip, len as number)).ip.text, len }
  if (key === 'range' && Array.isArray(value) && value.every((x) => typeof x === 'string' && parseIp(x)))
    return words.word(value.join('-'), NFT).split('-')
  return undefined
}

const unseeded = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (key, inner: unknown) => (key === 'seed' ? undefined : inner)))
