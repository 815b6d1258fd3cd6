/** Reads the hosts of a lab with the collector of `netctl collect`. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { type NodeStream, readStream } from '../../src/snapshot/collect/stream.ts'
import { collectorText } from '../../src/system/node-scripts.ts'
import { root } from './needs.ts'
import { type Lab, pods } from './netns-lab.ts'

export const script = collectorText(root)

/** Runs the collector with a shell, in a network namespace if one is named. */
export async function runCollector(
  args: readonly string[],
  how: { readonly ns?: string; readonly shell?: readonly string[]; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<{ readonly bytes: Buffer; readonly stderr: string }> {
  const enter = how.ns === undefined ? [] : ['nsenter', `--net=/run/netns/${how.ns}`]
  const [file = '', ...rest] = [...enter, ...(how.shell ?? ['sh']), '-s', '--', ...args]
  const ran = await execa(file, rest, {
    input: script,
    encoding: 'buffer',
    stripFinalNewline: false,
    ...(how.env && { env: { ...how.env } }),
  })
  return { bytes: Buffer.from(ran.stdout), stderr: Buffer.from(ran.stderr).toString() }
}

/** A node of the lab and its pods (`only`: these), which the collector finds as it does on a node: by a process of the pod, its cgroup, and the kubelet's logs. */
export async function collectNode(
  lab: Lab,
  node: 'n1' | 'n2',
  shell: readonly string[],
  only: readonly string[] = [],
): Promise<NodeStream> {
  const fake = fakeRoot(lab, node)
  try {
    return readStream((await runCollector(['30', node, fake, ...only], { ns: lab.ns[node], shell })).bytes)
  } finally {
    rmSync(fake, { recursive: true })
  }
}

/** A root folder with what the collector looks at of processes and logs: two processes a pod, one of a container that is no pod's. */
export function fakeRoot(lab: Lab, node: 'n1' | 'n2'): string {
  const inside = Object.entries(pods).flatMap(([pod, at]) => (at === node ? [[pod, lab.ns[pod as keyof typeof pods]] as const] : []))
  const folder = mkdtempSync(join(tmpdir(), 'netctl-node-'))
  const process = (pid: number, ns: string, cgroup: string, environ = '') => {
    mkdirSync(join(folder, `proc/${pid}/ns`), { recursive: true })
    symlinkSync(ns, join(folder, `proc/${pid}/ns/net`))
    writeFileSync(join(folder, `proc/${pid}/cgroup`), `0::${cgroup}\n`)
    writeFileSync(join(folder, `proc/${pid}/environ`), environ)
  }
  process(50, `/run/netns/${inside[0]?.[1]}`, '/system.slice/docker-6f3a.scope')
  for (const [i, [pod, ns]] of inside.entries()) {
    const uid = `0f0c0d0${i}-1111-2222-3333-444444444444`
    process(
      100 + i,
      `/run/netns/${ns}`,
      `/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${uid.replaceAll('-', '_')}.slice/cri-containerd-ab.scope`,
      'TOKEN=planted-env\0',
    )
    process(200 + i, `/run/netns/${ns}`, `/kubepods/burstable/pod${uid}/cd`)
    mkdirSync(join(folder, `var/log/pods/t_${pod}_${uid}`), { recursive: true })
  }
  return folder
}
