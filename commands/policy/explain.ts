import { BaseCommand } from '../../src/cli/base-command.ts'
import { inputFlag, outputFlag, timeoutFlag, verbosityFlags } from '../../src/cli/flags.ts'
import { detailsOf, policyFlowArgs, policyFlowFlags } from '../../src/cli/policy/flow-flags.ts'
import { inputFlags } from '../../src/cli/policy/inputs.ts'
import { exitOfVerdicts } from '../../src/cli/policy/judge-flows.ts'
import { loadScene } from '../../src/cli/policy/scene.ts'
import { whichFlows } from '../../src/cli/policy/which-flows.ts'
import type { ExitCode } from '../../src/error.ts'
import { explain } from '../../src/policy/explain.ts'
import { explainDocument } from '../../src/report/policy/explain-json.ts'
import { explainText } from '../../src/report/policy/explain-text.ts'
import { verdictText } from '../../src/report/policy/verdict-text.ts'
import { printableJson } from '../../src/report/sanitize.ts'

export default class PolicyExplain extends BaseCommand {
  static override summary = 'Why policies let a flow pass or not: every policy at both ends, in the order of evaluation'
  static override description =
    `Lists, for egress of SRC and ingress of DST, each tier and policy that selects that end, what each rule made of the packet
(the criterion that failed, what it wants and what the packet has), and the rule that decides, with its lines of source.
Exit code: 0 allowed, 1 denied, 3 it can't be told.`
  static override examples = [
    '<%= config.bin %> <%= command.id %> pod/shop/web svc/shop/api:80 -f policies/',
    '<%= config.bin %> <%= command.id %> pod/shop/web pod/shop/db:5432 --snapshot examples/shop -v',
    '<%= config.bin %> <%= command.id %> shop/web 203.0.113.9:443 -f policies/ -o json',
  ]
  static override args = policyFlowArgs
  static override flags = {
    ...policyFlowFlags,
    ...inputFlags,
    ...outputFlag(['text', 'json']),
    ...timeoutFlag,
    ...inputFlag,
    ...verbosityFlags,
  }

  override async run(): Promise<ExitCode> {
    const { args, flags } = await this.parse(PolicyExplain)
    const terminal = this.terminal(flags)
    const scene = await loadScene(flags, terminal, this.config.root)
    for (const note of scene.notes) this.tell(note)
    const words = { command: 'explain', ...args, ports: flags.port ?? [], details: detailsOf(flags) } as const
    const { flows, notes } = await whichFlows(scene, words, terminal)
    if (!flags.quiet) for (const note of notes) this.tell(note)
    const explained = await this.bounded('explaining', flags.timeout, () =>
      flows.map((flow) => ({ flow, explanation: explain(scene.world, flow) })),
    )
    if (flags.output === 'json') {
      const documents = explained.map(({ flow, explanation }) => explainDocument(flow, explanation))
      this.print(printableJson(documents.length === 1 ? documents[0] : documents, 2))
    } else {
      // the answer only: what decides, as eval says it
      const text = explained.map(({ flow, explanation }) =>
        flags.quiet
          ? verdictText({ flow, verdict: explanation.verdict }, terminal)
          : explainText(flow, explanation, { ...terminal, verbose: flags.verbose }),
      )
      this.print(text.join('\n'))
    }
    return exitOfVerdicts(explained.map(({ explanation }) => explanation.verdict))
  }
}
