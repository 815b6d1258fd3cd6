import { string } from '@oclif/core/args'
import { BaseCommand } from '../../src/cli/base-command.ts'
import { outputFlag, snapshotFlag, timeoutFlag } from '../../src/cli/flags.ts'
import { ExitCode, NetctlError } from '../../src/error.ts'
import { snapshotJson, snapshotText } from '../../src/report/snapshot.ts'
import { openSnapshot } from '../../src/snapshot/open.ts'
import { describeSnapshot } from '../../src/snapshot/show.ts'

export default class SnapshotShow extends BaseCommand {
  static override summary = 'Show what a snapshot holds'
  static override description =
    'Nodes, versions, how the cluster is run (read off the dumps), how much there is of everything, and what is missing.'
  static override examples = [
    '<%= config.bin %> snapshot show examples/shop',
    '<%= config.bin %> snapshot show --snapshot cluster.tar.gz -o json',
  ]
  static override args = { path: string({ description: 'a folder or its .tar.gz; the same as --snapshot' }) }
  static override flags = { ...snapshotFlag, ...timeoutFlag, ...outputFlag(['text', 'json', 'yaml']) }

  override async run(): Promise<ExitCode> {
    const { args, flags } = await this.parse(SnapshotShow)
    const path = args.path ?? flags.snapshot
    if (path === undefined) {
      throw new NetctlError({ code: 'USE003', message: 'netctl snapshot show needs a snapshot', try: 'netctl snapshot show PATH' })
    }
    const snapshot = await openSnapshot(path, (load) => this.bounded('reading the snapshot', flags.timeout, load))
    const description = await this.bounded('describing the snapshot', flags.timeout, () => describeSnapshot(snapshot))
    if (flags.output === 'json') this.print(snapshotJson(description))
    else if (flags.output === 'yaml') this.print((await import('../../src/report/yaml.ts')).yamlText(JSON.parse(snapshotJson(description))))
    else {
      const { width, colour, unicode } = this.terminal(flags)
      this.print(snapshotText(description, { width, colour, unicode }))
    }
    return ExitCode.ok
  }
}
