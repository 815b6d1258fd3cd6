/** What a test can't do without. Elsewhere it is skipped aloud; in CI (`CI` set) its lack is a failure. */
import { existsSync } from 'node:fs'
import { delimiter, resolve } from 'node:path'
import { captures } from './captures.ts'
import { policyCases } from './policy-cases.ts'

export const root = resolve(import.meta.dirname, '../..')

/** `root`, `captures`, `policy-cases`, `vm` (what test/vm/boot.sh needs), `cluster` (what test/cluster needs), or the name of a program on PATH */
export type Need =
  | 'root'
  | 'captures'
  | 'policy-cases'
  | 'vm'
  | 'cluster'
  | 'bash'
  | 'busybox'
  | 'dash'
  | 'zsh'
  | 'fish'
  | 'python3'
  | 'iptables-save'
  | 'iptables-restore'
  | 'ipset'
  | 'ip'
  | 'conntrack'
  | 'nft'
  | 'perl'
  | 'unshare'

/**
 * True if everything is there: `describe.runIf(needs('root', 'iptables-restore'))('…', () => …)`.
 * If not, says what is lacking, and throws in CI.
 */
export function needs(...wanted: readonly Need[]): boolean {
  const lacking = wanted.filter((need) => !has(need))
  if (lacking.length === 0) return true
  const message = `needs ${lacking.map(describeNeed).join(', ')}`
  if (process.env.CI) throw new Error(`${message}: in CI that is a failure, not a skip`)
  process.stderr.write(`skipped: ${message}\n`)
  return false
}

/** the programs of test/vm/boot.sh, which emulates an x64 machine */
const emulator = ['qemu-system-x86_64', '/usr/lib/qemu/virtiofsd', 'busybox', 'depmod', 'cpio', 'apt-get', 'dpkg']

/** where kubelets' control groups are made; version 2 has other files (test/cluster/cgroups.ts) */
const controlGroups = '/sys/fs/cgroup/memory/cgroup.procs'

/** the programs of test/cluster: those that build it, and those that make its machines; its images are of this machine's as well */
const clusterTools = [
  'go',
  'apt-get',
  'dpkg',
  'flock',
  'openssl',
  'unshare',
  'nsenter',
  'setpriv',
  'ip',
  'dash',
  'busybox',
  'ipset',
  'nft',
  'kmod',
]

function has(need: Need): boolean {
  if (need === 'root') return process.getuid?.() === 0
  if (need === 'captures') return existsSync(captures)
  if (need === 'policy-cases') return existsSync(policyCases)
  if (need === 'vm') return process.arch === 'x64' && has('root') && emulator.every(hasProgram)
  if (need === 'cluster') return has('root') && existsSync(controlGroups) && [...clusterTools, 'xtables-legacy-multi'].every(hasProgram)
  return hasProgram(need)
}

function hasProgram(name: string): boolean {
  const path = `${process.env.PATH ?? ''}${delimiter}/usr/sbin${delimiter}/sbin`
  return path.split(delimiter).some((dir) => dir !== '' && existsSync(resolve(dir, name)))
}

function describeNeed(need: Need): string {
  if (need === 'captures') return `the captures in ${captures} (NETCTL_CAPTURES)`
  if (need === 'policy-cases') return `the policy cases in ${policyCases}`
  if (need === 'cluster') return `root, control groups of version 1 (${controlGroups}) and ${clusterTools.join(', ')}, iptables`
  return need === 'vm' ? `root on x64 and ${emulator.join(', ')}` : need
}
