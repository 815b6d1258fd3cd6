/** Whether nodes can live on this machine: what can be tried is tried. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { groupsLacking } from './cgroups.ts'

/** What is lacking, to be read after "needs"; nothing if a node's namespaces, groups, links and disk can be made. Programs aside. */
export function lackingHere(): string | undefined {
  if (process.getuid?.() !== 0) return 'root'
  return groupsLacking() ?? diskLacking() ?? trialFailure()
}

/** OVERLAYFS_SUPER_MAGIC, statfs(2) */
const overlay = 0x794c7630

/** A node's disk is the upper folder of an overlay, which can't be on another one: a container's own files are. */
function diskLacking(): string | undefined {
  return statfsSync(tmpdir()).type === overlay ? `TMPDIR on a disk or a tmpfs: ${tmpdir()} is on an overlay` : undefined
}

const trial = `
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" overlay "$1/root"
mknod "$1/upper/gone" c 0 0
ip link add br0 type bridge
ip address add fd30::1/64 dev br0
ip link add one type veth peer other`

/** What node-init.sh and machine-init.sh begin with, in namespaces that go at once. */
function trialFailure(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'netctl-trial-'))
  const own = ['--net', '--mount', '--uts', '--ipc', '--pid', '--cgroup', '--fork']
  const { status, stderr, error } = spawnSync('unshare', [...own, 'sh', '-ec', trial, 'sh', folder], { encoding: 'utf8' })
  rmSync(folder, { recursive: true })
  if (status === 0) return undefined
  return `namespaces with an overlay over / in ${tmpdir()}, a bridge with an IPv6 address and a veth: ${(error?.message ?? stderr).trim()}`
}
