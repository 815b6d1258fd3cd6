import { string as stringArg } from '@oclif/core/args'
import { string } from '@oclif/core/flags'
import { BaseCommand } from '../../src/cli/base-command.ts'
import { inputFlag, outputFlag, timeoutFlag } from '../../src/cli/flags.ts'
import { compareWorlds, diffIn, sharedInput, worldAt } from '../../src/cli/policy/compare-worlds.ts'
import { inputFlags } from '../../src/cli/policy/inputs.ts'
import { REPORTS, reportFlags, reporting } from '../../src/cli/report-files.ts'
import type { ExitCode } from '../../src/error.ts'
import { diffResults, diffRules } from '../../src/report/policy/diff-results.ts'

export default class PolicyDiff extends BaseCommand {
  static override summary = 'What a change of policies opens and closes'
  static override description =
    `Compares who may connect to whom before (OLD) and after (NEW), on every port, and says which policy made the difference.
OLD and NEW are manifests, folders of them, or snapshots. What both have in common, such as the pods, can be given once, with -f or
--snapshot: OLD and NEW then go on top of it.
Exit code: 0 nothing opens or closes, 1 something does.`
  static override examples = [
    '<%= config.bin %> <%= command.id %> old/ new/',
    '<%= config.bin %> <%= command.id %> main/policies pull-request/policies -f workloads.yaml',
    '<%= config.bin %> <%= command.id %> before.tar.gz after.tar.gz --port 5432',
    '<%= config.bin %> <%= command.id %> old/ new/ -o github',
  ]
  static override args = {
    old: stringArg({ required: true, ignoreStdin: true, description: 'before: a file, a folder or a snapshot' }),
    new: stringArg({ required: true, ignoreStdin: true, description: 'after' }),
  }
  static override flags = {
    ...inputFlags,
    port: string({
      summary: 'ports to compare: 80, 53/udp, icmp; all if not said',
      helpValue: 'PORT[/PROTO]',
      helpGroup: 'MATRIX',
      multiple: true,
      multipleNonGreedy: true,
    }),
    ...outputFlag(['text', 'json', ...REPORTS]),
    ...reportFlags,
    ...timeoutFlag,
    ...inputFlag,
  }

  override async run(): Promise<ExitCode> {
    const { args, flags } = await this.parse(PolicyDiff)
    const terminal = this.terminal(flags)
    const to = { ...flags, print: (text: string) => this.print(text) }
    const base = { command: 'netctl policy diff', version: this.config.version, rules: diffRules }
    return reporting(to, base, async () => {
      const shared = await sharedInput(flags, terminal, this.config.root)
      const before = await worldAt(args.old, flags, shared)
      const after = await worldAt(args.new, flags, shared)
      const { diff, code } = await this.bounded('comparing', flags.timeout, () => compareWorlds(before, after, flags))
      const text = diffIn(flags.output, diff, terminal)
      if (text !== undefined) this.print(text)
      return { code, results: diffResults(diff) }
    })
  }
}
