import { parseIp } from '../net/ip.ts'
import type { Probe, ProbeAnswer, ProbeResult } from './types.ts'

/** Reads what a prober printed, also one that was cut off: a probe of which nothing has come is `failed`. In the order of `probes`. */
export function readProbes(output: Buffer, probes: readonly Probe[]): readonly ProbeResult[] {
  const results = new Map<string, ProbeResult>()
  const notes: string[] = []
  for (const line of output.toString('utf8').split('\n').slice(0, -1)) {
    const [, note] = /^note (.{1,400})$/.exec(line) ?? []
    if (note !== undefined) notes.push(note)
    const result = parseResult(line)
    if (result && !results.has(result.id)) results.set(result.id, result)
  }
  const reason = notes.join('; ') || 'nothing was heard of it'
  return probes.map(({ id }) => results.get(id) ?? { id, afterMs: 0, answer: { kind: 'failed', reason } })
}

function parseResult(line: string): ProbeResult | undefined {
  const [, id, src = '', sport = '', afterMs = '', said = ''] =
    /^result ([a-z0-9-]{1,64}) (\S{1,45}) (-|\d{1,5}) (\d{1,7}) (.{1,300})$/.exec(line) ?? []
  const answer = answerOf(said)
  if (id === undefined || !answer) return undefined
  const address = parseIp(src)
  return { id, ...(address && { src: address.text }), ...(sport !== '-' && { sport: Number(sport) }), afterMs: Number(afterMs), answer }
}

function answerOf(said: string): ProbeAnswer | undefined {
  const [kind, first = '', second = '', third = ''] = said.split(' ')
  switch (kind) {
    case 'answered':
      return /^\d{1,5}$/.test(first) ? { kind, bytes: Number(first) } : undefined
    case 'refused':
    case 'silent':
      return { kind }
    case 'icmp': {
      const from = parseIp(third)
      return from && /^\d{1,3}$/.test(first) && /^\d{1,3}$/.test(second)
        ? { kind, type: Number(first), code: Number(second), from: from.text }
        : undefined
    }
    case 'errno':
      return /^E[A-Z0-9]{1,20}$/.test(first) ? { kind, name: first } : undefined
    case 'failed':
      return { kind, reason: said.slice('failed '.length) }
    default:
      return undefined
  }
}
