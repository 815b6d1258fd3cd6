import type { ObjectBody } from '../json/object.ts'
import { parseDuration } from '../scalar.ts'
import type { NftObject } from '../types.ts'
import { type BlockLine, commentIn, type TextBlock } from './blocks.ts'
import { parseCounts, parseLimit, parseQuota } from './stateful.ts'
import { NotUnderstood, Tokens } from './tokens.ts'

/** A named counter, quota, limit, … of `nft list ruleset`. */
export function parseObject(lines: readonly BlockLine[], block: TextBlock): NftObject {
  const words = lines.map((l) => l.text)
  return {
    name: block.name,
    ...(block.handle !== undefined && { handle: block.handle }),
    ...commentIn(words),
    line: block.line,
    ...parseBody(
      block.kind,
      words.filter((w) => !w.startsWith('comment "')),
    ),
  }
}

function parseBody(kind: string, lines: readonly string[]): ObjectBody {
  const text = lines.join('; ')
  const other: ObjectBody = { kind: 'other', type: kind, text }
  const value = (name: string) => lines.map((l) => l.split(' ')).find((w) => w[0] === name)?.[1] ?? ''
  const t = new Tokens(lines[0] ?? '')
  try {
    switch (kind) {
      case 'counter':
        return { kind, ...parseCounts(t) }
      case 'quota':
        return { kind, quota: parseQuota(t) }
      case 'limit':
        return { kind, limit: parseLimit(t) }
    }
  } catch (error) {
    if (error instanceof NotUnderstood) return other
    throw error
  }
  switch (kind) {
    case 'ct helper': {
      const type = /^type "([^"]*)" protocol (\S+)/.exec(lines[0] ?? '')
      return type ? { kind, type: type[1] as string, protocol: type[2] as string, l3proto: value('l3proto') } : other
    }
    case 'ct timeout': {
      const policy = new Map<string, number>()
      for (const [, state, time] of text.matchAll(/([a-z_0-9]+) : (\w{1,40})/g))
        policy.set(state as string, (parseDuration(time as string) ?? 0) / 1000)
      return { kind, protocol: value('protocol'), l3proto: value('l3proto'), policy }
    }
    case 'ct expectation':
      return {
        kind,
        protocol: value('protocol'),
        l3proto: value('l3proto'),
        dport: Number(value('dport')) || 0,
        timeout: parseDuration(value('timeout')) ?? 0,
        size: Number(value('size')) || 0,
      }
    case 'synproxy':
      return {
        kind,
        mss: Number(value('mss')) || 0,
        wscale: Number(value('wscale')) || 0,
        flags: ['timestamp', 'sack-perm'].filter((f) => text.includes(f)),
      }
    case 'secmark':
      return { kind, context: /"([^"]*)"/.exec(text)?.[1] ?? '' }
    default:
      return other
  }
}
