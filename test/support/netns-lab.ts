/**
 * Two nodes, three pods and an outside client as network namespaces, joined by veth pairs. Names begin with `netctl-<pid>-`; the
 * host's own namespace is never touched. Device numbers and MAC addresses are fixed, so that what a case does not change is the
 * same in every lab and need not be dumped again.
 *
 *   p1, p3 ── cali1, cali3 ─ n1 ─ eth0 ── br0 (wire) ── eth0 ─ n2 ─ cali2 ── p2
 *                             └── eth1 ── br1 (wire) ── eth1 ─┘          ext is on both bridges as well
 */
import { spawn } from 'node:child_process'

export const hosts = ['n1', 'n2', 'ext', 'p1', 'p2', 'p3'] as const
export type HostName = (typeof hosts)[number]

export const pods = { p1: 'n1', p3: 'n1', p2: 'n2' } as const

/** What cases call addresses, for each family. */
export const addresses: Readonly<Record<string, readonly [v4: string, v6: string]>> = {
  p1: ['10.244.1.2', 'fd44:1::2'],
  p3: ['10.244.1.3', 'fd44:1::3'],
  p2: ['10.244.2.2', 'fd44:2::2'],
  // only in the emulated machine's lab
  p4: ['10.244.2.4', 'fd44:2::4'],
  n1: ['172.18.0.11', 'fd18::11'],
  n2: ['172.18.0.12', 'fd18::12'],
  ext: ['172.18.0.100', 'fd18::100'],
  n1b: ['172.19.0.11', 'fd19::11'],
  n2b: ['172.19.0.12', 'fd19::12'],
  extb: ['172.19.0.100', 'fd19::100'],
  far: ['203.0.113.10', '2001:db8::10'],
  svc: ['10.96.0.1', 'fd96::1'],
  svc2: ['10.96.0.2', 'fd96::2'],
  pods1: ['10.244.1.0/24', 'fd44:1::/64'],
  pods2: ['10.244.2.0/24', 'fd44:2::/64'],
  pods: ['10.244.0.0/16', 'fd44::/16'],
  svcs: ['10.96.0.0/16', 'fd96::/16'],
  lan: ['172.18.0.0/24', 'fd18::/64'],
  lanb: ['172.19.0.0/24', 'fd19::/64'],
  gw1: ['10.244.1.1', 'fd44:1::1'],
  pods1free: ['10.244.1.99', 'fd44:1::99'],
  vtep1: ['10.244.1.0', 'fd44:1::'],
  vtep2: ['10.244.2.0', 'fd44:2::'],
}

/** An address, or a block, of that name. */
export const addressOf = (name: string, family: 4 | 6): string => of(name, family === 4 ? 0 : 1)

/** ports that every host answers on */
export const tcpPorts = [80, 81, 7000, 7001, 7002, 7003]
export const udpPorts = [53, 54, 7000, 7001, 7002, 7003]

export interface Lab {
  readonly ns: Readonly<Record<HostName, string>>
  readonly all: readonly string[]
  sh(host: HostName, script: string): Promise<string>
  remove(): Promise<void>
}

let count = 0

export async function makeLab(): Promise<Lab> {
  const base = `netctl-${process.pid}-${Date.now().toString(36)}${count++}-`
  const name = (h: string) => base + h
  const all = ['wire', ...hosts].map(name)
  const remove = async () => {
    await sh(all.map((n) => `ip netns del ${n} 2>/dev/null`).join('; ') + '; true')
  }
  try {
    await sh(buildScript(name))
  } catch (error) {
    await remove()
    throw error
  }
  return {
    ns: Object.fromEntries(hosts.map((h) => [h, name(h)])) as Record<HostName, string>,
    all,
    sh: (host, script) => sh(script, name(host)),
    remove,
  }
}

/** Runs a shell script, in a namespace if one is named; its stdout. `nsenter`, since `ip netns exec` mounts a /sys of its own each time. */
export function sh(script: string, ns?: string): Promise<string> {
  const [command, args] = ns === undefined ? ['sh', ['-e']] : ['nsenter', [`--net=/run/netns/${ns}`, 'sh', '-e']]
  return new Promise((resolve, reject) => {
    const child = spawn(command as string, args as string[])
    let out = ''
    let err = ''
    child.stdout.on('data', (d: Buffer) => {
      out += d.toString()
    })
    child.stderr.on('data', (d: Buffer) => {
      err += d.toString()
    })
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve(out) : reject(new Error(`exit ${code}: ${err}\n${script.slice(0, 400)}`))))
    child.stdin.end(script)
  })
}

/**
 * accept_dad: addresses are usable at once. addr_gen_mode: the kernel makes link-local addresses a while after a device is up, too late for a
 * dump on a busy machine, so they are given by hand. Limits on ICMP errors are off, or the second refusal would be silence.
 */
const settings = [
  'net.ipv6.conf.all.accept_dad=0',
  'net.ipv6.conf.default.accept_dad=0',
  'net.ipv6.conf.default.addr_gen_mode=1',
  'net.ipv6.conf.default.router_solicitations=0',
  'net.ipv4.conf.all.rp_filter=0',
  'net.ipv4.conf.default.rp_filter=0',
  'net.ipv4.icmp_ratelimit=0',
  'net.ipv4.icmp_ratemask=0',
  'net.ipv6.icmp.ratelimit=0',
  'net.ipv6.icmp.ratemask=2',
  'net.ipv4.conf.all.send_redirects=0',
  'net.ipv4.conf.default.send_redirects=0',
].join(' ')
const nodeSettings = 'net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv6.conf.default.forwarding=1'

