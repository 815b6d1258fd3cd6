/** `netctl trace --verify` and `--catch`, from words to exit code. */

import { ExitCode, NetctlError } from '../../error.ts'
import { safeValue } from '../../report/json.ts'
import { asciiJson } from '../../report/json-line.ts'
import { withoutLegs } from '../../report/verification-json.ts'
import { verificationAnswer, verificationText, verifiedFlowsText, verifiedSum } from '../../report/verification-text.ts'
import type { Snapshot } from '../../snapshot/types.ts'
import type { Verdict } from '../../trace/types.ts'
import type { VerifiedTrace } from '../../verify/verification.ts'
import type { Around } from '../around.ts'
import type { LiveCluster } from '../live-cluster.ts'
import { type Shape, textOptions } from '../trace/print-trace.ts'
import { worse } from '../trace/trace-exit.ts'
import { type FlowWords, whichFlow } from '../trace/which-flow.ts'
import { whichFlows } from '../trace/which-flows.ts'
import { verifyExit } from './verify-exit.ts'
import type { AskedFlow } from './verify-flows.ts'
import { CATCH_MS, expectAnswer, type Verifying, verifying } from './verifying.ts'

export interface VerifyWords {
  readonly src: string | undefined
  readonly dst: string | undefined
  readonly flags: FlowWords['flags'] &
    Verifying & { readonly flows?: string | undefined; readonly expect?: string | undefined; readonly brief: boolean }
}

interface Asked {
  readonly live: LiveCluster | undefined
  readonly snapshot: Snapshot
  readonly flows: readonly (AskedFlow & { readonly expect?: Verdict })[]
}

/** Predicts, asks, watches, sends, compares and prints. The nodes are reached by pods unless `--via` says otherwise: exec into an agent can't do it. */
export async function verifyCommand(words: VerifyWords, around: Around, shape: Shape, print: (text: string) => void): Promise<ExitCode> {
  const { flags: said } = words
  expectAnswer(said, around)
  const flags = {
    ...said,
    keepWay: true,
    probing: !said['dry-run'],
    staysMs: said.catch ? (said.timeout ?? CATCH_MS) : STAYS_MS,
    ...(said.catch && { timeout: undefined }),
  }
  const whole = { ...words, flags }
  const asked = await (flags.flows === undefined ? one(whole, around) : whichFlows(flags.flows, whole, around))
  const { live, snapshot, flows } = asked
  if (!live)
    throw new NetctlError({
      code: 'VER001',
      message: '--verify asks a running cluster, and there is no kubeconfig',
      try: '--kubeconfig PATH',
    })
  try {
    const done = await verifying(live, snapshot, flows, said, around)
    if ('scripts' in done) {
      print(done.scripts)
      return ExitCode.ok
    }
    print(verifiedIn(shape, done.traces, flags.flows !== undefined))
    if (shape.output === 'jsonl' && flags.flows !== undefined) around.tell(verifiedSum(done.traces))
    for (const left of done.left) around.tell(`! ${left}`)
    return done.traces.map((t, i) => verifyExit(t, flows[i]?.expect)).reduce(worse, ExitCode.ok)
  } finally {
    for (const left of await live.close()) around.tell(`! ${left}`)
  }
}

/** what probes and what is read again take, once nodes are read; milliseconds */
const STAYS_MS = 180_000

async function one(words: VerifyWords, around: Around): Promise<Asked> {
  const { src, dst, flags } = words
  const { snapshot, flow, live } = await whichFlow({ command: 'trace', src, dst, flags }, around)
  return { live, snapshot, flows: [{ flow, ...(flags.expect !== undefined && { expect: flags.expect as Verdict }) }] }
}

function verifiedIn(shape: Shape, traces: readonly VerifiedTrace[], list: boolean): string {
  const { output, brief, quiet, stringify } = shape
  const documents = traces.map((t) => {
    const { paths, comparison, ...rest } = withoutLegs(t)
    return brief ? rest : { ...rest, paths, comparison }
  })
  if (stringify) return documents.map((d) => `${list ? '---\n' : ''}${stringify(safeValue(d))}`).join('')
  if (output === 'jsonl') return documents.map((d) => `${asciiJson(d)}\n`).join('')
  if (output === 'json') return `${JSON.stringify(safeValue(list ? documents : documents[0]), undefined, 2)}\n`
  const [only] = traces
  if (list || !only) return verifiedFlowsText(traces, textOptions(shape))
  return (quiet || brief ? verificationAnswer : verificationText)(only, textOptions(shape))
}
