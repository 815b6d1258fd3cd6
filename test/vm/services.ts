/** Random IPVS: virtual servers on addresses of a dummy device and of the node's own, and the rules that kube-proxy keeps beside them. */
import { closedPort, type Draft, type Family, type Net, tcpPorts, udpPorts } from '../fuzz/topology.ts'
import type { Random } from '../kernel/random.ts'

export interface Target {
  readonly proto: 'tcp' | 'udp'
  readonly dst: string
  readonly port: number
}

export interface Services {
  /** for `ipvsadm -R` */
  readonly ipvsadm: readonly string[]
  /** where clients may send to */
  readonly targets: readonly Target[]
  /** shares of the servers depend on what went before */
  readonly nominal: boolean
}

const dummy = 'kube-ipvs0'
const schedulers = ['rr', 'rr', 'wrr', 'lc', 'wlc', 'sh', 'sh', 'mh', 'dh', 'sed', 'nq'] as const
const steady = new Set(['rr', 'wrr'])

export const socketOf = (family: Family, address: string, port: number | string): string =>
  family === 4 ? `${address}:${port}` : `[${address}]:${port}`

/** Puts virtual servers on a node. */
export function addServices(r: Random, net: Net, node: Draft): Services {
  const { family } = net
  node.ip.push(`link add ${dummy} type dummy`, `link set ${dummy} arp off`)
  node.devices.push(dummy)
  for (const address of net.services) {
    if (r.chance(0.12)) continue
    node.ip.push(`addr add ${address}/${family === 4 ? 32 : 128} dev ${dummy}`)
    if (r.chance(0.15)) node.addresses.push(address)
  }
  if (r.chance(0.05)) node.ip.push(`link set ${dummy} up`)
  node.sysctl.push(...settings(r))
  const targets: Target[] = []
  const ipvsadm: string[] = []
  let nominal = false
  for (const dst of [...net.services, ...node.addresses.filter(() => r.chance(0.4))]) {
    for (const proto of r.pick([['tcp'], ['tcp'], ['udp'], ['tcp', 'udp']] as const)) {
      const port = r.pick(proto === 'tcp' ? [80, 81, 443, 7000] : [53, 80, 7001])
      if (targets.some((t) => t.proto === proto && t.dst === dst && t.port === port)) continue
      targets.push({ proto, dst, port })
      const key = `-${proto[0]} ${socketOf(family, dst, port)}`
      const scheduler = r.pick(schedulers)
      ipvsadm.push(`-A ${key} -s ${scheduler}${options(r, family, scheduler, proto)}`)
      if (!steady.has(scheduler)) nominal = true
      const ports = proto === 'tcp' ? tcpPorts : udpPorts
      for (const { address, how } of servers(r, net, node)) {
        const server = `${key} -r ${socketOf(family, address, how === '-m' ? serverPort(r, ports) : port)} ${how}`
        const last = weight(r)
        // drained as by kube-proxy: mh remembers the weight that a server had
        if (last === 0) ipvsadm.push(`-a ${server} -w 1`, `-e ${server} -w 0`)
        else ipvsadm.push(`-a ${server} -w ${last}`)
      }
    }
  }
  if (r.chance(0.25)) {
    ipvsadm.push(`-A -f 3${family === 6 ? ' -6' : ''} -s rr`)
    for (const { address } of servers(r, net, node))
      ipvsadm.push(`-a -f 3${family === 6 ? ' -6' : ''} -r ${socketOf(family, address, r.pick([0, 0, 80, 7000]))} -m -w ${weight(r)}`)
  }
  if (ipvsadm.some((line) => / -[gi] -w /.test(line))) addDirectServers(r, net)
  return { ipvsadm, targets, nominal: nominal || ipvsadm.some((line) => line.includes(' -p ') || line.endsWith(' -w 0')) }
}

/** Servers that answer for themselves: they unpack, and some have a service's address. */
function addDirectServers(r: Random, net: Net): void {
  const once = (host: Draft, line: string) => host.ip.includes(line) || host.ip.push(line)
  for (const host of net.spaces.filter((s) => s.kind !== 'wire')) {
    if (net.family === 4 && r.chance(0.85)) once(host, 'link set tunl0 up')
    if (host.kind !== 'node' && r.chance(0.5)) once(host, `addr add ${r.pick(net.services)}/${net.family === 4 ? 32 : '128 nodad'} dev lo`)
  }
}

