import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { needs } from '../support/needs.ts'
import { lackingHere } from './able.ts'

const isThere = needs('machine')

/** What lacks after these commands, in a mount namespace of their own. */
function after(commands: string): string {
  const script = `import { lackingHere } from '${join(import.meta.dirname, 'able.ts')}'; console.log(lackingHere())`
  const shell = `${commands}\nexec "$@"`
  const words = ['--mount', 'sh', '-ec', shell, 'sh', process.execPath, '--input-type=module', '-e', script]
  return execFileSync('unshare', words, { encoding: 'utf8' })
}

test.runIf(isThere)('a machine that has what nodes need lacks nothing', () => {
  expect(lackingHere()).toBeUndefined()
})

test.runIf(isThere)('what a container without privileges has is not enough, and is named', () => {
  const readOnly = `awk '$3 ~ /^cgroup/ { print $2 }' /proc/mounts | while read -r place; do mount -o remount,bind,ro "$place"; done`
  expect(after(readOnly)).toBe('control groups that can be made: /sys/fs/cgroup is read-only, as in a container that is not privileged\n')
  expect(after('umount -R /sys/fs/cgroup')).toMatch(/^control groups with cpu, .*memory.* in \/sys\/fs\/cgroup\n$/)
  const container = `mount -t tmpfs tmpfs /mnt; cd /mnt; mkdir lower upper work root
    mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay root; export TMPDIR=/mnt/root`
  expect(after(container)).toBe('TMPDIR on a disk or a tmpfs: /mnt/root is on an overlay\n')
  const bounded = `exec setpriv --bounding-set -net_admin -- "$@"`
  expect(after(bounded)).toMatch(
    /^namespaces with an overlay over \/ in .*, a bridge with an IPv6 address and a veth: .*Operation not permitted\n$/,
  )
})
