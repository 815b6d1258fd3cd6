/** The collector where tools of the node are missing, fail, hang, or say what must not leave it: tools of our own stand in. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readStream } from '../../../src/snapshot/collect/stream.ts'
import { runCollector, script } from '../../support/collected-lab.ts'

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
