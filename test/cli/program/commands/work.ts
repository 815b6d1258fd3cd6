import { BaseCommand } from '../../../../src/cli/base-command.ts'
import { outputFlag, sharedFlags } from '../../../../src/cli/flags.ts'
import { ExitCode } from '../../../../src/error.ts'

/** Works for ever: in a loop that never yields, or waiting. */
export default class Work extends BaseCommand {
  static override flags = { ...sharedFlags, ...outputFlag(['text', 'json']) }
  static override strict = false

  override async run(): Promise<ExitCode> {
    const { flags, argv } = await this.parse(Work)
    this.tell('started')
    await this.bounded('working', flags.timeout, () => {
      if (argv[0] === 'wait') return new Promise<void>((resolve) => setTimeout(resolve, 60_000))
      for (;;);
    })
    return ExitCode.ok
  }
}
