import { parseMaskedPrefix } from './masked-prefix.ts'
import { parsePorts, readOptions } from './options.ts'
import type { ConntrackOption, Match } from './types.ts'

const arity = {
  '--ctstate': 1,
  '--ctstatus': 1,
  '--ctdir': 1,
  '--ctproto': 1,
  '--ctexpire': 1,
  '--ctorigsrc': 1,
  '--ctorigdst': 1,
  '--ctreplsrc': 1,
  '--ctrepldst': 1,
  '--ctorigsrcport': 1,
  '--ctorigdstport': 1,
  '--ctreplsrcport': 1,
  '--ctrepldstport': 1,
}

/** `-m conntrack` with any of its options (iptables-extensions(8)); undefined if a value is not of their form. */
export function parseConntrack(words: readonly string[]): Match | undefined {
  const parsed = readOptions(words, arity)
  if (!parsed || parsed.length === 0) return undefined
  const options: ConntrackOption[] = []
  for (const { not, name, args } of parsed) {
    const option = typed(name, args[0] as string)
    if (!option) return undefined
    options.push(not ? { ...option, not: true } : option)
  }
  return { kind: 'conntrack', options }
}

const states = new Set(['INVALID', 'NEW', 'ESTABLISHED', 'RELATED', 'UNTRACKED', 'SNAT', 'DNAT'])
const statuses = new Set(['EXPECTED', 'SEEN_REPLY', 'ASSURED', 'CONFIRMED', 'NONE'])

function typed(name: string, text: string): ConntrackOption | undefined {
  switch (name) {
    case '--ctstate': {
      const list = text.split(',')
      return list.every((s) => states.has(s)) ? { kind: 'ctstate', states: list } : undefined
    }
    case '--ctstatus': {
      const list = text.split(',')
      return list.every((s) => statuses.has(s)) ? { kind: 'ctstatus', statuses: list } : undefined
    }
    case '--ctdir':
      return text === 'ORIGINAL' || text === 'REPLY' ? { kind: 'ctdir', direction: text } : undefined
    case '--ctproto':
      return { kind: 'ctproto', text }
    case '--ctexpire':
      return { kind: 'ctexpire', text }
    case '--ctorigsrc':
    case '--ctorigdst':
    case '--ctreplsrc':
    case '--ctrepldst': {
      const masked = parseMaskedPrefix(text)
      return masked && { kind: 'ctaddr', option: name.slice(2) as 'ctorigsrc', prefix: masked.prefix, text }
    }
    default: {
      const port = parsePorts(text)
      return port && { kind: 'ctport', option: name.slice(2) as 'ctorigsrcport', port }
    }
  }
}

/** `-m state --state …`: what `-m conntrack --ctstate` was before (libxt_state is an alias today). */
export function parseState(words: readonly string[]): Match | undefined {
  const options = readOptions(words, { '--state': 1 })
  const [option, more] = options ?? []
  if (!option || more) return undefined
  const list = (option.args[0] as string).split(',')
  if (!list.every((s) => states.has(s))) return undefined
  return option.not ? { kind: 'state', states: list, not: true } : { kind: 'state', states: list }
}
