import { string } from '@oclif/core/args'
import { BaseCommand } from '../src/cli/base-command.ts'
import { type CompletionFlag, completionScript, SHELLS, type Shell } from '../src/cli/completion.ts'
import { ExitCode } from '../src/error.ts'

const FILE_FLAGS = new Set(['snapshot', 'kubeconfig', 'flows', 'filename', 'with', 'record', 'junit', 'sarif', 'diff'])

export default class Completion extends BaseCommand {
  static override summary = 'Print the script that completes netctl in a shell'
  static override description = 'Completes commands, flags and their fixed values.'
  static override examples = ['source <(<%= config.bin %> completion bash)', '<%= config.bin %> completion fish | source']
  static override args = {
    shell: string({ required: true, options: [...SHELLS], description: 'which shell' }),
  }

  override async run(): Promise<ExitCode> {
    const { args } = await this.parse(Completion)
    const commands = this.config.commands
      .filter((command) => !command.hidden)
      .map((command) => ({
        path: command.id.replaceAll(':', ' '),
        summary: command.summary ?? '',
        values: Object.values(command.args)[0]?.options ?? [],
        files: ['file', 'path', 'old', 'new'].some((name) => name in command.args),
        flags: Object.entries(command.flags).map(([name, flag]): CompletionFlag => {
          const value = flag.type !== 'option' ? undefined : (flag.options ?? (FILE_FLAGS.has(name) ? 'file' : 'any'))
          return { name, char: flag.char, summary: flag.summary ?? '', value }
        }),
      }))
    this.print(completionScript(args.shell as Shell, commands))
    return ExitCode.ok
  }
}
