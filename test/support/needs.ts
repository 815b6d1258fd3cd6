/** What a test can't do without. Elsewhere it is skipped aloud; in CI (`CI` set) its lack is a failure. */
import { existsSync } from 'node:fs'
import { delimiter, resolve } from 'node:path'
import { lackingHere } from '../cluster/able.ts'
import { captures } from './captures.ts'
import { policyCases } from './policy-cases.ts'

export const root = resolve(import.meta.dirname, '../..')

/** `root`, `captures`, `policy-cases`, `vm` (what test/vm/boot.sh needs), `machine` (that a node of test/cluster can be made), `cluster` (all of it), or the name of a program on PATH */
export type Need =
  | 'root'
  | 'captures'
  | 'policy-cases'
  | 'vm'
  | 'machine'
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
  const lacking = wanted.map(lackOf).filter((lack) => lack !== undefined)
  if (lacking.length === 0) return true
  const message = `needs ${lacking.join(', ')}`
  if (process.env.CI) throw new Error(`${message}: in CI that is a failure, not a skip`)
  process.stderr.write(`skipped: ${message}\n`)
  return false
}

/** the programs of test/vm/boot.sh, which emulates an x64 machine */
const emulator = ['qemu-system-x86_64', '/usr/lib/qemu/virtiofsd', 'busybox', 'depmod', 'cpio', 'apt-get', 'dpkg']

/** the programs of test/cluster: those that build it, and those that make its machines; its images are of this machine's as well */
const machineTools = ['unshare', 'nsenter', 'setpriv', 'ip']
const clusterTools = [
  ...machineTools,
  'go',
  'apt-get',
  'dpkg',
  'flock',
  'openssl',
  'dash',
  'busybox',
  'ipset',
  'nft',
  'kmod',
  'xtables-legacy-multi',
]

/** What lacks, to be read after "needs". */
function lackOf(need: Need): string | undefined {
  if (need === 'root') return process.getuid?.() === 0 ? undefined : 'root'
  if (need === 'captures') return existsSync(captures) ? undefined : `the captures in ${captures} (NETCTL_CAPTURES)`
  if (need === 'policy-cases') return existsSync(policyCases) ? undefined : `the policy cases in ${policyCases}`
  if (need === 'vm') return lackOf('root') ?? (process.arch === 'x64' ? programsLacking(emulator) : 'an x64 machine')
  if (need === 'machine') return programsLacking(machineTools) ?? lackingHere()
  if (need === 'cluster') return programsLacking(clusterTools) ?? lackingHere()
  return programsLacking([need])
}

function programsLacking(names: readonly string[]): string | undefined {
  return names.filter((name) => !hasProgram(name)).join(', ') || undefined
}

function hasProgram(name: string): boolean {
  const path = `${process.env.PATH ?? ''}${delimiter}/usr/sbin${delimiter}/sbin`
  return path.split(delimiter).some((dir) => dir !== '' && existsSync(resolve(dir, name)))
}
