/** A recorded node to run scripts on: a root folder with busybox, its own /proc, and tools that print what the node's tools printed. */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { execaSync } from 'execa'
import type { Run } from './exec.ts'

export interface RecordedNode {
  readonly root: string
  /** A command of a container with the host's root and all its privileges (root; chroot). */
  run(argv: readonly string[]): Run
  remove(): void
}

export interface Recorded {
  /** its folder of dumps, `nodes/n1` of a snapshot */
  readonly dumps: string
  /** folders of its pods' dumps, `pods/shop_web-1` */
  readonly pods?: readonly string[]
  /** the network tools that it has; all that were recorded, if not said */
  readonly tools?: readonly string[]
  /** seconds that each of them takes */
  readonly slow?: number
}

/** tool → its arguments as a pattern of sh → the dump (docs/snapshot.md) that it prints */
const TOOLS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ip: {
    '-j addr': 'ip-addr.json',
    '-j route *': 'ip-route.json',
    '-6 -j route *': 'ip6-route.json',
    '-j rule': 'ip-rule.json',
    '-6 -j rule': 'ip6-rule.json',
    '-j nexthop': 'ip-nexthop.json',
    '-d -j link': 'ip-link.json',
    '-j neigh': 'ip-neigh.json',
  },
  bridge: { '-j fdb *': 'bridge-fdb.json' },
  'iptables-nft-save': { '-c': 'iptables-save.txt' },
  'ip6tables-nft-save': { '-c': 'ip6tables-save.txt' },
  'iptables-legacy-save': { '-c': 'iptables-legacy-save.txt' },
  'ip6tables-legacy-save': { '-c': 'ip6tables-legacy-save.txt' },
  ipset: { save: 'ipset-save.txt' },
  conntrack: { '-L': 'conntrack.txt', '-L -f ipv6': 'none' },
  ss: { '*': 'sockets.txt' },
  wg: { show: 'wg-show.txt' },
  nft: {},
}
/** that print nothing where nothing was recorded, as on a node that has none */
const MAY_BE_EMPTY = /^ip|^none/