const weight = (r: Random) => r.pick([1, 1, 1, 2, 3, 0])
const serverPort = (r: Random, ports: readonly number[]) => (r.chance(0.06) ? closedPort : r.pick(ports))

function options(r: Random, family: Family, scheduler: string, proto: string): string {
  const flags = scheduler === 'sh' || scheduler === 'mh' ? r.pick(['', '', ` -b ${scheduler}-port`, ` -b ${scheduler}-fallback`]) : ''
  const sticky = r.chance(0.12) ? ` -p 300${r.chance(0.3) ? ` -M ${family === 4 ? '255.255.255.0' : '64'}` : ''}` : ''
  const once = proto === 'udp' && sticky === '' && r.chance(0.1) ? ' -o' : ''
  return sticky + once + flags
}

/** Pods mostly, then nodes, this one and the other, and hosts that are no servers at all; by NAT mostly. */
function servers(r: Random, net: Net, node: Draft): readonly { readonly address: string; readonly how: string }[] {
  const hosts = net.spaces.filter((s) => s.kind !== 'wire' && s.addresses.length > 0)
  const pods = hosts.filter((s) => s.kind === 'pod')
  const out = new Map<string, { readonly address: string; readonly how: string }>()
  for (let i = r.pick([0, 1, 1, 2, 2, 3]); i > 0; i--) {
    const dice = r.below(100)
    const real = net.services
    const own = (s: Draft) => r.pick(s.addresses.filter((a) => !real.includes(a)))
    const address =
      dice < 70 && pods.length > 0 ? own(r.pick(pods)) : dice < 80 ? own(node) : dice < 95 ? own(r.pick(hosts)) : r.pick(net.nobody)
    if (address === undefined) continue
    const how = r.chance(0.86) ? '-m' : r.chance(0.5) || net.family === 6 ? '-g' : '-i --tun-type ipip'
    out.set(address, { address, how })
  }
  return [...out.values()]
}

function settings(r: Random): string[] {
  const of = (name: string, p: number, value: number) => (r.chance(p) ? [`net.ipv4.vs.${name}=${value}`] : [])
  return [
    ...of('conntrack', 0.8, 1),
    ...of('snat_reroute', 0.1, 0),
    ...of('expire_nodest_conn', 0.5, 1),
    ...of('expire_quiescent_template', 0.3, 1),
    ...of('sloppy_tcp', 0.1, 1),
    ...of('conn_reuse_mode', 0.1, 0),
    ...of('nat_icmp_send', 0.1, 1),
    ...of('schedule_icmp', 0.1, 1),
  ]
}

