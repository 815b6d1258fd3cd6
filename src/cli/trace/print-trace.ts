import { traceJson, traceJsonLine, traceYaml } from '../../report/json.ts'
import { flowsText } from '../../report/trace/flows-text.ts'
import { answerText, traceText } from '../../report/trace/trace-text.ts'
import type { Trace } from '../../trace/types.ts'
import type { OutputFormat } from '../flags.ts'
import type { Terminal } from '../terminal.ts'
import type { WalkedFlow } from './walk-flows.ts'

/** How the answer is wanted. */
export interface Shape {
  readonly output: OutputFormat
  readonly brief: boolean
  readonly verbose: boolean
  readonly quiet: boolean
  readonly terminal: Terminal
  /** flags that suggested commands repeat */
  readonly again?: string
  /** suggested where a running cluster was read */
  readonly keep?: string | undefined
  /** of the yaml library, which only its user loads */
  readonly stringify?: ((value: unknown) => string) | undefined
}

/** What writes YAML, where that was asked for. */
export const stringifier = async (output: OutputFormat): Promise<Shape['stringify']> =>
  output === 'yaml' ? (await import('../../report/yaml.ts')).yamlText : undefined

/** Text and tables show paths; machines may do without. */
export const wantsPaths = (shape: Pick<Shape, 'output' | 'brief'>): boolean =>
  !shape.brief || shape.output === 'text' || shape.output === 'wide'

/** One trace in the shape that was asked for; text shows today's answer beside that of another world. */
export function traceIn(shape: Shape, trace: Trace, today?: Trace): string {
  const { output, brief, stringify } = shape
  if (stringify) return traceYaml(trace, stringify, { brief })
  switch (output) {
    case 'json':
      return traceJson(trace, { brief })
    case 'jsonl':
      return traceJsonLine(trace, { brief })
    default:
      return (shape.quiet || brief ? answerText : traceText)(trace, textOptions(shape), today)
  }
}

/** Many traces in one document; `jsonl` is printed as they come, not here. */
export function tracesIn(shape: Shape, walked: readonly WalkedFlow[]): string {
  const { output, brief, stringify } = shape
  const traces = walked.map((w) => w.trace)
  if (output === 'json') return `[\n${traces.map((t) => traceJson(t, { brief }).trimEnd()).join(',\n')}\n]\n`
  if (stringify) return traces.map((t) => `---\n${traceYaml(t, stringify, { brief })}`).join('')
  return flowsText(walked, textOptions(shape))
}

/** How text is laid out in this shape. */
export const textOptions = ({ terminal, output, verbose, again, keep }: Shape) => ({
  ...terminal,
  wide: output === 'wide',
  verbose,
  ...(again !== undefined && { flags: again }),
  ...(keep !== undefined && { keep }),
})
