import { string } from '@oclif/core/args'
import { BaseCommand } from '../src/cli/base-command.ts'
import { timeoutFlag } from '../src/cli/flags.ts'
import { beginning, NAME_KINDS, type NameKind, offered, plain, readTyped } from '../src/cli/names.ts'
import { whichCluster } from '../src/cli/which-cluster.ts'
import { ExitCode } from '../src/error.ts'
import { inventoryOf } from '../src/snapshot/names.ts'

/** nobody waits longer for a word */
const PATIENCE_MS = 1000
/** names seldom change */
const MAX_AGE_MS = 300_000

export default class Names extends BaseCommand {
  static override hidden = true
  static override summary = 'Names of a cluster that the last word of a command line can become'
  static override description =
    'Called by the scripts of netctl completion: netctl names KIND -- WORD…. Names are those of --snapshot among the words, else of the running cluster, of which objects are listed at most.'
  static override strict = false
  static override args = {
    kind: string({ required: true, ignoreStdin: true, options: [...NAME_KINDS], description: 'of what' }),
  }
  static override flags = timeoutFlag

  override async run(): Promise<ExitCode> {
    const { args, argv, flags } = await this.parse(Names)
    const typed = readTyped(argv.slice(1).map(String))
    const { timeout = PATIENCE_MS } = flags
    const kind = args.kind as NameKind
    const names = async (): Promise<readonly string[]> => {
      if (kind === 'contexts') {
        const { contextNames } = await import('../src/kube/kubeconfig.ts')
        return plain(beginning(typed.word, await contextNames(typed.kubeconfig)))
      }
      if (typed.manifests) return []
      const snapshot = typed.snapshot ?? process.env.NETCTL_SNAPSHOT
      const cluster = { ...typed, snapshot, timeout, 'max-age': MAX_AGE_MS, via: 'none' } as const
      const around = this.around({ 'no-input': true })
      return offered(kind, inventoryOf((await whichCluster(cluster, around)).snapshot), typed)
    }
    const all = await this.bounded('listing names', timeout, names)
    if (all.length > 0) this.print(all.join('\n'))
    return ExitCode.ok
  }
}
