import { string } from '@oclif/core/flags'
import { BaseCommand } from '../../src/cli/base-command.ts'
import { inputFlag, outputFlag, timeoutFlag, verbosityFlags } from '../../src/cli/flags.ts'
import { inputFlags, notesOf, pathArgs, readInput, withPaths } from '../../src/cli/policy/inputs.ts'
import { exitOfLint, LEVELS, type Level, lintIn, lintInput } from '../../src/cli/policy/run-lint.ts'
import { REPORTS, reportFlags, reporting } from '../../src/cli/report-files.ts'
import type { ExitCode } from '../../src/error.ts'
import { LINT_RULES, lintResults } from '../../src/report/policy/lint-findings.ts'

export default class PolicyLint extends BaseCommand {
  static override summary = 'What is wrong with policies, and what they probably do not mean'
  static override description =
    `Reads policies as strictly as the API server, kubectl --validate=strict and Calico do, and tells all that they would refuse. Of the rest
it tells what they say and probably do not mean: rules that never decide, selectors that select nothing, forgotten DNS, and more
(docs/policy-lint.md). What can't be proved from the input is not told.
Exit code: 0 nothing from --fail-on upwards, 1 something, 2 something would be refused.`
  static override examples = [
    '<%= config.bin %> <%= command.id %> policies/',
    '<%= config.bin %> <%= command.id %> --snapshot examples/shop --with new-policy.yaml',
    'kustomize build . | <%= config.bin %> <%= command.id %> - --level warning',
    '<%= config.bin %> <%= command.id %> policies/ -o github --skip LNT008',
  ]
  static override args = pathArgs
  static override flags = {
    level: string({ summary: 'tell from this level on', options: [...LEVELS], default: 'note', helpGroup: 'LINT' }),
    'fail-on': string({ summary: 'exit with 1 from this level on', options: [...LEVELS, 'never'], default: 'warning', helpGroup: 'LINT' }),
    skip: string({ summary: 'leave out a check', helpValue: 'CODE', multiple: true, multipleNonGreedy: true, helpGroup: 'LINT' }),
    ...inputFlags,
    ...outputFlag(['text', 'json', 'jsonl', ...REPORTS]),
    ...reportFlags,
    ...timeoutFlag,
    ...inputFlag,
    ...verbosityFlags,
  }

  override async run(): Promise<ExitCode> {
    const { args, flags: typed } = await this.parse(PolicyLint)
    const flags = withPaths(typed, args.path)
    const terminal = this.terminal(flags)
    const base = { command: 'netctl policy lint', version: this.config.version, rules: LINT_RULES }
    return reporting({ ...flags, print: (text) => this.print(text) }, base, async () => {
      const input = await readInput(flags, terminal, this.config.root, { partial: true })
      for (const note of notesOf(input, flags.verbose)) this.tell(note)
      const linted = await this.bounded('looking', flags.timeout, async () => lintInput(input, flags.level as Level, flags.skip ?? []))
      const text = lintIn({ ...flags, terminal }, linted)
      if (text !== undefined) this.print(text)
      return { code: exitOfLint(linted, flags['fail-on'] as Level | 'never'), results: lintResults(linted.told) }
    })
  }
}
