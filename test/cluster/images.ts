/** The images that nodes have. What is in them comes from Go programs of ours and from this machine. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Files, programFiles } from './image.ts'

export interface Image {
  readonly name: string
  /** of this machine, that go in */
  readonly programs: readonly string[]
  readonly entrypoint: readonly string[]
  /** @param pods folder of the pods' programs */
  files(pods: string): Files
}

const iptables = ['iptables', 'iptables-save', 'iptables-restore']
const families = [...iptables, ...iptables.map((name) => name.replace('ip', 'ip6'))]

export const images: readonly Image[] = [
  ownProgram('pause'),
  ownProgram('echo'),
  machineImage(
    // what kube-proxy's image has beside kube-proxy: no tar, no gzip, no ip, no id
    'tools',
    [
      '/bin/dash',
      '/bin/cat',
      '/bin/grep',
      '/usr/bin/wc',
      '/usr/sbin/ipset',
      '/usr/sbin/nft',
      '/bin/kmod',
      '/usr/sbin/xtables-nft-multi',
      '/usr/sbin/xtables-legacy-multi',
    ],
    () => [
      ['bin/sh', 'dash'],
      ...['modprobe', 'lsmod'].map((name) => [`sbin/${name}`, '../bin/kmod'] as const),
      ...families.flatMap((name) => [
        [`usr/sbin/${name}`, 'xtables-nft-multi'] as const,
        [`usr/sbin/${name.replace('tables', 'tables-nft')}`, 'xtables-nft-multi'] as const,
        [`usr/sbin/${name.replace('tables', 'tables-legacy')}`, 'xtables-legacy-multi'] as const,
      ]),
    ],
    iptablesExtensions,
  ),
  machineImage('node-tools', ['/bin/busybox'], () =>
    execFileSync('/bin/busybox', ['--list'], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .filter((name) => name !== 'busybox')
      .map((name) => [`bin/${name}`, 'busybox']),
  ),
]

function ownProgram(name: string): Image {
  return {
    name: `netctl.test/${name}:1`,
    programs: [],
    entrypoint: [`/${name}`],
    files: (pods) => new Map([[name, readFileSync(join(pods, name))]]),
  }
}

function machineImage(
  name: string,
  programs: readonly string[],
  links: () => readonly (readonly [path: string, to: string])[],
  more: () => readonly string[] = () => [],
): Image {
  return {
    name: `netctl.test/${name}:1`,
    programs,
    entrypoint: ['/bin/sh'],
    files: () => new Map([...programFiles(programs, more()), ...links().map(([path, to]) => [path, { to }] as const)]),
  }
}

/** The matches and targets, which iptables loads from a folder of its library's choosing. */
function iptablesExtensions(): readonly string[] {
  // a machine that is used for other architectures as well has a folder of each
  const folder = readdirSync('/usr/lib')
    .map((lib) => `/usr/lib/${lib}/xtables`)
    .find(existsSync)
  if (folder === undefined) throw new Error("iptables' matches and targets are not where Debian's package has them, in /usr/lib/*/xtables")
  return readdirSync(folder)
    .filter((name) => name.endsWith('.so'))
    .map((name) => `${folder}/${name}`)
}