function buildScript(name: (h: string) => string): string {
  const batch = (ns: string, lines: readonly string[]) => `ip -n ${name(ns)} -batch - <<'END'\n${lines.join('\n')}\nEND`
  const veth = (a: string, dev: string, index: number, b: string, peer: string, peerIndex: number) =>
    `link add name ${dev} index ${index} netns ${name(a)} address ${mac(a, index)} type veth peer name ${peer} index ${peerIndex} netns ${name(b)} address ${mac(b, peerIndex)}`
  const exec = (ns: string, command: string) => `nsenter --net=/run/netns/${name(ns)} ${command}`
  return [
    `ip -batch - <<'END'\n${['wire', ...hosts].map((h) => `netns add ${name(h)}`).join('\n')}\nEND`,
    ...hosts.map((h) => exec(h, `sysctl -qw ${settings}${h === 'n1' || h === 'n2' ? ` ${nodeSettings}` : ''}`)),
    exec('wire', 'sysctl -qw net.ipv6.conf.default.disable_ipv6=1'),
    batch('wire', [
      'link add br0 type bridge mcast_snooping 0',
      'link add br1 type bridge mcast_snooping 0',
      'link set br0 up',
      'link set br1 up',
      ...(['n1', 'n2', 'ext'] as const).flatMap((h, i) => [
        veth(h, 'eth0', 10, 'wire', `${h}a`, 20 + i),
        veth(h, 'eth1', 11, 'wire', `${h}b`, 30 + i),
        `link set ${h}a master br0 up`,
        `link set ${h}b master br1 up`,
      ]),
      veth('p1', 'eth0', 10, 'n1', 'cali1', 21),
      veth('p3', 'eth0', 10, 'n1', 'cali3', 23),
      veth('p2', 'eth0', 10, 'n2', 'cali2', 22),
    ]),
    ...hosts.map((h) => batch(h, ['link set lo up', ...(h in pods ? podLines(h) : underlayLines(h))])),
    ...(Object.entries(pods) as [HostName, HostName][])
      .map(([, node]) => node)
      .filter((n, i, l) => l.indexOf(n) === i)
      .map((n) =>
        exec(
          n,
          `sysctl -qw ${Object.entries(pods)
            .filter(([, at]) => at === n)
            .map(([p]) => `net.ipv4.conf.cali${p.slice(1)}.proxy_arp=1 net.ipv4.neigh.cali${p.slice(1)}.proxy_delay=0`)
            .join(' ')}`,
        ),
      ),
  ].join('\n')
}

const mac = (host: string, index: number): string => `02:00:00:00:0${['wire', ...hosts].indexOf(host)}:${String(index).padStart(2, '0')}`
/** of the device's MAC address (RFC 4291, appendix A) */
const linkLocal = (host: string, index: number): string =>
  `fe80::ff:fe00:${['wire', ...hosts].indexOf(host)}${String(index).padStart(2, '0')}`
const of = (n: string, v: 0 | 1): string => (addresses[n] as readonly [string, string])[v]

/** as the Calico CNI plugin makes them: a /32, and a gateway that only proxy ARP answers for */
const podLines = (h: HostName): string[] => [
  'link set eth0 up',
  `addr add ${linkLocal(h, 10)}/64 dev eth0 nodad`,
  `addr add ${of(h, 0)}/32 dev eth0`,
  `addr add ${of(h, 1)}/128 dev eth0 nodad`,
  'route add 169.254.1.1 dev eth0 scope link',
  'route add default via 169.254.1.1 dev eth0',
  'route add default via fe80::1 dev eth0',
]

function underlayLines(h: HostName): string[] {
  const lines = [10, 11].flatMap((n, i) => [`link set eth${i} up`, `addr add ${linkLocal(h, n)}/64 dev eth${i} nodad`])
  for (const [dev, at] of [
    ['eth0', h],
    ['eth1', `${h}b`],
  ] as const) {
    lines.push(`addr add ${of(at, 0)}/24 dev ${dev}`, `addr add ${of(at, 1)}/64 dev ${dev} nodad`)
  }
  for (const [pod, node] of Object.entries(pods)) {
    const dev = `cali${pod.slice(1)}`
    if (node === h) {
      lines.push(
        `link set ${dev} up`,
        `addr add fe80::1/64 dev ${dev} nodad`,
        `route add ${of(pod, 0)} dev ${dev} scope link`,
        `route add ${of(pod, 1)} dev ${dev}`,
      )
    }
  }
  for (const v of [0, 1] as const) {
    const r = 'route'
    if (h !== 'n1') lines.push(`${r} add ${of('pods1', v)} via ${of('n1', v)}`)
    if (h !== 'n2') lines.push(`${r} add ${of('pods2', v)} via ${of('n2', v)}`)
    if (h === 'ext') lines.push(`${r} add ${of('svcs', v)} via ${of('n1', v)}`, `addr add ${of('far', v)}/${v === 0 ? 32 : 128} dev lo`)
    else lines.push(`${r} add default via ${of('ext', v)}`)
  }
  return lines
}
