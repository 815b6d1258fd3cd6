/** The collector in network namespaces: what it reads must trace as the lab's own dump does, and hold no secret. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readStream } from '../../../src/snapshot/collect/stream.ts'
import { loadSnapshot } from '../../../src/snapshot/load.ts'
import type { Snapshot } from '../../../src/snapshot/types.ts'
import { openFolder } from '../../../src/system/files-folder.ts'
import { memoryFiles } from '../../../src/system/files-memory.ts'
import { traceFlow } from '../../../src/trace/trace.ts'
import { collectNode, runCollector, script } from '../../support/collected-lab.ts'
import { needs, root } from '../../support/needs.ts'
import { flowOf, forFamily, parseFlows, restoreText } from '../../support/netns-case.ts'
import { dumpHost, folderOf, objects } from '../../support/netns-dump.ts'
import { hosts, type Lab, makeLab } from '../../support/netns-lab.ts'
import { outcomeText } from '../../support/outcome-text.ts'

const rules = {
  n1: `
    nat -A PREROUTING -d $svc -p tcp -m tcp --dport 80 -j DNAT --to-destination $p2:81
    filter -A FORWARD -m set --match-set blocked src -j DROP`,
  // of the other variant
  n2: 'filter -A FORWARD -p tcp -m tcp --dport 7000 -j REJECT --reject-with {icmp-port-unreachable|icmp6-port-unreachable}',
  p2: 'filter -A INPUT -p tcp -m tcp --dport 7001 -j DROP',
}
const sets = 'ipset create blocked hash:ip family {inet|inet6}; ipset add blocked $p3'
const native = (ip: string) => `table inet own {
  chain forward {
    type filter hook forward priority filter; policy accept;
    tcp dport 7002 counter drop
  }
}
table ${ip} nat {
  chain mine {
    type nat hook prerouting priority dstnat; policy accept;
    tcp dport 7003 dnat to $p2:82
  }
}`
const flows = `
  p1 tcp $svc:80 = p2 $p2:81 < $p1
  p1 tcp $p2:80 = p2 $p2:80 < $p1
  p3 tcp $p2:80 = dropped
  p1 tcp $p2:7000 = icmp 3/3 $n2
  p1 tcp $p2:7001 = dropped
  p1 tcp $p2:7002 = dropped
  p1 tcp $p2:7003 = p2 $p2:82 < $p1
  n2 tcp $p1:80 = p1 $p1:80 < $n2`

const listening = (port: number) => `tcp LISTEN 0 0 *:${port} *:*\n`
const sockets = [80, 81, 82].map(listening).join('')

describe.runIf(needs('root', 'ip', 'iptables-restore', 'ipset', 'nft', 'dash', 'busybox'))(
  'the collector and the lab’s own dump',
  { timeout: 300_000 },
  () => {
    let lab: Lab
    beforeAll(async () => {
      lab = await makeLab()
    })
    afterAll(() => lab.remove())

    test.each([
      [[], ['t_p1', 't_p3']],
      [['t_p3', 't_p9'], ['t_p3']],
      // a name that another one begins with
      [['t_p'], []],
      [['-'], []],
    ] as const)('only the pods that are wanted: %s', async (only, found) => {
      const { files, whole } = await collectNode(lab, 'n1', ['dash'], only)
      const folders = new Set([...files.keys()].flatMap((name) => /^pods\/([^/]+)/.exec(name)?.[1] ?? []))
      expect([whole, [...folders].sort()]).toEqual([true, found])
    })

    /** nobody listens in the lab */
    const snapshotOf = (files: Readonly<Record<string, string | Buffer>>): Snapshot =>
      loadSnapshot(memoryFiles('lab', { ...files, ...Object.fromEntries(hosts.map((h) => [`${folderOf(h)}/sockets.txt`, sockets])) }))

    test.each([
      [4, ['dash']],
      [6, ['busybox', 'ash']],
    ] as const)('IPv%d, %s', async (family, shell) => {
      const tool = family === 4 ? 'iptables' : 'ip6tables'
      await lab.sh('n1', forFamily(sets, family))
      await lab.sh('n2', `nft -f - <<'END'\n${forFamily(native(family === 4 ? 'ip' : 'ip6'), family)}\nEND`)
      for (const [host, variant] of [
        ['n1', 'nft'],
        ['n2', 'legacy'],
        ['p2', 'nft'],
      ] as const)
        await lab.sh(host, `${tool}-${variant}-restore <<'END'\n${restoreText(forFamily(rules[host], family))}END`)

      const dumped: Record<string, string | Buffer> = { ...objects }
      for (const host of hosts)
        for (const [name, text] of Object.entries(await dumpHost(lab, host))) dumped[`${folderOf(host)}/${name}`] = text
      const n1 = await collectNode(lab, 'n1', shell)
      const n2 = await collectNode(lab, 'n2', shell)
      expect([n1.whole, n2.whole]).toEqual([true, true])
      expect(Buffer.concat([...n1.files.values(), ...n2.files.values()]).includes('planted')).toBe(false)
      expect([...n1.notes, ...n2.notes].filter((note) => /left out|failed|changed/.test(note))).toEqual([])
      const own = Object.fromEntries(Object.entries(dumped).filter(([name]) => !/^(nodes|pods)\//.test(name)))
      const collected = snapshotOf({ ...own, ...Object.fromEntries([...n1.files, ...n2.files]) })
      expect([...collected.hosts.keys()].sort()).toEqual(['external/ext', 'node/n1', 'node/n2', 'pod/t/p1', 'pod/t/p2', 'pod/t/p3'])

      for (const flow of parseFlows(forFamily(flows, family))) {
        const told = [snapshotOf(dumped), collected].map((snapshot) => {
          const trace = traceFlow(snapshot, flowOf(flow))
          const ways = trace.paths.map((p) => [...p.hops, ...(p.reply?.hops ?? [])].map((h) => `${h.node} ${h.where} ${h.action}`))
          return { outcomes: trace.outcomes.map((o) => outcomeText(o, flow.proto)), ways }
        })
        expect(told[1]?.outcomes, flow.text).toEqual(flow.expected)
        expect(told[1], flow.text).toEqual(told[0])
      }
      for (const host of ['n1', 'n2', 'p2'] as const) await lab.sh(host, `nft flush ruleset; ${tool}-legacy -F; ${tool}-legacy -t nat -F`)
      await lab.sh('n1', 'ipset destroy blocked')
    })

    test('netctl collect --local: a folder or an archive that loads, for its owner only', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'netctl-collect-'))
      try {
        const collect = (out: string) =>
          execa(
            'nsenter',
            [
              `--net=/run/netns/${lab.ns.n1}`,
              process.execPath,
              join(root, 'bin/dev.ts'),
              'collect',
              '--local',
              '--node',
              'n1',
              '-O',
              out,
              '-o',
              'json',
            ],
            { reject: false },
          )
        const made = await collect(join(folder, 'snapshot'))
        expect(JSON.parse(made.stdout)).toMatchObject({ kind: 'Collected', nodes: [{ node: 'n1' }] })
        const snapshot = loadSnapshot(openFolder(join(folder, 'snapshot')))
        expect(snapshot.hosts.get('node/n1')?.links?.map((l) => l.name)).toEqual(['lo', 'eth0', 'eth1', 'cali1', 'cali3'])
        expect(snapshot.header.takenAt).toBeDefined()
        for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
          expect(statSync(join(entry.parentPath, entry.name)).mode & 0o077, entry.name).toBe(0)

        expect((await collect(join(folder, 'snapshot.tar.gz'))).exitCode).toBe(made.exitCode)
        const shown = await execa(process.execPath, [
          join(root, 'bin/dev.ts'),
          'snapshot',
          'show',
          join(folder, 'snapshot.tar.gz'),
          '-o',
          'json',
        ])
        expect(JSON.parse(shown.stdout)).toMatchObject({ source: 'netctl collect --local', counts: { nodes: 1 } })
        expect(statSync(join(folder, 'snapshot.tar.gz')).mode & 0o777).toBe(0o600)

        const again = await collect(join(folder, 'snapshot'))
        expect([again.exitCode, JSON.parse(again.stdout).error.code]).toEqual([2, 'SNP002'])
        expect(readdirSync(folder).sort()).toEqual(['snapshot', 'snapshot.tar.gz'])
      } finally {
        rmSync(folder, { recursive: true })
      }
    })
  },
)

