import { ExitCode } from '../../error.ts'
import { parseIp } from '../../net/ip.ts'
import { parseFlowLines } from '../../policy/query/flow-lines.ts'
import { judgeLine } from '../../policy/query/judge-line.ts'
import { backendsOf, type Scene, servicePortAt } from '../../policy/query/services.ts'
import { endAt, endNamed } from '../../policy/query/who.ts'
import type { Verdict } from '../../policy/verdict.ts'
import { flowDocument, verdictLines } from '../../report/policy/verdict-json.ts'
import { type Judged, verdictsText, verdictText } from '../../report/policy/verdict-text.ts'
import { printableJson } from '../../report/sanitize.ts'
import { readInput as readText } from '../../system/input.ts'
import type { Terminal } from '../terminal.ts'

export interface Shape {
  readonly output: string
  readonly terminal: Terminal
  readonly quiet: boolean
}

export interface Out {
  readonly ascii: (text: string) => Promise<void>
  readonly print: (text: string) => void
}

/** characters of JSON lines that are printed at once */
const chunk = 2 ** 18

/** Judges the flows of a file (`-`: stdin) and prints them in their order. All lines are read first: a bad one is told before anything is judged. */
export async function judgeFlows({ world, services }: Scene, path: string, shape: Shape, out: Out): Promise<ExitCode> {
  const lines = parseFlowLines(readText(path), path === '-' ? '(stdin)' : path, {
    named: (text) => endNamed(world, text),
    at: (address) => endAt(world, parseIp(address) ?? fail(address)),
    behind(address, protocol, port) {
      const [service, own] = servicePortAt(world, services, address, protocol, port) ?? []
      return service && own && { name: `svc/${service.namespace}/${service.name}`, backends: backendsOf(world, services, service, own) }
    },
  })
  let code: ExitCode = ExitCode.ok
  if (shape.output !== 'jsonl') {
    const judged = lines.map((one) => ({ flow: one.flow, verdict: judgeLine(world, one) }))
    out.print(judgedIn(shape, judged, true))
    return judged.some(({ verdict }) => verdict.verdict === 'unknown') ? ExitCode.unknown : code
  }
  const line = verdictLines()
  let text = ''
  for (const one of lines) {
    const verdict = judgeLine(world, one)
    // what policies leave open is an answer; what the input lacks is none
    if (verdict.verdict === 'unknown') code = ExitCode.unknown
    if ((text += line(verdict, one.id)).length > chunk) {
      await out.ascii(text)
      text = ''
    }
  }
  await out.ascii(text)
  return code
}

function fail(address: string): never {
  throw new Error(`no address: ${address}`)
}

/** Verdicts in one document; `many`: a list, however long. */
export function judgedIn({ output, terminal, quiet }: Shape, judged: readonly Judged[], many: boolean): string {
  const [first] = judged
  if (output === 'jsonl') {
    const line = verdictLines()
    return judged.map(({ verdict }) => line(verdict)).join('')
  }
  if (output === 'json') {
    const documents = judged.map(({ flow, verdict }) => flowDocument(flow, verdict))
    return printableJson(many || documents.length !== 1 ? documents : documents[0], 2)
  }
  return !many && judged.length === 1 && first ? verdictText(first, terminal, quiet) : verdictsText(judged, terminal, quiet)
}

/** 0 all allowed (if at L4 only), 1 some denied, 3 some can't be told. A *no* outranks a *can't tell*. */
export function exitOfVerdicts(verdicts: readonly Verdict[]): ExitCode {
  if (verdicts.some(({ verdict }) => verdict === 'deny')) return ExitCode.no
  return verdicts.every(({ verdict }) => verdict === 'allow' || verdict === 'l4-only') ? ExitCode.ok : ExitCode.unknown
}
