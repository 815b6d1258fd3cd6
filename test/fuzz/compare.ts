/** Holds what the walk says of a scenario's packets against what became of them. */
import { traceFlow } from '../../src/trace/trace.ts'
import type { Outcome } from '../../src/trace/types.ts'
import { mayHappen } from '../support/chance.ts'
import { outcomeText, seenText, socketText } from '../support/outcome-text.ts'
import type { Observation, Probe, Scenario, Seen } from './scenario.ts'
import { flowOf, snapshotOf } from './snapshot.ts'

export type Finding =
  | { readonly kind: 'agreed' }
  /** the walk does not say, and why */
  | { readonly kind: 'undecided'; readonly reasons: readonly string[] }
  | { readonly kind: 'differs'; readonly how: string; readonly sort: string }

/** One finding for each probe, in their order. */
export function compareScenario(scenario: Scenario, built: Extract<Observation, { files: unknown }>): readonly Finding[] {
  const snapshot = snapshotOf(scenario, built)
  return scenario.probes.map((probe, i) => {
    try {
      return compareProbe(
        probe,
        traceFlow(snapshot, flowOf(scenario, probe), { brief: true }).outcomes,
        built.seen[i] ?? [],
        scenario.nominal,
      )
    } catch (error) {
      return {
        kind: 'differs',
        how: `${probeText(probe)}\n  the walk failed: ${error instanceof Error ? error.stack : error}`,
        sort: 'failed',
      }
    }
  })
}

/** Every observed outcome must be predicted, a certain one must show, and frequencies must fit (unless they are nominal). */
export function compareProbe(probe: Probe, outcomes: readonly Outcome[], seen: readonly Seen[], nominal = false): Finding {
  const predicted = new Map<string, number>()
  for (const o of outcomes) {
    const text = outcomeText(o, probe.proto)
    predicted.set(text, (predicted.get(text) ?? 0) + o.probability)
  }
  const counted = new Map<string, number>()
  for (const s of seen) counted.set(seenText(s), (counted.get(seenText(s)) ?? 0) + 1)
  restoreErrors(predicted, counted)
  const unsure = outcomes.filter((o) => o.verdict === 'undecided')
  const total = seen.length
  const differs = (what: string): Finding => ({
    kind: 'differs',
    sort: `${sortOf(predicted)} / ${sortOf(counted)}`,
    how: [
      `${probeText(probe)}: ${what}`,
      `  walk:   ${[...predicted].map(([text, p]) => (p === 1 ? text : `${text} (${p})`)).join(' | ')}`,
      `  kernel: ${[...counted].map(([text, n]) => (n === total ? text : `${text} (${n} of ${total})`)).join(' | ')}`,
    ].join('\n'),
  })
  // an arm that is not known takes any outcome
  if (unsure.length === 0) {
    for (const [text, n] of counted) {
      const p = predicted.get(text)
      if (p === undefined) return differs('not predicted')
      if (!nominal && !mayHappen(n, total, p)) return differs('other frequencies')
    }
    for (const [text, p] of predicted) {
      if (!nominal && !counted.has(text) && !mayHappen(0, total, p)) return differs('predicted but never seen')
    }
    return { kind: 'agreed' }
  }
  return { kind: 'undecided', reasons: unsure.map((o) => o.reason ?? '') }
}

/**
 * An IPv4 router without a way says so five times in a row to one address, then once a second (ip_error; net.ipv4.route.error_cost is the
 * first namespace's). Silence that nobody foretold is taken for the one of the errors heard so often that lacks the most.
 */
function restoreErrors(predicted: ReadonlyMap<string, number>, counted: Map<string, number>): void {
  const silent = counted.get('dropped')
  if (silent === undefined || predicted.has('dropped')) return
  const total = [...counted.values()].reduce((sum, n) => sum + n, 0)
  const [error] = [...predicted]
    .map(([text, p]) => ({ text, heard: counted.get(text) ?? 0, expected: p * total }))
    .filter(({ text, heard }) => unreachable4.test(text) && heard >= 3)
    .sort((x, y) => y.expected - y.heard - (x.expected - x.heard))
  if (!error) return
  counted.set(error.text, error.heard + silent)
  counted.delete('dropped')
}

const unreachable4 = /^icmp 3\/\d+ \d+\./

/** What kind of difference it is, without addresses: a smaller scenario must show the same one. */
const sortOf = (texts: ReadonlyMap<string, number>): string =>
  [...new Set([...texts.keys()].map((text) => (text.includes(' < ') ? 'delivered' : text.split(' ').slice(0, 2).join(' '))))]
    .sort()
    .join(' | ')

/** A probe as cases write flows (netns-case.ts): `FROM[@SOURCE] PROTO DST[:PORT]`. */
export function probeText(p: Probe): string {
  const from = p.source === undefined && p.sport === undefined ? p.from : `${p.from}@${p.source ?? ''}${p.sport ? `#${p.sport}` : ''}`
  return `${from} ${p.proto} ${p.proto === 'icmp' ? p.dst : socketText(p.dst, p.port)}`
}
