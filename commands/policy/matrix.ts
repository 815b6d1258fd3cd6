import { option, string } from '@oclif/core/flags'
import { BaseCommand } from '../../src/cli/base-command.ts'
import { inputFlag, outputFlag, timeoutFlag } from '../../src/cli/flags.ts'
import { compareWorlds, diffIn, noMatrixBeside, worldAt } from '../../src/cli/policy/compare-worlds.ts'
import { inputFlags, pathArgs, withPaths } from '../../src/cli/policy/inputs.ts'
import { matrixPieces } from '../../src/cli/policy/print-matrix.ts'
import { loadScene } from '../../src/cli/policy/scene.ts'
import { ExitCode } from '../../src/error.ts'
import { LAYOUTS } from '../../src/policy/matrix/table.ts'

export default class PolicyMatrix extends BaseCommand {
  static override summary = 'Who may connect to whom: every pod with every other, on every port'
  static override description =
    `Judges all pairs of pods and workloads by all policies of the input together. Endpoints that fare alike are shown as one, ports that
no policy tells apart too. What policies say of a pair with a port in between is what \`netctl policy eval\` says of it.
Exit code: 0 whatever the verdicts; with --diff 1 if anything opens or closes.`
  static override examples = [
    '<%= config.bin %> <%= command.id %> policies/',
    '<%= config.bin %> <%= command.id %> --snapshot examples/shop --by namespace',
    '<%= config.bin %> <%= command.id %> policies/ --port 5432 --to "data/*"',
    '<%= config.bin %> <%= command.id %> policies/ --by pod -o csv > matrix.csv',
  ]
  static override args = pathArgs
  static override flags = {
    ...inputFlags,
    port: string({
      summary: 'ports to ask about: 80, 53/udp, icmp; all if not said',
      helpValue: 'PORT[/PROTO]',
      helpGroup: 'MATRIX',
      multiple: true,
      multipleNonGreedy: true,
    }),
    from: string({
      summary: 'sources: shop/web, shop/*, a name as answers have it',
      helpValue: 'NAME',
      helpGroup: 'MATRIX',
      multiple: true,
      multipleNonGreedy: true,
    }),
    to: string({ summary: 'destinations, likewise', helpValue: 'NAME', helpGroup: 'MATRIX', multiple: true, multipleNonGreedy: true }),
    diff: string({ summary: 'only what differs from the manifests or snapshot of this path', helpValue: 'PATH', helpGroup: 'MATRIX' }),
    by: option({ summary: 'who stands in a row or column', helpGroup: 'MATRIX', options: LAYOUTS, default: 'class' as const })(),
    ...outputFlag(['text', 'csv', 'json', 'jsonl']),
    ...timeoutFlag,
    ...inputFlag,
  }

  override async run(): Promise<ExitCode> {
    const { args, flags } = await this.parse(PolicyMatrix)
    const terminal = this.terminal(flags)
    const { world, notes } = await loadScene(withPaths(flags, args.path), terminal, this.config.root)
    for (const note of notes) this.tell(note)
    if (flags.diff !== undefined) {
      noMatrixBeside(flags)
      const before = await worldAt(flags.diff, flags)
      const { diff, code } = await this.bounded('comparing', flags.timeout, () => compareWorlds(before, world, flags))
      this.print(diffIn(flags.output, diff, terminal) ?? '')
      return code
    }
    await this.bounded('judging', flags.timeout, () => this.printPieces(matrixPieces(world, flags, terminal), flags.output !== 'text'))
    return ExitCode.ok
  }
}
