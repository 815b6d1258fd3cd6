/** What `ip -d` says of a tunnel (iproute2, ip/iplink_vxlan.c, ip/link_iptnl.c), as its JSON has it. */
import type { LineWords } from './words.ts'

type Fields = Record<string, unknown>

/** The tunnel's settings that the walk asks for; what they mean if they are not printed. */
export function tunnelOf(kind: 'vxlan' | 'ipip', words: LineWords): Fields {
  return kind === 'vxlan' ? vxlanOf(words) : ipipOf(words)
}

/** IPv6 has keys of its own. */
const keyFor = (key: string, address: string): string => (address.includes(':') ? `${key}6` : key)

function vxlanOf(words: LineWords): Fields {
  const data: Fields = { learning: true, df: 'unset' }
  for (let word = words.peek(); word !== undefined; word = words.peek()) {
    words.next()
    if (word === 'id') data.id = words.number()
    else if (word === 'remote' || word === 'group' || word === 'local') {
      const address = words.next()
      data[keyFor(word, address)] = address
    } else if (word === 'dev') data.link = words.next()
    else if (word === 'dstport') data.port = words.number()
    else if (word === 'nolearning') data.learning = false
    else if (word === 'external') data.external = true
    else if (word === 'df') data.df = words.next()
    else if (word === 'ttl') ttl(words, data, 'auto')
  }
  // by a device that collects its metadata elsewhere
  if (data.id === undefined) data.id = data.external === true ? 0 : words.fail('the number of a VXLAN')
  return data
}

function ipipOf(words: LineWords): Fields {
  const data: Fields = { ttl: 0, pmtudisc: true }
  if (words.peek() === 'any' || words.peek() === 'ipip' || words.peek() === 'mplsip') data.proto = words.next()
  for (let word = words.peek(); word !== undefined; word = words.peek()) {
    words.next()
    if (word === 'remote' || word === 'local') data[word] = words.next()
    else if (word === 'dev') data.link = words.next()
    else if (word === 'ttl') ttl(words, data, 'inherit')
    else if (word === 'nopmtudisc') data.pmtudisc = false
    else if (word === 'fwmark') data.fwmark = words.next()
    else if (word === 'external') data.external = true
    else if (word === 'encap') data.encap = { type: words.next() }
  }
  return data
}

/** `zero`: the word for 0; `inherit` of VXLAN has no number in the JSON either */
function ttl(words: LineWords, data: Fields, zero: string): void {
  const word = words.next()
  if (word === zero) data.ttl = 0
  else if (/^\d+$/.test(word)) data.ttl = Number(word)
  else delete data.ttl
}