describe.runIf(process.platform === 'linux')('tools that are not as they should be', () => {
  let folder: string
  const tool = (name: string, text: string): void => {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`)
    chmodSync(join(folder, name), 0o755)
  }
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'netctl-tools-'))
    // everything that may be missing is, but for what a test puts there
    for (const name of [
      'ip',
      'bridge',
      'nft',
      'ipset',
      'conntrack',
      'ss',
      'iptables-save',
      'iptables-nft-save',
      'iptables-legacy-save',
      'ip6tables-save',
      'ip6tables-nft-save',
      'ip6tables-legacy-save',
      'nsenter',
      'ipvsadm',
      'wg',
      'bpftool',
    ])
      tool(name, 'exit 3')
  })
  afterAll(() => rmSync(folder, { recursive: true }))
  const collect = async (limit = '5', at = '', more: readonly string[] = []) => {
    const { bytes } = await runCollector([limit, 'n1', at, ...more], { env: { PATH: `${folder}:${process.env.PATH}` } })
    return { read: readStream(bytes), text: bytes.toString('latin1') }
  }

  test.each(['timeout(1)', 'none'])('one that fails, hangs or says something is told, and the others count; limits by %s', async (by) => {
    if (by === 'none') tool('timeout', 'exit 1')
    tool('ip', '[ "$*" = "-j addr" ] && echo "[]" || { echo no such option >&2; exit 255; }')
    tool('ss', 'exec sleep 60')
    const many = `[${'{"mac":"02:00:00:00:00:01"},'.repeat(5000)}{}]`
    tool('bridge', `echo '${many}'`)
    tool('iptables-nft-save', 'echo "# Table stuff skipped" >&2')
    const { read } = await collect('4')
    expect(read.whole).toBe(true)
    expect(read.files.get('nodes/n1/ip-addr.json')?.toString()).toBe('[]\n')
    // large ones are compressed there
    expect(gunzipSync(read.files.get('nodes/n1/bridge-fdb.json.gz') as Buffer).toString()).toBe(`${many}\n`)
    expect(read.notes).toEqual(
      expect.arrayContaining([
        'node/ip-route.json: ip -j route failed: exit 255: no such option',
        'node/sockets.txt: ss -Hlntu failed: out of time after 4 s',
        'node/iptables-nft-save.txt: iptables-nft-save said: # Table stuff skipped',
        "node/ip6tables-save.txt: left out, as not all of ip6tables's rules could be read",
      ]),
    )
    expect([...read.files.keys()].filter((f) => f.includes('tables'))).toEqual([])
  })

  test.each(['SIGTERM', 'SIGHUP', 'SIGINT'] as const)('%s ends it at once, and leaves no file', async (signal) => {
    tool('ss', `echo > ${folder}/reached; exec sleep 60`)
    rmSync(join(folder, 'timeout'), { force: true })
    rmSync(join(folder, 'reached'), { force: true })
    const space = mkdtempSync(join(folder, 'space-'))
    const run = execa('sh', ['-s', '--', '60'], {
      input: script,
      env: { TMPDIR: space, PATH: `${folder}:${process.env.PATH}` },
      reject: false,
    })
    await expect.poll(() => readdirSync(folder).includes('reached')).toBe(true)
    expect(readdirSync(space)).toHaveLength(1)
    const asked = Date.now()
    run.kill(signal)
    await run
    expect(Date.now() - asked).toBeLessThan(55_000) // that ss would have slept for 60 s
    expect(readdirSync(space)).toEqual([])
    tool('ss', 'exit 0')
  })

  test('no secret leaves the node', async () => {
    tool(
      'wg',
      '[ "$WG_HIDE_KEYS" = never ] || hidden=yes; printf "interface: wg0\\n  public key: abc\\n  private key: planted-key\\n\\npeer: def\\n  preshared key: planted-psk\\n  allowed ips: (none)\\n"',
    )
    tool('birdcl', 'echo "  State: up"; echo "  password \\"planted-bgp\\";"')
    mkdirSync(join(folder, 'root/var/run/calico'), { recursive: true })
    mkdirSync(join(folder, 'root/proc/7'), { recursive: true })
    writeFileSync(join(folder, 'root/proc/7/comm'), 'kubelet\n')
    writeFileSync(join(folder, 'root/proc/7/cmdline'), 'kubelet\0--token=planted-argument\0')
    writeFileSync(join(folder, 'root/proc/7/environ'), 'TOKEN=planted-environment\0')
    const bird = createServer().listen(join(folder, 'root/var/run/calico/bird.ctl'))
    const { read, text } = await collect('5', join(folder, 'root'))
    bird.close()
    expect(read.files.get('nodes/n1/bird.txt')?.toString()).toBe('  State: up\n')
    expect(read.files.get('nodes/n1/wg-show.txt')?.toString()).toContain('  private key: (hidden)\n')
    expect(read.files.get('nodes/n1/wg-show.txt')?.toString()).toContain('  preshared key: (hidden)\n')
    expect(text).not.toContain('planted')
  })

  test('connections: of the addresses that are wanted, and not of too many unasked', async () => {
    tool(
      'conntrack',
      `case "$*" in
  -L) echo 'tcp 6 9 ESTABLISHED src=10.0.0.1 dst=10.0.0.11 sport=1 dport=2 src=10.0.0.11 dst=10.0.0.1 sport=2 dport=1 [ASSURED] use=1'
    echo 'tcp 6 9 ESTABLISHED src=10.0.0.2 dst=10.0.0.11 sport=1 dport=2 src=10.0.0.11 dst=10.0.0.2 sport=2 dport=1 [ASSURED] use=1'
    echo 'conntrack v1.4.7 (conntrack-tools): 2 flow entries have been shown.' >&2 ;;
  *) echo 'udp 17 9 src=fd00::1 dst=fd00::2 sport=1 dport=2 [UNREPLIED] src=fd00::2 dst=fd00::1 sport=2 dport=1 use=1' ;;
esac`,
    )
    const of = async (...addresses: readonly string[]) => {
      const { read } = await collect(
        '5',
        '',
        addresses.map((a) => `connections/${a}`),
      )
      return [
        read.files
          .get('nodes/n1/conntrack.txt')
          ?.toString()
          .split('\n')
          .map((l) => /src=(\S+)/.exec(l)?.[1]),
        read.notes.filter((n) => /conntrack/.test(n)),
      ]
    }
    expect(await of()).toEqual([['10.0.0.1', '10.0.0.2', 'fd00::1', undefined], []])
    expect(await of('10.0.0.1', 'fd00::2')).toEqual([['10.0.0.1', 'fd00::1', undefined], []])
    // nothing is an answer too
    expect(await of('10.0.0.3')).toEqual([[undefined], []])
    tool('conntrack', 'echo no netlink >&2; exit 7')
    expect(await of('10.0.0.1')).toEqual([undefined, ['node/conntrack.txt: its command failed: exit 7: no netlink']])
    const few = script.replace('MOST=400000', 'MOST=-1')
    expect(few).not.toBe(script)
    const { stdout } = await execa('sh', ['-s', '--', '5', 'n1'], { input: few, env: { PATH: `${folder}:${process.env.PATH}` } })
    expect(stdout).toMatch(/^note node\/conntrack.txt: left out, as there are \d+ connections, more than -1$/m)
  })

  test('pods without a folder of logs: named by the runtime, else by their uid alone', async () => {
    const process = (pid: string, network: string, uid: string): void => {
      const at = join(folder, 'unnamed/proc', pid)
      mkdirSync(join(at, 'ns'), { recursive: true })
      symlinkSync(network, join(at, 'ns/net'))
      writeFileSync(join(at, 'cgroup'), `0::/kubepods.slice/kubepods-pod${uid}.slice/cri-containerd-ab.scope\n`)
    }
    process('20', 'net:[20]', '0f0c0d00_1111_2222_3333_444444444444')
    process('21', 'net:[21]', '0f0c0d01_1111_2222_3333_444444444444')
    tool('nsenter', 'case $1 in --mount=*) exit 1 ;; esac; shift; exec "$@"')
    tool('ip', '[ "$*" = "-j addr" ] && echo "[]" || { echo no such option >&2; exit 255; }')
    for (const variant of ['iptables-nft', 'iptables-legacy', 'ip6tables-nft', 'ip6tables-legacy']) tool(`${variant}-save`, 'exit 0')
    tool('nft', 'exit 0')
    tool(
      'crictl',
      `case "$*" in *0f0c0d00-*) echo '{"items": [{"metadata": {"name": "web-1"}, "labels": {'
