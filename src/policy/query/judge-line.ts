import { evaluate } from '../evaluate.ts'
import type { Reason, Verdict } from '../verdict.ts'
import type { PolicyWorld } from '../world.ts'
import type { FlowLine } from './flow-lines.ts'

/** The verdict of a line. Of a flow to a Service that of its backends: plain if all fare alike, else unknown, since any of them may be chosen. */
export function judgeLine(world: PolicyWorld, { flow, service }: Pick<FlowLine, 'flow' | 'service'>): Verdict {
  if (!service) return evaluate(world, flow)
  const { name, flows } = service
  const verdicts = flows.map((one) => evaluate(world, one))
  const [first] = verdicts
  if (!first) {
    const nobody = { verdict: 'n/a', steps: [], reasons: [] } as const
    return {
      allowed: false,
      egress: nobody,
      ingress: nobody,
      notes: [],
      ...unknown(`${name} has no ready backends: nobody is there whom policies could be asked about`),
    }
  }
  const alike = verdicts.every(({ verdict }) => verdict === first.verdict)
  const notes = [
    `${flow.destination.id} is ${name}: ${flows.length === 1 ? flows[0]?.destination.id : `${flows.length} backends`}`,
    ...first.notes,
  ]
  if (alike) return { ...first, notes }
  const refused = verdicts.find(({ allowed }) => !allowed) ?? first
  const good = verdicts.filter(({ allowed }) => allowed).length
  return { ...refused, ...unknown(`${good} of ${verdicts.length} backends of ${name} are allowed`), notes }
}

const unknown = (message: string): { readonly verdict: 'unknown'; readonly reasons: readonly Reason[] } => ({
  verdict: 'unknown',
  reasons: [{ kind: 'unknown', direction: 'ingress', message }],
})
