import { ExitCode, NetctlError } from '../error.ts'

/** What `netctl collect` refuses. */

/** Node names as Kubernetes has them (DNS-1123 subdomain). */
export function expectNodeName(name: string): string {
  if (/^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/.test(name)) return name
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

export const needsRoot = (): NetctlError =>
  new NetctlError({
    code: 'COL001',
    message: 'netctl collect --local needs root: the packet filter and pods’ namespaces are closed to others',
    try: 'sudo netctl collect --local',
    exitCode: ExitCode.unknown,
  })

export const nothingRead = (missing: readonly string[]): NetctlError =>
  new NetctlError({
    code: 'COL002',
    message: 'no node could be read, and no snapshot was written',
    have: missing,
    try: 'ssh HOST true, or netctl collect --local on the node itself',
    exitCode: ExitCode.unknown,
  })
