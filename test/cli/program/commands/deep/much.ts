import { BaseCommand } from '../../../../../src/cli/base-command.ts'
import { outputFlag } from '../../../../../src/cli/flags.ts'
import { ExitCode } from '../../../../../src/error.ts'

/** Prints a megabyte, and says no. */
export default class Much extends BaseCommand {
  static override flags = outputFlag(['text', 'json'])

  override async run(): Promise<ExitCode> {
    const { flags } = await this.parse(Much)
    this.print(flags.output === 'json' ? JSON.stringify({ much: 'x'.repeat(2 ** 20) }) : 'line\n'.repeat(200_000))
    return ExitCode.no
  }
}
