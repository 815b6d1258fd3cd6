import { ExitCode } from '../../error.ts'
import { type Shape, traceIn, tracesIn } from './print-trace.ts'
import { exitOfLine, worse } from './trace-exit.ts'
import type { WalkedFlow } from './walk-flows.ts'

/** characters of JSON lines that are printed at once */
const chunk = 2 ** 18

/** Prints flows as they are walked: JSON lines in pieces, by `ascii`; everything else as one document, by `print`. */
export async function printFlows(
  walked: Iterable<WalkedFlow>,
  shape: Shape,
  out: { readonly ascii: (text: string) => Promise<void>; readonly print: (text: string) => void },
): Promise<ExitCode> {
  let code: ExitCode = ExitCode.ok
  const kept: WalkedFlow[] = []
  let lines = ''
  for (const one of walked) {
    code = worse(code, exitOfLine(one.trace, one.expect))
    if (shape.output !== 'jsonl') kept.push(one)
    else if ((lines += traceIn(shape, one.trace)).length > chunk) {
      await out.ascii(lines)
      lines = ''
    }
  }
  if (shape.output === 'jsonl') await out.ascii(lines)
  else out.print(tracesIn(shape, kept))
  return code
}