/** What kube-proxy keeps in ipsets and iptables for these services, by the names it uses. */
export function kubeRules(r: Random, net: Net, node: Draft, services: Services): { readonly sets: string[]; readonly tables: string[] } {
  const { family } = net
  const inet = family === 4 ? 'inet' : 'inet6'
  const [any, podNet] = [
    family === 4 ? '127.0.0.0/8' : '::1/128',
    net.prefixes.find((p) => p.startsWith(family === 4 ? '10.244.0.0' : 'fd44::/')),
  ]
  const vips = services.targets.filter((t) => net.services.includes(t.dst))
  const nodePorts = services.targets.filter((t) => !net.services.includes(t.dst))
  const pods = net.spaces.filter((s) => s.kind === 'pod' && s.node === node.name)
  const [cluster, balancer] = [vips.filter((_, i) => i % 3 !== 2), vips.filter((_, i) => i % 3 === 2)]
  const ranged = balancer.filter(() => r.chance(0.6))
  const member = (t: Target) => `${t.dst},${t.proto}:${t.port}`
  const sources = [...net.prefixes, ...net.spaces.flatMap((s) => s.addresses.map((a) => `${a}/${family === 4 ? 32 : 128}`))]
  const set = (name: string, type: string, members: readonly string[]) => [
    `create ${name} ${type}`,
    ...[...new Set(members)].map((m) => `add ${name} ${m} -exist`),
  ]
  const sets = [
    ...set('KUBE-CLUSTER-IP', `hash:ip,port family ${inet}`, cluster.map(member)),
    ...set('KUBE-LOAD-BALANCER', `hash:ip,port family ${inet}`, balancer.map(member)),
    ...set('KUBE-LOAD-BALANCER-LOCAL', `hash:ip,port family ${inet}`, balancer.filter(() => r.chance(0.3)).map(member)),
    ...set('KUBE-LOAD-BALANCER-FW', `hash:ip,port family ${inet}`, ranged.map(member)),
    ...set(
      'KUBE-LOAD-BALANCER-SOURCE-CIDR',
      `hash:ip,port,net family ${inet}`,
      ranged.map((t) => `${member(t)},${r.pick(sources)}`),
    ),
    ...set(
      'KUBE-IPVS-IPS',
      `hash:ip family ${inet}`,
      net.services.filter(() => r.chance(0.9)),
    ),
    ...set(
      'KUBE-NODE-PORT-TCP',
      'bitmap:port range 0-65535',
      nodePorts.filter((t) => t.proto === 'tcp').map((t) => String(t.port)),
    ),
    ...set(
      'KUBE-NODE-PORT-UDP',
      'bitmap:port range 0-65535',
      nodePorts.filter((t) => t.proto === 'udp').map((t) => String(t.port)),
    ),
    ...set(
      'KUBE-LOOP-BACK',
      `hash:ip,port,ip family ${inet}`,
      pods.flatMap((p) => p.addresses.flatMap((a) => [80, 7000].map((port) => `${a},tcp:${port},${a}`))),
    ),
  ]
  const local = r.chance(0.8) ? `! -s ${podNet}` : '! -i cali+'
  const tables = `*nat
    :PREROUTING ACCEPT [0:0]
    :INPUT ACCEPT [0:0]
    :OUTPUT ACCEPT [0:0]
    :POSTROUTING ACCEPT [0:0]
    :KUBE-LOAD-BALANCER - [0:0]
    :KUBE-MARK-MASQ - [0:0]
    :KUBE-NODE-PORT - [0:0]
    :KUBE-POSTROUTING - [0:0]
    :KUBE-SERVICES - [0:0]
    -A PREROUTING -j KUBE-SERVICES
    -A OUTPUT -j KUBE-SERVICES
    -A POSTROUTING -j KUBE-POSTROUTING
    -A KUBE-LOAD-BALANCER -m set --match-set KUBE-LOAD-BALANCER-LOCAL dst,dst -j RETURN
    -A KUBE-LOAD-BALANCER -j KUBE-MARK-MASQ
    -A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
    -A KUBE-NODE-PORT -p tcp -m set --match-set KUBE-NODE-PORT-TCP dst -j KUBE-MARK-MASQ
    -A KUBE-NODE-PORT -p udp -m set --match-set KUBE-NODE-PORT-UDP dst -j KUBE-MARK-MASQ
    -A KUBE-POSTROUTING -m set --match-set KUBE-LOOP-BACK dst,dst,src -j MASQUERADE
    -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
    -A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
    -A KUBE-POSTROUTING -j MASQUERADE --random-fully
    -A KUBE-SERVICES -s ${any} -j RETURN
    -A KUBE-SERVICES -m set --match-set KUBE-LOAD-BALANCER dst,dst -j KUBE-LOAD-BALANCER
    -A KUBE-SERVICES ${local} -m set --match-set KUBE-CLUSTER-IP dst,dst -j KUBE-MARK-MASQ
    -A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODE-PORT
    -A KUBE-SERVICES -m set --match-set KUBE-CLUSTER-IP dst,dst -j ACCEPT
    -A KUBE-SERVICES -m set --match-set KUBE-LOAD-BALANCER dst,dst -j ACCEPT
    COMMIT
    *filter
    :INPUT ACCEPT [0:0]
    :FORWARD ACCEPT [0:0]
    :OUTPUT ACCEPT [0:0]
    :KUBE-FORWARD - [0:0]
    :KUBE-IPVS-FILTER - [0:0]
    :KUBE-IPVS-OUT-FILTER - [0:0]
    :KUBE-PROXY-FIREWALL - [0:0]
    :KUBE-SOURCE-RANGES-FIREWALL - [0:0]
    -A INPUT -j KUBE-IPVS-FILTER
    -A INPUT -j KUBE-PROXY-FIREWALL
    -A FORWARD -j KUBE-PROXY-FIREWALL
    -A FORWARD -j KUBE-FORWARD
    -A OUTPUT -j KUBE-IPVS-OUT-FILTER
    -A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT
    -A KUBE-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
    -A KUBE-IPVS-FILTER -m set --match-set KUBE-LOAD-BALANCER dst,dst -j RETURN
    -A KUBE-IPVS-FILTER -m set --match-set KUBE-CLUSTER-IP dst,dst -j RETURN
    -A KUBE-IPVS-FILTER -m conntrack --ctstate NEW -m set --match-set KUBE-IPVS-IPS dst -j REJECT
    ${ranged.map((t) => `-A KUBE-IPVS-OUT-FILTER -s ${t.dst} -m ipvs --vproto ${t.proto === 'tcp' ? 6 : 17} --vaddr ${t.dst} --vport ${t.port} -j DROP`).join('\n')}
    -A KUBE-PROXY-FIREWALL -m set --match-set KUBE-LOAD-BALANCER-FW dst,dst -j KUBE-SOURCE-RANGES-FIREWALL
    -A KUBE-SOURCE-RANGES-FIREWALL -m set --match-set KUBE-LOAD-BALANCER-SOURCE-CIDR dst,dst,src -j RETURN
    -A KUBE-SOURCE-RANGES-FIREWALL -j DROP
    COMMIT`
  return { sets, tables: lines(tables) }
}

