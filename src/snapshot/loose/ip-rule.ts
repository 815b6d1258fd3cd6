/** `ip rule`, `ip -6 rule` for people: as `ip -j rule` prints it (iproute2, ip/iprule.c print_rule). */
import { entries, NotUnderstood } from './not-understood.ts'
import { LineWords } from './words.ts'

const RULE = /^(\d+):\s+(.*)$/

/** Does a file begin as `ip rule` prints a rule? */
export const looksLikeRules = (text: string): boolean => /^\d+:\s+(?:not )?from /.test(text)

/** The same as JSON. Throws NotUnderstood, with the line, on words that ip rule does not print. */
export function rulesOf(text: string): string {
  return entries(
    text.split('\n').flatMap((line, i) => {
      if (line.trim() === '') return []
      const [, priority, rest] = RULE.exec(line) ?? []
      if (priority === undefined || rest === undefined) throw new NotUnderstood(i + 1, 'expected PRIORITY: and a rule')
      return [ruleOf(Number(priority), new LineWords(rest, i + 1))]
    }),
  )
}

function ruleOf(priority: number, words: LineWords): Record<string, unknown> {
  const rule: Record<string, unknown> = { priority }
  if (words.take('not')) rule.not = null
  for (let word = words.peek(); word !== undefined; word = words.peek()) {
    words.next()
    part(word, words, rule)
  }
  return rule
}

function part(word: string, words: LineWords, rule: Record<string, unknown>): void {
  switch (word) {
    case 'from':
      block('src', words.next(), rule)
      return
    case 'to':
      block('dst', words.next(), rule)
      return
    case 'fwmark': {
      const [mark, mask] = words.next().split('/')
      rule.fwmark = mark
      if (mask !== undefined) rule.fwmask = mask
      return
    }
    case 'iif':
    case 'oif':
      rule[word] = words.next()
      if (words.take('[detached]')) rule[`${word}_detached`] = null
      return
    case 'lookup': {
      const table = words.next()
      if (table === '[l3mdev-table]') rule.l3mdev = null
      else rule.table = table
      return
    }
    case 'tos':
    case 'dsfield':
      rule.tos = words.next()
      return
    case 'ipproto':
      rule.ipproto = words.next()
      return
    case 'sport':
    case 'dport': {
      const [lo, hi] = words.next().split('-').map(Number)
      if (hi === undefined) rule[word] = lo
      else Object.assign(rule, { [`${word}_start`]: lo, [`${word}_end`]: hi })
      return
    }
    case 'uidrange': {
      const [from, to] = words.next().split('-').map(Number)
      Object.assign(rule, { uid_start: from, uid_end: to })
      return
    }
    case 'suppress_prefixlength':
      rule.suppress_prefixlen = words.number()
      return
    case 'suppress_ifgroup':
      rule.suppress_ifgroup = words.next()
      return
    case 'proto':
      rule.protocol = words.next()
      return
    case 'goto':
      rule.goto = words.number()
      if (words.take('[unresolved]')) rule.unresolved = null
      return
    case 'nop':
    case 'unreachable':
    case 'blackhole':
    case 'prohibit':
      rule.action = word
      return
    default:
      words.fail(`what ip rule prints, not ${word}`)
  }
}

function block(key: 'src' | 'dst', text: string, rule: Record<string, unknown>): void {
  const [address, length] = text.split('/')
  rule[key] = address
  if (length !== undefined) rule[`${key}len`] = Number(length)
}
