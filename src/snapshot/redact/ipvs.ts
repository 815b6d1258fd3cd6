/** What ipvsadm and /proc/net/ip_vs print. The order of real servers counts where a hash picks one. */
import { parseEndpoint } from '../../kernel/ipvs/endpoint.ts'
import { compareEndpoints, parseIpvsListing } from '../../kernel/ipvs/parse-listing.ts'
import { parseIp } from '../../net/ip.ts'
import { eachLine } from './lines.ts'
import { IPVS } from './vocabulary.ts'
import { NotRedactable, type Words } from './words.ts'

const HEADING = /^IP Virtual Server version [\d.]+ \(size=\d+\)$/

/** A virtual server whose scheduler hashes addresses: with others, its picks are others. */
export const picksByHash = (text: string): boolean => /^(?:(?:TCP|UDP|SCTP|FWM) .* |-A .*-s )(?:sh|mh|dh)\b/m.test(text)

/** ipvsadm-save, ipvsadm -Lnc. */
export const ipvsWords = (text: string, words: Words): string =>
  eachLine(text, (line) => (HEADING.test(line) ? line : line.replace(/\S+/g, (word) => ipvsWord(word, words))))

/** flags of a scheduler are in brackets */
const ipvsWord = (word: string, words: Words): string =>
  /^\([a-z0-9,-]+\)$/.test(word) &&
  word
    .slice(1, -1)
    .split(',')
    .every((flag) => IPVS.has(flag))
    ? word
    : words.word(word, IPVS)

/** ipvsadm -Ln: servers that the tool had sorted are sorted again, since what is not sorted counts as the kernel's order. */
export function ipvsListing(text: string, words: Words): string {
  const made = ipvsWords(text, words)
  if (parseIpvsListing(text, '').ordered && !picksByHash(text)) return made
  const out: string[] = []
  let servers: string[] = []
  const endpoint = (line: string) => parseEndpoint(line.trim().split(/ +/)[1] ?? '')
  const flush = (): void => {
    const keyed = servers.flatMap((line) => {
      const at = endpoint(line)
      return at ? [{ line, at }] : []
    })
    out.push(...keyed.sort((x, y) => compareEndpoints(x.at, y.at)).map(({ line }) => line))
    servers = []
  }
  for (const line of made.split('\n')) {
    if (/^ +-> /.test(line) && endpoint(line)) servers.push(line)
    else {
      flush()
      out.push(line)
    }
  }
  return out.join('\n')
}

/** /proc/net/ip_vs: addresses and ports in hex, in the kernel's order. */
export function procIpvs(text: string, words: Words): string {
  if (picksByHash(text)) throw new NotRedactable('the order of real servers, of which sh, mh and dh pick by a hash of addresses')
  return eachLine(text, (line) => (HEADING.test(line) ? line : line.replace(/\S+/g, (word) => hexWord(word, words))))
}

function hexWord(word: string, words: Words): string {
  const [, hex, port] = /^([0-9A-F]{8})(:[0-9A-F]{4})$/.exec(word) ?? []
  const ip = hex && parseIp([0, 2, 4, 6].map((i) => Number.parseInt(hex.slice(i, i + 2), 16)).join('.'))
  if (ip) return (words.ip(ip).d >>> 0).toString(16).toUpperCase().padStart(8, '0') + port
  const [, six, behind] = /^\[([0-9a-f:]+)\](:[0-9A-F]{4})$/i.exec(word) ?? []
  return six === undefined ? ipvsWord(word, words) : `[${words.word(six, IPVS)}]${behind}`
}