/** Rules with `-m ipvs`, and marks for the firewall-mark service. */
export function ipvsRules(r: Random, net: Net, services: Services): readonly string[] {
  const { family } = net
  const rule = () => {
    const t = r.pick(services.targets)
    const not = r.chance(0.15) ? '! ' : ''
    const match = r.pick([
      // neighbour discovery is not IPVS's: it passes, as everywhere
      not === '' ? '--ipvs' : `-p ${t.proto} -m ipvs ! --ipvs`,
      `${not}--vaddr ${t.dst}/${family === 4 ? 32 : 128}`,
      `--vproto ${t.proto === 'tcp' ? 6 : 17} ${not}--vport ${t.port}`,
      `--vaddr ${t.dst} --vport ${t.port}`,
      `--vdir ${r.pick(['ORIGINAL', 'REPLY'])}`,
      `${not}--vmethod ${r.pick(['MASQ', 'GATE', 'IPIP'])}`,
    ])
    return `${match.startsWith('-p ') ? '' : '-m ipvs '}${match} -j`
  }
  const drops = ['INPUT', 'FORWARD', 'OUTPUT']
    .filter(() => r.chance(0.25))
    .map((chain) => `-A ${chain} ${rule()} ${r.pick(['DROP', 'DROP', 'ACCEPT'])}`)
  const marks = ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING']
    .filter(() => r.chance(0.2))
    .map((chain) => `-A ${chain} ${rule()} MARK --set-xmark ${r.pick(['0x1/0x1', '0x4000/0x4000'])}`)
  const firewallMark = services.ipvsadm.some((line) => line.startsWith('-A -f'))
    ? ['PREROUTING', 'OUTPUT'].map(
        (chain) =>
          `-A ${chain} -d ${r.pick(net.services)} -p tcp -m tcp --dport ${r.pick([7001, 7002])} -j MARK --set-xmark 0x3/0xffffffff`,
      )
    : []
  // xt_ipvs does not ask for connection tracking, without which no direction matches; something else does where it is used
  if ([...drops, ...marks].some((line) => line.includes('--vdir'))) drops.push('-A INPUT -m conntrack --ctstate SNAT')
  return [
    ...(drops.length > 0 ? ['*filter', ...drops, 'COMMIT'] : []),
    ...(marks.length + firewallMark.length > 0 ? ['*mangle', ...firewallMark, ...marks, 'COMMIT'] : []),
  ]
}

export const lines = (text: string): string[] =>
  text
    .split('\n')
    .map((l) => l.trim())
    .filter((l) => l !== '')
