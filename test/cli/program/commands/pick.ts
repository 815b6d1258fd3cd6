import { BaseCommand } from '../../../../src/cli/base-command.ts'
import { inputFlag } from '../../../../src/cli/flags.ts'
import { equalCommand, pick } from '../../../../src/cli/pickers.ts'
import { ExitCode } from '../../../../src/error.ts'

/** Asks twice and prints what was picked. */
export default class Pick extends BaseCommand {
  static override flags = inputFlag

  override async run(): Promise<ExitCode> {
    const { flags } = await this.parse(Pick)
    if (!this.terminal(flags).canPrompt) {
      this.tell('may not ask')
      return ExitCode.usage
    }
    const from = await pick('From', [
      { value: 'pod/shop/client', hint: 'n1' },
      { value: 'pod/shop/web-1', hint: 'n2' },
      { value: 'node/n1', label: 'node/n1 \u001b[31mred' },
    ])
    const to = await pick('To', [{ value: 'svc/shop/web' }, { value: "svc/shop/it's" }])
    this.tell(equalCommand(['trace', from, to]))
    this.print(`${from} ${to}`)
    return ExitCode.ok
  }
}
