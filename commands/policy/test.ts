import { string } from '@oclif/core/args'
import { boolean, string as flag } from '@oclif/core/flags'
import { BaseCommand } from '../../src/cli/base-command.ts'
import { inputFlag, liveFlags, outputFlag, timeoutFlag, verbosityFlags } from '../../src/cli/flags.ts'
import { checkTests } from '../../src/cli/policy/check-tests.ts'
import { inputFlags } from '../../src/cli/policy/inputs.ts'
import { record } from '../../src/cli/policy/record.ts'
import { noTests } from '../../src/cli/policy/test-files.ts'
import { REPORTS, reportFlags, reporting } from '../../src/cli/report-files.ts'
import { watching } from '../../src/cli/watching.ts'
import { ExitCode } from '../../src/error.ts'
import { testRules } from '../../src/report/policy/test-results.ts'

export default class PolicyTest extends BaseCommand {
  static override summary = 'Hold policies against what they are meant to allow and deny'
  static override description =
    `Reads PolicyTest documents (docs/policy-tests.md) and asks the policies for every flow that they name. What does not hold is told
with the policy and rule that decide, and the smallest change that would mend it, which was tried out.
The policies are those that a document names (spec.manifests) or that stand beside it; -f, --snapshot or --context name others.
Exit code: 0 all hold, 1 one does not, 2 one can't be asked, 3 one can't be told.`
  static override examples = [
    '<%= config.bin %> <%= command.id %> examples/policies/shop-tests.yaml',
    '<%= config.bin %> <%= command.id %> tests/ -f policies/ --junit report.xml',
    'helm template . | <%= config.bin %> <%= command.id %> tests/shop.yaml -f -',
    '<%= config.bin %> <%= command.id %> tests/ --snapshot examples/shop --with new-policy.yaml',
    '<%= config.bin %> <%= command.id %> tests/ --snapshot examples/shop --datapath',
    '<%= config.bin %> <%= command.id %> --record allowed.yaml -f policies/',
    '<%= config.bin %> <%= command.id %> allowed.yaml tests/ -o github',
  ]
  static override args = {
    file: string({ multiple: true, description: 'PolicyTest and PolicySnapshot documents: files, or folders with some' }),
  }
  static override flags = {
    record: flag({
      summary: 'write all that is allowed to a PolicySnapshot, to be compared with later',
      helpValue: 'FILE',
      helpGroup: 'TEST',
    }),
    datapath: boolean({
      summary: 'walk every flow through the tables of the snapshot, or the running cluster, too: what is meant against what is programmed',
      helpGroup: 'TEST',
    }),
    watch: boolean({ summary: 'again whenever a file changes; ctrl-C ends it', helpGroup: 'TEST', exclusive: ['record'] }),
    ...inputFlags,
    ...liveFlags,
    ...outputFlag(['text', 'json', 'jsonl', ...REPORTS]),
    ...reportFlags,
    ...timeoutFlag,
    ...inputFlag,
    ...verbosityFlags,
  }

  override async run(): Promise<ExitCode> {
    const { args, flags } = await this.parse(PolicyTest)
    const around = this.around(flags)
    const { terminal } = around
    const [print, tell] = [(text: string) => this.print(text), (text: string) => this.tell(text)]
    const files = args.file ?? []
    if (flags.record !== undefined) tell(await record(flags.record, flags, terminal, this.config.root))
    else if (files.length === 0) throw noTests()
    if (files.length === 0) return ExitCode.ok
    let paths: readonly string[] = files
    const check = async () => {
      const checked = await checkTests(files, flags, { ...around, print, bounded: this.bounded })
      paths = checked.paths
      return checked
    }
    const base = { command: 'netctl policy test', version: this.config.version, rules: testRules }
    const once = () => reporting({ ...flags, print }, base, check)
    return flags.watch ? watching(once, () => paths, tell) : once()
  }
}
