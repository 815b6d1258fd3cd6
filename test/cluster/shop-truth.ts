/** Sends the packets of the scenarios, and holds what became of them against what netctl said. */
import type { Outcome, Trace } from '../../src/trace/types.ts'
import { compareProbe } from '../fuzz/compare.ts'
import type { Seen } from '../fuzz/scenario.ts'
import type { Agent } from '../support/netns-agent.ts'
import type { ShopFlow } from './shop-flows.ts'

/** Where a flow's sender is: a path to its network namespace. */
export type NamespaceOf = (from: ShopFlow['from']) => string

/** What differs, by flow. Silence is waited for longer where none is foretold: a packet that a busy machine was late with is no drop. `saw` is told of every flow. */
export async function differences<F extends ShopFlow>(
  flows: readonly F[],
  traces: ReadonlyMap<string, Trace>,
  agent: Agent,
  namespaceOf: NamespaceOf,
  saw: (flow: F, seen: readonly Seen[]) => void = () => {},
): Promise<ReadonlyMap<F, string>> {
  const wrong = new Map<F, string>()
  await Promise.all(
    flows.map(async (flow) => {
      const outcomes = traces.get(flow.id)?.outcomes.map(onNode)
      if (outcomes === undefined) return void wrong.set(flow, `${flow.about}: no answer`)
      const silent = outcomes.some((o) => o.verdict === 'dropped')
      const { from, proto, dst, port, payload, source, ask } = flow
      const times = outcomes.length === 1 && silent ? Math.min(flow.times, 2) : flow.times
      const probe = {
        from: `${from.kind}/${from.name}`,
        proto,
        dst,
        times,
        ...(port !== undefined && { port }),
        ...(payload !== undefined && { payload }),
        ...(source !== undefined && { source }),
      }
      const seen = (await agent.probe({ ...probe, ...(ask && { ask }), ns: namespaceOf(from), timeout: silent ? 1 : 5 })) as readonly Seen[]
      saw(flow, seen)
      // a server that answers in words of its own names nobody, as one that is pinged
      const finding = compareProbe(ask ? { ...probe, proto: 'icmp' } : probe, outcomes, seen, flow.nominal)
      if (finding.kind === 'differs') wrong.set(flow, `${flow.about}: ${finding.how}`)
      else if (finding.kind === 'undecided') wrong.set(flow, `${flow.about}: undecided: ${finding.reasons.join('; ')}`)
    }),
  )
  return wrong
}

/** A pod on its node's network shares the node's sockets: it answers by the node's name. */
export function onNode(outcome: Outcome): Outcome {
  const { endpoint } = outcome
  return endpoint === undefined
    ? outcome
    : { ...outcome, endpoint: endpoint.replace(/^pod\/\w+\/edge-(\d)$/, 'node$1').replace(/^(node|external)\//, '') }
}
