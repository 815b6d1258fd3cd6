import { string } from '@oclif/core/args'
import type { Command } from '@oclif/core/command'
import { BaseCommand } from '../src/cli/base-command.ts'
import { type CompletionCommand, type CompletionFlag, completionScript, SHELLS, type Shell } from '../src/cli/completion.ts'
import type { NameKind } from '../src/cli/names.ts'
import { ExitCode } from '../src/error.ts'

const FILE_ARGS = ['file', 'path', 'old', 'new']
const NAME_FLAGS: Readonly<Record<string, NameKind>> = {
  context: 'contexts',
  namespace: 'namespaces',
  'pod-namespace': 'namespaces',
  nodes: 'nodes',
  'entry-node': 'nodes',
  'node-down': 'nodes',
}

export default class Completion extends BaseCommand {
  static override summary = 'Print the script that completes netctl in a shell'
  static override description =
    'Completes commands, flags and their values; names of pods, services and nodes too: of --snapshot, else of the running cluster of the kubeconfig, as far as it answers within a second.'
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
        args: argsOf(Object.keys(command.args)),
        flags: Object.entries(command.flags).map(
          ([name, flag]): CompletionFlag => ({ name, char: flag.char, summary: flag.summary ?? '', value: valuesOf(name, flag) }),
        ),
      }))
    this.print(completionScript(args.shell as Shell, commands))
    return ExitCode.ok
  }
}

const argsOf = (names: readonly string[]): CompletionCommand['args'] =>
  names.includes('src') ? 'endpoints' : names.some((name) => FILE_ARGS.includes(name)) ? 'files' : undefined

function valuesOf(name: string, flag: Command.Flag.Cached): CompletionFlag['value'] {
  if (flag.type !== 'option') return undefined
  const names = NAME_FLAGS[name]
  return flag.options ?? (names ? { names } : /^(?:FILE|PATH)\b/.test(String(flag.helpValue)) ? 'file' : 'any')
}
