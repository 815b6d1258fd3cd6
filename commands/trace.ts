import { BaseCommand } from '../src/cli/base-command.ts'
import { flowArgs } from '../src/cli/trace/flow-flags.ts'
import { printFlows } from '../src/cli/trace/print-flows.ts'
import { stringifier, traceIn, wantsPaths } from '../src/cli/trace/print-trace.ts'
import { exitOf } from '../src/cli/trace/trace-exit.ts'
import { traceFlags } from '../src/cli/trace/trace-flags.ts'
import { walkFlows } from '../src/cli/trace/walk-flows.ts'
import { changedBy, supposing, traceIt } from '../src/cli/trace/what-if.ts'
import { whichFlow } from '../src/cli/trace/which-flow.ts'
import { whichFlows } from '../src/cli/trace/which-flows.ts'
import { verifyCommand } from '../src/cli/verify/verify-command.ts'
import { wantsVerification } from '../src/cli/verify/verify-flags.ts'
import type { ExitCode } from '../src/error.ts'
import type { Verdict } from '../src/trace/types.ts'

export default class Trace extends BaseCommand {
  static override summary = 'Follow a packet through a cluster, running or recorded, every branch, there and back'
  static override description =
    `Walks the first packet of a new connection from SRC to DST (--state: the next of one that exists) through the routes, rules, sets and
devices of the cluster, then its answer back, with the entry that proves each step. Without --snapshot it is the running cluster of the
kubeconfig's context, of which no more is read than the flow needs. With WHAT IF flags the answer is that of a world that differs, with
today's beside it.
Exit code: 0 every outcome is delivered, 1 some is not, 3 it can't be told.
With --verify a real packet is sent, and with --catch one is waited for; what the nodes see of it is held against the prediction, step by
step. The plan is shown before, and nothing is done without a yes. Exit code then: 0 the kernels did as predicted, also where that is a drop;
1 they did not; 3 it can't be told; 4 it was not agreed to.`
  static override examples = [
    '<%= config.bin %> trace pod/shop/web-1 svc/shop/api:80 --snapshot examples/shop',
    '<%= config.bin %> trace pod/shop/web-1 svc/shop/api:80 --context prod',
    '<%= config.bin %> trace external/ext node/n2:30080 --snapshot examples/shop -v',
    '<%= config.bin %> trace pod/shop/web-1 10.96.0.10:53/udp --snapshot examples/shop -o json',
    '<%= config.bin %> trace pod/shop/web-1 svc/shop/api:80 --snapshot examples/shop --node-down n2',
    '<%= config.bin %> trace pod/shop/web-1 svc/shop/api:80 --verify',
    '<%= config.bin %> trace --flows flows.jsonl --snapshot examples/shop -o jsonl --brief',
  ]
  static override usage = [
    'trace [SRC] [DST] [--snapshot PATH | --context NAME]',
    'trace SRC DST --verify|--catch [--yes | --dry-run]',
    'trace --flows FILE|- [-o jsonl] [--brief] [--verify]',
  ]
  static override args = flowArgs
  static override flags = traceFlags

  override async run(): Promise<ExitCode> {
    const { args, flags } = await this.parse(Trace)
    const around = this.around(flags)
    const shape = { ...flags, terminal: around.terminal, stringify: await stringifier(flags.output) }
    if (wantsVerification(flags)) return verifyCommand({ ...args, flags }, around, shape, (text) => this.print(text))
    const options = { verbose: flags.verbose, brief: !wantsPaths(flags) }
    if (flags.flows !== undefined) {
      const { snapshot, flows } = await whichFlows(flags.flows, { ...args, flags }, around)
      const suppose = supposing(flags)
      const out = { ascii: (text: string) => this.printAscii(text), print: (text: string) => this.print(text) }
      return this.bounded('tracing', flags.timeout, () => printFlows(walkFlows(snapshot, flows, { ...options, suppose }), shape, out))
    }
    const { snapshot, flow, again, keep } = await whichFlow({ command: 'trace', ...args, flags }, around)
    const changed = changedBy(snapshot, flags)
    const { trace, today } = await this.bounded('tracing', flags.timeout, () => traceIt(snapshot, changed, flow, options))
    this.print(traceIn({ ...shape, again, keep }, trace, today))
    return exitOf(trace, flags.expect as Verdict | undefined)
  }
}
