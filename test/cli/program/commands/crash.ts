import { BaseCommand } from '../../../../src/cli/base-command.ts'
import { outputFlag } from '../../../../src/cli/flags.ts'

export default class Crash extends BaseCommand {
  static override flags = outputFlag(['text', 'json', 'jsonl'])

  override async run(): Promise<never> {
    await this.parse(Crash)
    throw new TypeError('x is undefined')
  }
}
