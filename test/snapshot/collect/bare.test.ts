/** The collector in containers that carry less than a node: what kube-proxy's and calico-node's images have, held against the whole one. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { execa, execaSync } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type NodeStream, readStream } from '../../../src/snapshot/collect/stream.ts'
import { type Files, programFiles } from '../../cluster/image.ts'
import { images } from '../../cluster/images.ts'
import { script } from '../../support/collected-lab.ts'
import { needs } from '../../support/needs.ts'

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

/** A root folder with these files and nothing else but what every container has. */
function rootOf(files: Files): string {
  const root = mkdtempSync(join(tmpdir(), 'netctl-bare-'))
  folders.push(root)
  for (const folder of ['dev', 'proc', 'tmp']) mkdirSync(join(root, folder))
  execaSync('mknod', ['-m', '666', join(root, 'dev/null'), 'c', '1', '3'])
  for (const [path, content] of files) {
    mkdirSync(join(root, dirname(path)), { recursive: true })
    if (Buffer.isBuffer(content)) writeFileSync(join(root, path), content, { mode: 0o755 })
    else symlinkSync(content.to, join(root, path))
  }
  return root
}

/** Every kind of table, in the network namespace of the shell that runs it. */
const TABLES = `set -e
echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad; echo 0 > /proc/sys/net/ipv6/conf/all/accept_dad
echo 0 > /proc/sys/net/ipv6/conf/default/router_solicitations
ip link set lo up; ip link add d0 type veth peer name d1; ip link set d1 up; ip link set d0 up; ip addr add 192.0.2.1/24 dev d0; ip addr add 2001:db8::1/64 dev d0
ip link add vx type vxlan id 4096 dstport 4789 local 192.0.2.1 nolearning; ip link set vx up; bridge fdb append 66:11:22:33:44:55 dev vx dst 192.0.2.2
iptables-nft -A INPUT -p tcp --dport 80 -m comment --comment 'a "quoted" [1:2] one' -j ACCEPT; iptables-nft -P FORWARD DROP
ip6tables-nft -t nat -A POSTROUTING -o d0 -j MASQUERADE
ipset create s hash:ip; ipset add s 192.0.2.9
nft -f - <<.
table inet own { counter c { };
 chain in { type filter hook input priority 0; policy accept; counter name c; tcp dport 81 counter drop; }; }
.
`
async function collect(root: string | undefined): Promise<NodeStream> {
  const enter = root === undefined ? 'exec sh -s -- 20 n1' : `mount -t proc proc ${root}/proc && exec chroot ${root} sh -s -- 20 n1`
  const ran = await execa(
    'unshare',
    ['--net', '--mount', '--pid', '--fork', '--mount-proc', 'sh', '-c', `{ ${TABLES}} < /dev/null; ${enter}`],
    {
      input: script,
      encoding: 'buffer',
      stripFinalNewline: false,
      reject: false,
    },
  )
  expect([Buffer.from(ran.stderr).toString(), ran.exitCode]).toEqual(['', 0])
  return readStream(Buffer.from(ran.stdout))
}
/** Without what differs from namespace to namespace and from moment to moment. */
const text = (stream: NodeStream, file: string): string | undefined =>
  stream.files
    .get(`nodes/n1/${file}`)
    ?.toString()
    .replace(/^#.*\n/gm, '')
    .replace(/initval 0x[0-9a-f]+/g, '')

/** As `coreutils --coreutils-prog=cut` is `cut` (its manual, "Using coreutils"). */
const ONE = `#!/bin/sh
case $1 in --coreutils-prog=*) program=/one/\${1#*=}; shift; exec "$program" "$@" ;; esac
exit 1
`

describe.runIf(needs('root', 'unshare', 'ip', 'nft', 'ipset', 'iptables-save'))('a container that carries less than a node', () => {
  let whole: NodeStream
  beforeAll(async () => {
    whole = await collect(undefined)
  })

  test('kube-proxy’s image: the packet filter and the settings, as the node itself has them; the rest is said', async () => {
    const image = images.find(({ name }) => name.includes('/tools:'))
    const read = await collect(rootOf(image?.files('') ?? new Map()))
    expect([read.whole, read.node]).toEqual([true, 'n1'])
    for (const file of ['iptables-save.txt', 'ip6tables-save.txt', 'ipset-save.txt', 'nft.txt', 'sysctl.txt'])
      expect(text(read, file), file).toBe(text(whole, file))
    expect(text(read, 'iptables-save.txt')).toContain(':FORWARD DROP [0:0]')
    expect(text(read, 'nft.txt')).toContain('tcp dport 81')
    expect(read.notes.filter((note) => !note.includes('conntrack'))).toEqual([
      ...['ip-addr', 'ip-route', 'ip6-route', 'ip-rule', 'ip6-rule', 'ip-link', 'ip-neigh'].map(
        (file) => `node/${file}.json: there is no ip`,
      ),
      'node/bridge-fdb.json: there is no bridge',
      'node/sockets.txt: there is no ss',
    ])
  })

  test('calico-node’s image: coreutils is one program there, without the names of most of it; no bridge, no ss', async () => {
    const named = ['sed', 'ls', 'rm', 'mkdir', 'sleep', 'timeout', 'readlink', 'gzip', 'ip']
    const inOne = ['cut', 'tr', 'cksum', 'mv', 'wc', 'uname', 'id', 'mktemp', 'head']
    const where = (name: string): string => execaSync('sh', ['-c', `command -v ${name}`]).stdout
    const tools = images.find(({ name }) => name.includes('/tools:'))?.files('') ?? new Map()
    const root = rootOf(new Map([...tools, ...programFiles([...named, ...inOne].map(where)), ['usr/bin/coreutils', Buffer.from(ONE)]]))
    mkdirSync(join(root, 'one'))
    for (const name of inOne) execaSync('mv', [join(root, where(name)), join(root, 'one', name)])
    const read = await collect(root)
    expect(read.whole).toBe(true)
    expect(read.notes.filter((note) => !note.includes('conntrack'))).toEqual([
      'node/sockets.txt: there is no ss',
      'node/bridge-fdb.json: there is no bridge; by ip, ports and VNIs of single entries can not be seen',
    ])
    const same = ['iptables-save.txt', 'ip6tables-save.txt', 'ipset-save.txt', 'nft.txt', 'sysctl.txt', 'ip-rule.json', 'ip6-rule.json']
    for (const file of same) expect(text(read, file), file).toBe(text(whole, file))
    expect(JSON.parse(text(read, 'ip-fdb.json') ?? '')).toContainEqual({
      dst: '192.0.2.2',
      dev: 'vx',
      lladdr: '66:11:22:33:44:55',
      state: ['NOARP', 'PERMANENT'],
    })
  })
})