/** Needs root, and busybox that is linked statically. */
export function recordedNode({ dumps, pods = [], tools = recordedTools(dumps), slow = 0 }: Recorded): RecordedNode {
  const root = mkdtempSync(join(tmpdir(), 'netctl-node-'))
  const put = (path: string, text: string | Buffer): void => {
    mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  for (const folder of ['bin', 'dev', 'tmp', 'proc/self/ns', 'proc/net', 'var/log/pods']) mkdirSync(join(root, folder), { recursive: true })
  execaSync('mknod', [join(root, 'dev/null'), 'c', '1', '3'])
  const busybox = execaSync('sh', ['-c', 'command -v busybox']).stdout
  cpSync(busybox, join(root, 'bin/busybox'))
  // busybox has an `ip` of its own
  const applets = execaSync(busybox, ['--list']).stdout.split('\n')
  for (const applet of applets)
    if (!(applet in TOOLS) && applet !== 'busybox' && applet !== 'nsenter') symlinkSync('busybox', join(root, 'bin', applet))

  copyDumps(dumps, join(root, 'dumps'))
  for (const [key, value] of settings(dumps)) put(`proc/sys/${key}`, `${value}\n`)
  if (existsSync(join(dumps, 'conntrack.txt'))) put('proc/sys/net/netfilter/nf_conntrack_count', '1\n')
  symlinkSync('net:[4026531840]', join(root, 'proc/self/ns/net'))
  put('proc/1/comm', 'systemd\n')
  for (const [i, folder] of pods.entries()) {
    const uid = `0f0c0d0e-1111-2222-3333-${String(i).padStart(12, '0')}`
    copyDumps(folder, join(root, `pod-dumps/${1000 + i}`))
    mkdirSync(join(root, `proc/${1000 + i}/ns`), { recursive: true })
    symlinkSync(`net:[${4026532000 + i}]`, join(root, `proc/${1000 + i}/ns/net`))
    put(`proc/${1000 + i}/comm`, 'app\n')
    put(`proc/${1000 + i}/cgroup`, `0::/kubepods/besteffort/pod${uid}/cd\n`)
    mkdirSync(join(root, 'var/log/pods', `${basename(folder)}_${uid}`))
  }
  for (const tool of tools) {
    put(`bin/${tool}`, toolText(tool, slow))
    chmodSync(join(root, 'bin', tool), 0o755)
  }
  put('bin/nsenter', NSENTER)
  chmodSync(join(root, 'bin/nsenter'), 0o755)
  return {
    root,
    run: (argv) => ({ kind: 'run', argv: ['chroot', root, ...argv], env: { PATH: '/bin:/usr/sbin:/usr/bin:/sbin', DUMPS: '/dumps' } }),
    remove: () => rmSync(root, { recursive: true, force: true }),
  }
}

const recordedTools = (dumps: string): readonly string[] =>
  Object.entries(TOOLS).flatMap(([tool, answers]) => {
    const files = Object.values(answers).flatMap((file) => [join(dumps, file), join(dumps, `${file}.gz`)])
    return tool === 'nft' || MAY_BE_EMPTY.test(tool) || files.some((file) => existsSync(file)) ? [tool] : []
  })

function copyDumps(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  for (const file of readdirSync(from)) cpSync(join(from, file), join(to, file))
  for (const file of readdirSync(to)) if (file.endsWith('.gz')) execaSync('gunzip', [join(to, file)])
}

/** Keys of sysctl.txt as paths below /proc/sys: dots of devices' names stand as slashes there. */
function settings(dumps: string): readonly (readonly [key: string, value: string])[] {
  const file = join(dumps, 'sysctl.txt')
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, key, value] = /^(\S+) = ?(.*)$/.exec(line) ?? []
      const path = key?.replace(/[./]/g, (c) => (c === '.' ? '/' : '.'))
      return path === undefined ? [] : [[path, value ?? ''] as const]
    })
}

function toolText(tool: string, slow: number): string {
  const cases = Object.entries(TOOLS[tool] ?? {}).map(([args, file]) => {
    const pattern = args.endsWith('*') ? `"${args.slice(0, -1)}"*` : `"${args}"`
    const none = file.endsWith('.json') ? "echo '[]'" : MAY_BE_EMPTY.test(file) ? ':' : `{ echo "${tool}: not recorded" >&2; exit 1; }`
    return `  ${pattern}) if [ -e $DUMPS/${file} ]; then cat $DUMPS/${file}; else ${none}; fi ;;`
  })
  const lines = [
    '#!/bin/sh',
    ...(slow > 0 ? [`sleep ${slow}`] : []),
    'case $* in',
    ...cases,
    ...(tool === 'nft' ? NFT : []),
    `  *) echo "${tool}: nothing recorded for $*" >&2; exit 1 ;;`,
    'esac',
  ]
  return `${lines.join('\n')}\n`
}

/** Lists the tables of the recorded ruleset, and prints one of them. */
const NFT = [
  '  "list tables") sed -n "s/^\\(table [a-z0-9]* [^ ]*\\).*/\\1/p" $DUMPS/nft.txt 2> /dev/null; exit 0 ;;',
  '  "list table "*) sed -n "/^table $3 $4 {/,/^}/p" $DUMPS/nft.txt ;;',
]

/** Into a pod's network namespace: from there on its dumps are printed. Into the host's namespaces: we are there. */
const NSENTER = `#!/bin/sh
while [ $# -gt 0 ]; do
  case $1 in
    --net=*/proc/*/ns/net) pid=\${1#--net=*/proc/}; pid=\${pid%/ns/net}; [ -d /pod-dumps/$pid ] && DUMPS=/pod-dumps/$pid ;;
    -t | --target) shift ;;
    --) shift; break ;;
    -*) ;;
    *) break ;;
  esac
  shift
done
export DUMPS
exec "$@"
`
