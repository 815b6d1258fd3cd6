/** `ip route`, `ip -6 route show table all` for people: as `ip -j route` prints it (iproute2, ip/iproute.c print_route). */
import { entries } from './not-understood.ts'
import { LineWords } from './words.ts'

/** Does a file begin as `ip route` prints a route? */
export const looksLikeRoutes = (text: string): boolean =>
  /^(?:(?:unicast|local|broadcast|multicast|anycast|throw|unreachable|prohibit|blackhole|nat) )?(?:default|[\d.]+(?:\/\d+)?|[0-9a-f]*:[0-9a-f:.]*(?:\/\d+)?)(?: +(?!lladdr)\S+)* *(?:\n|$)/.test(
    text,
  ) && /^.*(?: (?:dev|via|nhid|proto|scope|metric) |\n\tnexthop )/.test(text.slice(0, 500))

const TYPES = new Set(['unicast', 'local', 'broadcast', 'multicast', 'anycast', 'throw', 'unreachable', 'prohibit', 'blackhole', 'nat'])
const FLAGS = new Set(
  'onlink dead linkdown pervasive offload trap notify unresolved rt_offload rt_trap rt_offload_failed offload_failed cloned cache'.split(
    ' ',
  ),
)
const METRICS = new Set(
  'mtu window rtt rttvar ssthresh cwnd advmss reordering hoplimit initcwnd features rto_min initrwnd quickack congctl fastopen_no_cookie'.split(
    ' ',
  ),
)
const RENAMED: Readonly<Record<string, string>> = { proto: 'protocol', src: 'prefsrc' }

/** The same as JSON. Throws NotUnderstood, with the line, on words that ip route does not print. */
export function routesOf(text: string): string {
  const out: Record<string, unknown>[] = []
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const words = new LineWords(line, i + 1)
    if (words.take('nexthop')) {
      const route = out.at(-1) ?? words.fail('a route before its next hops')
      const hops = (route.nexthops ??= []) as object[]
      hops.push(attributes(words, {}))
      continue
    }
    const first = words.next()
    const route = TYPES.has(first) ? { type: first, dst: words.next() } : { dst: first }
    out.push(attributes(words, route))
  }
  return entries(out)
}

function attributes(words: LineWords, route: Record<string, unknown>): Record<string, unknown> {
  const flags: string[] = []
  const metrics: Record<string, unknown> = {}
  for (let word = words.peek(); word !== undefined; word = words.peek()) {
    words.next()
    if (FLAGS.has(word)) flags.push(word)
    else if (METRICS.has(word)) metrics[words.take('lock') ? `${word} lock` : word] = metric(words)
    else attribute(word, words, route)
  }
  return { ...route, flags, ...(Object.keys(metrics).length > 0 && { metrics: [metrics] }) }
}

/** times have a unit: `10ms` */
function metric(words: LineWords): unknown {
  const word = words.next()
  return /^\d+$/.test(word) ? Number(word) : word
}

function attribute(word: string, words: LineWords, route: Record<string, unknown>): void {
  switch (word) {
    case 'via': {
      const next = words.next()
      if (next === 'inet' || next === 'inet6') route.via = { family: next, host: words.next() }
      else route.gateway = next
      return
    }
    case 'dev':
    case 'table':
    case 'scope':
    case 'pref':
    case 'from':
    case 'proto':
    case 'src':
      route[RENAMED[word] ?? word] = words.next()
      return
    case 'metric':
    case 'weight':
    case 'nhid':
      route[word] = words.number()
      return
    case 'tos':
    case 'dsfield':
      route.tos = words.next()
      return
    case 'expires':
      route.expires = Number.parseInt(words.next(), 10)
      return
    // what a lookup would give: type says it
    case 'error':
      words.next()
      return
    default:
      words.fail(`what ip route prints, not ${word}`)
  }
}
