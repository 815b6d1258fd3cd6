import { BaseCommand } from '../../src/cli/base-command.ts'
import { inputFlag, outputFlag, timeoutFlag, verbosityFlags } from '../../src/cli/flags.ts'
import { detailsOf, policyFlowArgs, policyFlowFlags } from '../../src/cli/policy/flow-flags.ts'
import { inputFlags } from '../../src/cli/policy/inputs.ts'
import { exitOfVerdicts, judgedIn, judgeFlows } from '../../src/cli/policy/judge-flows.ts'
import { loadScene } from '../../src/cli/policy/scene.ts'
import { whichFlows } from '../../src/cli/policy/which-flows.ts'
import { flowsFlag } from '../../src/cli/trace/flow-flags.ts'
import { noFlowBeside } from '../../src/cli/trace/which-flow.ts'
import { ExitCode } from '../../src/error.ts'
import { evaluate } from '../../src/policy/evaluate.ts'

export default class PolicyEval extends BaseCommand {
  static override summary = 'Whether policies let a flow pass, and which rule decides'
  static override description =
    `Judges the first packet of a connection from SRC to DST by all policies of the input together: of Kubernetes (NetworkPolicy, Admin- and
BaselineAdminNetworkPolicy, ClusterNetworkPolicy) and of Calico. Nothing has to be applied. Objects that the API would refuse are left
out, named on stderr, and make the exit code 2.
A flow line is {"src": "NAMESPACE/POD", "dst": "10.0.0.9", "protocol": "TCP", "port": 80}; those of trace are taken too.
Exit code: 0 allowed, 1 denied, 3 it can't be told. With --flows 0 whatever the verdicts, 3 if some can't be told.`
  static override examples = [
    '<%= config.bin %> <%= command.id %> pod/shop/web svc/shop/api:80 -f policies/',
    '<%= config.bin %> <%= command.id %> shop/web 203.0.113.9:443 -f policies/ -f pods.yaml',
    '<%= config.bin %> <%= command.id %> pod/shop/web pod/shop/db --port 5432 --port icmp --snapshot examples/shop --with new.yaml',
    '<%= config.bin %> <%= command.id %> -f policies/ --flows flows.jsonl -o jsonl',
  ]
  static override args = policyFlowArgs
  static override flags = {
    ...policyFlowFlags,
    flows: {
      ...flowsFlag.flows,
      summary: 'judge every flow of this file, one JSON object a line (- is stdin)',
      exclusive: ['port', 'source-port', 'staged', 'class'],
    },
    ...inputFlags,
    ...outputFlag(['text', 'json', 'jsonl']),
    ...timeoutFlag,
    ...inputFlag,
    ...verbosityFlags,
  }

  override async run(): Promise<ExitCode> {
    const { args, flags } = await this.parse(PolicyEval)
    const terminal = this.terminal(flags)
    if (flags.flows !== undefined) noFlowBeside(args)
    const scene = await loadScene(flags, terminal, this.config.root, { partial: true })
    for (const note of scene.notes) this.tell(note)
    const shape = { output: flags.output, terminal, quiet: flags.quiet }
    if (flags.flows !== undefined) {
      const [file, out] = [flags.flows, { ascii: (text: string) => this.printAscii(text), print: (text: string) => this.print(text) }]
      const code = await this.bounded('judging', flags.timeout, () => judgeFlows(scene, file, shape, out))
      return scene.partial ? ExitCode.usage : code
    }
    const words = { command: 'eval', ...args, ports: flags.port ?? [], details: detailsOf(flags) } as const
    const { flows, notes } = await whichFlows(scene, words, terminal)
    if (!flags.quiet) for (const note of notes) this.tell(note)
    const judged = flows.map((flow) => ({ flow, verdict: evaluate(scene.world, flow) }))
    this.print(judgedIn(shape, judged, false))
    const code = exitOfVerdicts(judged.map(({ verdict }) => verdict))
    return scene.partial ? ExitCode.usage : code
  }
}
