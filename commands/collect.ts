import { join } from 'node:path'
import { boolean, string } from '@oclif/core/flags'
import { BaseCommand } from '../src/cli/base-command.ts'
import { expectNodeName, expectSshHosts, needsRoot, nothingRead } from '../src/cli/collecting.ts'
import { eachTimeoutFlag, outputFlag } from '../src/cli/flags.ts'
import { ExitCode } from '../src/error.ts'
import { collectedJson, collectedText, readNodeLine } from '../src/report/collected.ts'
import { headerOf, type NodeAt, readNodes } from '../src/snapshot/collect/collect.ts'
import { readInput } from '../src/system/input.ts'
import { newSnapshot } from '../src/system/new-snapshot.ts'
import { runBySsh, runHere } from '../src/system/run-script.ts'

export default class Collect extends BaseCommand {
  static override summary = 'Take a snapshot of nodes'
  static override description =
    "Reads the kernel's tables of nodes and of their pods' network namespaces with one shell script that needs nothing but what a node has, and changes nothing there. " +
    'Keys, passwords, environments and arguments are left out on the node. What could not be had stands in snapshot.json, with the reason. ' +
    'Exit 0: everything was read; 3: something is missing.'
  static override examples = [
    'sudo <%= config.bin %> collect --local',
    '<%= config.bin %> collect --ssh n1 root@n2 -O cluster.tar.gz',
    '<%= config.bin %> trace pod/shop/web svc/shop/api --snapshot cluster.tar.gz',
  ]
  static override flags = {
    local: boolean({ summary: 'this machine, as root', helpGroup: 'SOURCE', exactlyOne: ['local', 'ssh'] }),
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
    const nodes =
      flags.ssh === undefined ? this.here(flags.node) : expectSshHosts(flags.ssh).map((host) => ({ label: host, run: runBySsh(host) }))
    const takenAt = new Date().toISOString()
    const path = flags.out ?? `netctl-${takenAt.slice(0, 19).replace(/\D/g, '')}.tar.gz`
    const into = newSnapshot(path)
    let count = 0
    const read = await readNodes(nodes, {
      script: readInput(join(this.config.root, 'src/snapshot/collect/node.sh')),
      patienceMs: flags.timeout,
      into,
      ...(process.stderr.isTTY && !flags.quiet && { done: (node) => this.tell(`${++count}/${nodes.length}  ${readNodeLine(node)}`) }),
    })
    const missing = read.flatMap((n) => n.missing)
    if (read.every((n) => n.node === undefined)) throw nothingRead(missing)
    into.write(
      'snapshot.json',
      headerOf({ takenAt, source: `netctl collect ${flags.local ? '--local' : '--ssh'}`, version: this.config.version, missing }),
    )
    await into.commit()
    const collected = { path, nodes: read, missing }
    this.print(flags.output === 'json' ? collectedJson(collected) : collectedText(collected, this.terminal(flags)))
    return missing.length === 0 ? ExitCode.ok : ExitCode.unknown
  }

  private here(name: string | undefined): readonly NodeAt[] {
    if (process.getuid?.() !== 0) throw needsRoot()
    return [{ label: name ?? 'this machine', run: runHere, ...(name !== undefined && { name: expectNodeName(name) }) }]
  }
}
