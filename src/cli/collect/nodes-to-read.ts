import { OBJECT_NAME } from '../../cluster/object-name.ts'
import { ExitCode, NetctlError } from '../../error.ts'
import type { NodeAt } from '../../snapshot/collect/collect.ts'
import { runBySsh, runHere } from '../../system/run-script.ts'

export interface WhichNodes {
  readonly local?: boolean | undefined
  readonly node?: string | undefined
  readonly ssh?: readonly string[] | undefined
  readonly via: string
}

/** The nodes that `--local` and `--ssh` name. Throws NetctlError USE005 for names that can't be, COL001 without root. */
export function nodesToRead({ local, node, ssh = [], via }: WhichNodes): readonly NodeAt[] {
  if ((local || ssh.length > 0) && (via === 'exec' || via === 'pod'))
    throw new NetctlError({
      code: 'USE005',
      message: `--via ${via} is a way through the API, and ${local ? '--local' : '--ssh'} another one`,
      try: 'leave one of them out',
    })
  if (!local) return expectSshHosts(ssh).map((host) => ({ label: host, run: runBySsh(host) }))
  if (process.getuid?.() !== 0) throw needsRoot()
  return [{ label: node ?? 'this machine', run: runHere, ...(node !== undefined && { name: expectNodeName(node) }) }]
}

/** Node names as Kubernetes has them (DNS-1123 subdomain). */
export function expectNodeName(name: string): string {
  if (OBJECT_NAME.test(name)) return name
  throw new NetctlError({ code: 'USE005', message: `--node ${name} is not the name of a node`, try: 'kubectl get nodes' })
}

/** Hosts as ssh takes them: no options, nothing that a shell would read. */
export function expectSshHosts(hosts: readonly string[]): readonly string[] {
  for (const host of hosts) {
    if (host.startsWith('-') || !/^[^\s\p{Cc}]{1,300}$/u.test(host))
      throw new NetctlError({ code: 'USE005', message: `--ssh ${JSON.stringify(host)} is not a host`, try: '--ssh n1 root@n2' })
  }
  return [...new Set(hosts)]
}

const needsRoot = (): NetctlError =>
  new NetctlError({
    code: 'COL001',
    message: 'netctl collect --local needs root: the packet filter and pods’ namespaces are closed to others',
    try: 'sudo netctl collect --local',
    exitCode: ExitCode.unknown,
  })