echo '"io.kubernetes.pod.name": "web-1",'; echo '"io.kubernetes.pod.namespace": "shop",'; echo '"secret": "planted" }}]}' ;; esac`,
    )
    const { read, text } = await collect('5', join(folder, 'unnamed'))
    expect([...new Set([...read.files.keys()].map((f) => f.slice(0, f.lastIndexOf('/'))))]).toEqual([
      'nodes/n1',
      'pods/shop_web-1',
      'pods/-_0f0c0d01-1111-2222-3333-444444444444',
    ])
    expect(text).not.toContain('planted')
  })

  test('BIRD in calico-node’s container, a daemon for each family', async () => {
    const at = join(folder, 'inside/proc/30')
    mkdirSync(join(at, 'ns'), { recursive: true })
    writeFileSync(join(at, 'comm'), 'bird6\n')
    symlinkSync('mnt:[30]', join(at, 'ns/mnt'))
    rmSync(join(folder, 'birdcl'), { force: true })
    tool(
      'nsenter',
      `case "$*" in *'-S /var/run/calico/bird'*) exit 0 ;; "--mount=${at}/ns/mnt birdcl -s "*) echo "of $4"; echo 'password planted' ;; *) exit 1 ;; esac`,
    )
    const { read, text } = await collect('5', join(folder, 'inside'))
    expect(read.files.get('nodes/n1/bird.txt')?.toString()).toBe('of /var/run/calico/bird.ctl\nof /var/run/calico/bird6.ctl\n')
    expect(text).not.toContain('planted')
  })

  test('a node is called as its own kubelet was told, not as that of a node which runs within it', async () => {
    const own = readlinkSync('/proc/self/ns/net')
    const kubelet = (pid: string, network: string): void => {
      const process = join(folder, 'kubelets/proc', pid)
      mkdirSync(join(process, 'ns'), { recursive: true })
      writeFileSync(join(process, 'comm'), 'kubelet\n')
      writeFileSync(join(process, 'cmdline'), `kubelet\0--hostname-override=of-${pid}\0`)
      symlinkSync(network, join(process, 'ns/net'))
    }
    const named = async () => {
      const { bytes } = await runCollector(['5', '', join(folder, 'kubelets')], { env: { PATH: `${folder}:${process.env.PATH}` } })
      return readStream(bytes).node
    }
    kubelet('7', 'net:[1]')
    expect(await named()).toBe(hostname().toLowerCase())
    kubelet('8', own)
    expect(await named()).toBe('of-8')
  })

  test('what changes while it is read is read again, and told if it goes on', async () => {
    tool(
      'ip',
      `case "$*" in "-j route show table all") echo x >> ${folder}/count; echo "[{\\"dst\\":\\"$(wc -l < ${folder}/count)\\"}]" ;; *) echo "[]" ;; esac`,
    )
    const { read } = await collect()
    expect(read.notes).toContain('node: changed while it was read, twice: ip-route.json ')
    tool(
      'ip',
      `case "$*" in "-j route show table all") echo x >> ${folder}/once; [ $(wc -l < ${folder}/once) = 1 ] && echo "[1]" || echo "[2]" ;; *) echo "[]" ;; esac`,
    )
    const { read: second } = await collect()
    expect(second.notes.filter((n) => n.includes('changed'))).toEqual([])
    expect(second.files.get('nodes/n1/ip-route.json')?.toString()).toBe('[2]\n')
  })
})
