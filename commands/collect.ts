import { join } from 'node:path'
import { boolean, string } from '@oclif/core/flags'
import { BaseCommand } from '../src/cli/base-command.ts'
import { addObjects, expectNodeName, expectSshHosts, needsRoot, nothingRead, sourceOf, strangers } from '../src/cli/collecting.ts'
import { eachTimeoutFlag, outputFlag } from '../src/cli/flags.ts'
import { ExitCode } from '../src/error.ts'
import { collectedJson, collectedText, readNodeLine } from '../src/report/collected.ts'
import { headerOf, type NodeAt, readNodes } from '../src/snapshot/collect/collect.ts'
import { readInput } from '../src/system/input.ts'
import { newSnapshot } from '../src/system/new-snapshot.ts'
import { runBySsh, runHere } from '../src/system/run-script.ts'

export default class Collect extends BaseCommand {
  static override summary = 'Take a snapshot of a cluster'
  static override description =
    "Reads the cluster's objects by the kubeconfig; and the kernel's tables of nodes and of their pods' network namespaces, with one shell script that needs nothing but what a node has. " +
    'Changes nothing. Secrets, keys, passwords, environments and arguments are left out where they stand. What could not be had stands in snapshot.json, with the reason. ' +
    'Exit 0: everything was read; 3: something is missing.'
  static override examples = [
    { description: 'objects only', command: '<%= config.bin %> collect' },
    { description: 'objects and nodes', command: '<%= config.bin %> collect --context prod --ssh n1 root@n2 -O cluster.tar.gz' },
    { description: 'this node only', command: 'sudo <%= config.bin %> collect --local' },
  ]
  static override flags = {
    context: string({
      summary: 'objects of this kubeconfig context; of the current one if there is no --local or --ssh',
      helpValue: 'NAME',
      helpGroup: 'SOURCE',
    }),
    kubeconfig: string({ summary: 'objects by this kubeconfig', helpValue: 'PATH', helpGroup: 'SOURCE' }),
    local: boolean({ summary: 'this machine, as root', helpGroup: 'SOURCE', exclusive: ['ssh'] }),
    node: string({
      summary: "this machine's name in the cluster, if the kubelet's is not it",
      helpValue: 'NAME',
      helpGroup: 'SOURCE',
      dependsOn: ['local'],
    }),
    ssh: string({
      summary: 'these nodes, as ssh calls them; as root, or with sudo that asks nothing',
      helpValue: 'HOST',
      helpGroup: 'SOURCE',
      multiple: true,
    }),
    out: string({ char: 'O', summary: 'folder, or .tar.gz; netctl-TIME.tar.gz if not said', helpValue: 'PATH', helpGroup: 'OUTPUT' }),
    ...eachTimeoutFlag,
    quiet: boolean({ char: 'q', summary: 'no progress', helpGroup: 'OUTPUT' }),
    ...outputFlag(['text', 'json']),
  }

  override async run(): Promise<ExitCode> {
    const { flags } = await this.parse(Collect)
    const nodes = flags.local
      ? this.here(flags.node)
      : expectSshHosts(flags.ssh ?? []).map((host) => ({ label: host, run: runBySsh(host) }))
    const takenAt = new Date().toISOString()
    const path = flags.out ?? `netctl-${takenAt.slice(0, 19).replace(/\D/g, '')}.tar.gz`
    const into = newSnapshot(path)
    const tell = (text: string) => process.stderr.isTTY && !flags.quiet && this.tell(text)
    let count = 0
    const [objects, read] = await Promise.all([
      addObjects(into, flags, nodes.length > 0, tell),
      readNodes(nodes, {
        script: readInput(join(this.config.root, 'bin/collect-node.sh')),
        patienceMs: flags.timeout,
        into,
        done: (node) => tell(`${++count}/${nodes.length}  ${readNodeLine(node)}`),
      }),
    ])
    const missing = [...objects.missing, ...strangers(objects, read), ...read.flatMap((n) => n.missing)]
    if (objects.count === undefined && read.every((n) => n.node === undefined)) throw nothingRead(missing)
    const source = sourceOf(objects, flags)
    into.write('snapshot.json', headerOf({ takenAt, source, version: this.config.version, missing }))
    await into.commit()
    const collected = { path, nodes: read, objects: objects.count, missing }
    this.print(flags.output === 'json' ? collectedJson(collected) : collectedText(collected, this.terminal(flags)))
    return missing.length === 0 ? ExitCode.ok : ExitCode.unknown
  }

  private here(name: string | undefined): readonly NodeAt[] {
    if (process.getuid?.() !== 0) throw needsRoot()
    return [{ label: name ?? 'this machine', run: runHere, ...(name !== undefined && { name: expectNodeName(name) }) }]
  }
}
