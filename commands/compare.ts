import { BaseCommand } from '../src/cli/base-command.ts'
import { inputFlag, liveFlags, namespaceFlags, outputFlag, snapshotFlag, timeoutFlag } from '../src/cli/flags.ts'
import { flowArgs, flowFlags, flowsFlag, stateFlag } from '../src/cli/trace/flow-flags.ts'
import { stringifier, textOptions } from '../src/cli/trace/print-trace.ts'
import { exitOfLine, worse } from '../src/cli/trace/trace-exit.ts'
import { walkFlows } from '../src/cli/trace/walk-flows.ts'
import { whichFlow } from '../src/cli/trace/which-flow.ts'
import { whichFlows } from '../src/cli/trace/which-flows.ts'
import { ExitCode } from '../src/error.ts'
import { compareSummary } from '../src/report/compare.ts'
import { comparisonDocument, summaryDocument } from '../src/report/compare-json.ts'
import { compareSummaryText, compareText } from '../src/report/compare-text.ts'
import { traceFlow } from '../src/trace/trace.ts'
import type { Trace } from '../src/trace/types.ts'

export default class Compare extends BaseCommand {
  static override summary = 'What Calico and what kube-proxy did for a flow, with the line that proves it'
  static override description = `Eight aspects tell the two halves of a cluster's network apart; each says who acted for this flow, and how.
Over many flows (--flows) it counts who handled how many, by which mechanism.
Exit code: 0 the flow could be walked, whatever came of it; 3 it can't be told.`
  static override examples = [
    '<%= config.bin %> compare pod/shop/web-1 svc/shop/api:80 --snapshot examples/shop',
    '<%= config.bin %> compare --flows flows.jsonl --snapshot examples/shop',
  ]
  static override usage = ['compare [SRC] [DST] [--snapshot PATH | --context NAME]', 'compare --flows FILE|-']
  static override args = flowArgs
  static override flags = {
    ...flowFlags,
    ...stateFlag,
    ...flowsFlag,
    ...snapshotFlag,
    ...namespaceFlags,
    ...liveFlags,
    ...outputFlag(['text', 'json', 'yaml']),
    ...timeoutFlag,
    ...inputFlag,
  }

  override async run(): Promise<ExitCode> {
    const { args, flags } = await this.parse(Compare)
    const around = this.around(flags)
    const shown = textOptions({ ...flags, terminal: around.terminal, brief: false, verbose: false, quiet: false })
    const stringify = await stringifier(flags.output)
    const text = flags.output === 'text'
    if (flags.flows !== undefined) {
      const { snapshot, flows } = await whichFlows(flags.flows, { ...args, flags }, around)
      let code: ExitCode = ExitCode.ok
      function* traces(): Generator<Trace> {
        for (const { trace } of walkFlows(snapshot, flows)) {
          code = worse(code, exitOfLine(trace, undefined))
          yield trace
        }
      }
      const summary = await this.bounded('comparing', flags.timeout, () => compareSummary(traces()))
      this.print(text ? compareSummaryText(summary, shown) : summaryDocument(summary, stringify))
      return code
    }
    const { snapshot, flow, again, keep } = await whichFlow({ command: 'compare', ...args, flags }, around)
    const trace = await this.bounded('comparing', flags.timeout, () => traceFlow(snapshot, flow))
    this.print(
      text ? compareText(trace, { ...shown, flags: again, ...(keep !== undefined && { keep }) }) : comparisonDocument(trace, stringify),
    )
    return exitOfLine(trace, undefined)
  }
}
