import { BaseCommand } from '../src/cli/base-command.ts'
import { collectFlags } from '../src/cli/collect/collect-flags.ts'
import { collectFrom } from '../src/cli/collect/collect-from.ts'
import { collect } from '../src/cli/collect/collecting.ts'
import { consentBy, PODS_QUESTION } from '../src/cli/consent.ts'
import { ExitCode } from '../src/error.ts'
import { collectedJson, collectedText } from '../src/report/collected.ts'
import { collectorText } from '../src/system/node-scripts.ts'

export default class Collect extends BaseCommand {
  static override summary = 'Take a snapshot of a cluster'
  static override description =
    "Reads the cluster's objects by the kubeconfig; and the kernel's tables of nodes and of their pods' network namespaces, with one shell script that needs nothing but what a node has. " +
    'Nodes are reached through the API, by ssh, or one is this machine. Changes nothing on them; only pods (--via pod, --yes, or a yes when asked) are made for the time of it and deleted. ' +
    'Secrets, keys, passwords, environments and arguments are left out where they stand. What could not be had stands in snapshot.json, with the reason. ' +
    'Exit 0: everything was read; 3: something is missing.'
  static override usage = [
    'collect [--context NAME] [--via auto|pod|exec|none] [--nodes NAMES]',
    'collect [--context NAME] --ssh HOST...',
    'collect [--context NAME] --local [--node NAME]',
    'collect --from PATH',
  ]
  static override examples = [
    { description: 'objects, and nodes as far as the rights reach', command: '<%= config.bin %> collect' },
    { description: 'objects only', command: '<%= config.bin %> collect --via none' },
    { description: 'two nodes and their pods, by pods made for it', command: '<%= config.bin %> collect --via pod --nodes n1,n2' },
    { description: 'nodes by ssh', command: '<%= config.bin %> collect --context prod --ssh n1 root@n2 -O cluster.tar.gz' },
    { description: 'this node only', command: 'sudo <%= config.bin %> collect --local' },
    { description: 'for others to see', command: '<%= config.bin %> collect --redact -O for-support.tar.gz' },
  ]
  static override flags = collectFlags

  override async run(): Promise<ExitCode> {
    const { flags } = await this.parse(Collect)
    const say = (text: string) => this.tell(text)
    const { from } = flags
    const collected =
      from !== undefined
        ? await collectFrom({ ...flags, from, version: this.config.version })
        : await collect(flags, {
            script: collectorText(this.config.root),
            version: this.config.version,
            tell: (text) => process.stderr.isTTY && !flags.quiet && this.tell(text),
            say,
            consent: consentBy({
              yes: flags.yes,
              canPrompt: this.terminal(flags).canPrompt,
              tell: say,
              words: ['collect', ...this.argv],
              question: PODS_QUESTION,
            }),
          })
    this.print(flags.output === 'json' ? collectedJson(collected) : collectedText(collected, this.terminal(flags)))
    return collected.missing.length === 0 ? ExitCode.ok : ExitCode.unknown
  }
}
