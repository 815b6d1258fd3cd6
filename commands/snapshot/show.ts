import { string } from '@oclif/core/args'
import { BaseCommand } from '../../src/cli/base-command.ts'
import { clusterFlags, inputFlag, maxAgeFlag, outputFlag, snapshotFlag, timeoutFlag } from '../../src/cli/flags.ts'
import { whichCluster } from '../../src/cli/which-cluster.ts'
import { ExitCode } from '../../src/error.ts'
import { snapshotJson, snapshotText } from '../../src/report/snapshot.ts'
import { describeSnapshot } from '../../src/snapshot/show.ts'

export default class SnapshotShow extends BaseCommand {
  static override summary = 'Show what a snapshot, or a running cluster, holds'
  static override description =
    'Nodes, versions, how the cluster is run (read off the dumps), how much there is of everything, and what is missing. Without a snapshot: the objects of the running cluster of the kubeconfig.'
  static override examples = [
    '<%= config.bin %> snapshot show examples/shop',
    '<%= config.bin %> snapshot show --snapshot cluster.tar.gz -o json',
  ]
  static override args = { path: string({ description: 'a folder or its .tar.gz; the same as --snapshot' }) }
  static override flags = {
    ...snapshotFlag,
    ...clusterFlags,
    ...maxAgeFlag,
    ...timeoutFlag,
    ...inputFlag,
    ...outputFlag(['text', 'json', 'yaml']),
  }

  override async run(): Promise<ExitCode> {
    const { args, flags } = await this.parse(SnapshotShow)
    const around = this.around(flags)
    const { snapshot, live } = await whichCluster({ ...flags, snapshot: args.path ?? flags.snapshot }, around)
    for (const note of live?.notes() ?? []) this.tell(note)
    // tables of all nodes are much to read for a table of contents
    if (live) this.tell('objects only: netctl collect reads the tables of its nodes, too')
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
