import { CommandHelp, Help } from '@oclif/core/help'

/** oclif's help, but for the description: the summary stands above already, and its lines are as long as the screen is wide. */
export class CliHelp extends Help {
  protected override CommandHelpClass = class extends CommandHelp {
    protected override description(): string | undefined {
      const { description } = this.command
      return description === undefined ? undefined : this.wrap(unwrapped(description))
    }
  }
}

/** A paragraph on one line, as long as it may be: where source code breaks it is nobody's business. It ends where a line ends with a full stop. */
export const unwrapped = (text: string): string => text.replace(/(?<!\.)\n/g, ' ')
