/** A large cluster, made up: its objects, and what the collector (bin/node) prints on each of its nodes. Routed without tunnels; Services by kube-proxy's iptables. */
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import type { Json } from '../../src/cluster/items.ts'

export interface FleetSize {
  readonly nodes: number
  readonly services: number
  readonly podsPerNode: number
}

export interface Fleet {
  readonly nodes: readonly string[]
  readonly objects: Iterable<Json>
  /** The collector's stream of a node; the large dump, which is the same everywhere, is one Buffer. */
  stream(node: string): readonly Buffer[]
}

const ENDPOINTS = 3
const PORT = 8080

export function makeFleet({ nodes, services, podsPerNode }: FleetSize): Fleet {
  const names = Array.from({ length: nodes }, (_, i) => `node-${String(i + 1).padStart(3, '0')}`)
  const range = (node: number) => `10.${64 + (node >> 8)}.${node & 255}`
  const nodeIp = (node: number) => `172.16.${(node + 10) >> 8}.${(node + 10) & 255}`
  const pods = names.flatMap((name, node) =>
    Array.from({ length: podsPerNode }, (_, i) => ({ name: `app-${node}-${i}`, node, nodeName: name, ip: `${range(node)}.${i + 2}` })),
  )
  const serviceIp = (i: number) => `10.96.${(i + 10) >> 8}.${(i + 10) & 255}`
  const serviceName = (i: number) => `service-${String(i).padStart(5, '0')}`
  // of different nodes
  const endpointsOf = (service: number) =>
    Array.from({ length: ENDPOINTS }, (_, k) => pods[(service * 7 + k * (podsPerNode * 3 + 1)) % pods.length]).flatMap((pod) => pod ?? [])

  function* objects(): Generator<Json> {
    yield { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels: { 'kubernetes.io/metadata.name': 'shop' } } }
    yield { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-system' } }
    for (const [i, name] of names.entries()) {
      yield {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name, labels: { 'kubernetes.io/hostname': name } },
        spec: { podCIDR: `${range(i)}.0/24`, podCIDRs: [`${range(i)}.0/24`] },
        status: {
          addresses: [{ type: 'InternalIP', address: nodeIp(i) }],
          conditions: [{ type: 'Ready', status: 'True' }],
          // the kubelet tells as many
          images: Array.from({ length: 50 }, (_, n) => ({
            names: [`registry.example/app-${n}@sha256:${hash(`${n}`, 'hex', 64)}`],
            sizeBytes: 1e8,
          })),
        },
      }
      yield podObject({
        namespace: 'kube-system',
        name: `kube-proxy-${i}`,
        nodeName: name,
        ip: nodeIp(i),
        app: 'kube-proxy',
        hostNetwork: true,
      })
    }
    for (const pod of pods) yield podObject({ namespace: 'shop', ...pod, app: pod.name, hostNetwork: false })
    for (let i = 0; i < services; i++) {
      const metadata = { namespace: 'shop', name: serviceName(i) }
      yield {
        apiVersion: 'v1',
        kind: 'Service',
        metadata,
        spec: {
          type: 'ClusterIP',
          clusterIP: serviceIp(i),
          clusterIPs: [serviceIp(i)],
          ipFamilies: ['IPv4'],
          ipFamilyPolicy: 'SingleStack',
          internalTrafficPolicy: 'Cluster',
          sessionAffinity: 'None',
          selector: { app: serviceName(i) },
          ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: PORT }],
        },
        status: { loadBalancer: {} },
      }
      yield {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { ...metadata, name: `${metadata.name}-x7k2p`, labels: { 'kubernetes.io/service-name': metadata.name } },
        addressType: 'IPv4',
        ports: [{ name: 'http', port: PORT, protocol: 'TCP' }],
        endpoints: endpointsOf(i).map(({ name, nodeName, ip }) => ({
          addresses: [ip],
          conditions: { ready: true, serving: true, terminating: false },
          nodeName,
          targetRef: { kind: 'Pod', namespace: 'shop', name },
        })),
      }
    }
  }

  let rules: Buffer | undefined
  return {
    nodes: names,
    objects: { [Symbol.iterator]: objects },
    stream(name) {
      const node = names.indexOf(name)
      const own = pods.filter((pod) => pod.node === node)
      const cali = (ip: string) => `cali${hash(ip, 'hex', 11)}`
      const link = (i: number, ifname: string) => ({
        ifindex: i,
        ifname,
        flags: ['BROADCAST', 'UP', 'LOWER_UP'],
        mtu: 1500,
        operstate: 'UP',
        link_type: 'ether',
      })
      const local = (dst: string, dev: string) => ({
        type: 'local',
        dst,
        dev,
        table: 'local',
        protocol: 'kernel',
        scope: 'host',
        prefsrc: dst,
        flags: [],
      })
      rules ??= gzipSync(rulesText())
      return [
        Buffer.from(`netctl-collect 1\nnode ${name}\n`),
        ...file('node/iptables-save.txt.gz', rules),
        ...file('node/ip6tables-save.txt', ''),
        ...file(
          'node/ip-addr.json',
          JSON.stringify([
            {
              ...link(1, 'lo'),
              flags: ['LOOPBACK', 'UP', 'LOWER_UP'],
              addr_info: [{ family: 'inet', local: '127.0.0.1', prefixlen: 8, scope: 'host' }],
            },
            { ...link(2, 'eth0'), addr_info: [{ family: 'inet', local: nodeIp(node), prefixlen: 16, scope: 'global' }] },
            ...own.map(({ ip }, i) => ({ ...link(i + 3, cali(ip)), addr_info: [] })),
          ]),
        ),
        ...file(
          'node/ip-route.json',
          JSON.stringify([
            { dst: 'default', gateway: '172.16.0.1', dev: 'eth0', flags: [] },
            { dst: '172.16.0.0/16', dev: 'eth0', protocol: 'kernel', scope: 'link', prefsrc: nodeIp(node), flags: [] },
            ...names.flatMap((_, i) =>
              i === node ? [] : [{ dst: `${range(i)}.0/24`, gateway: nodeIp(i), dev: 'eth0', protocol: 'bird', flags: [] }],
            ),
            ...own.map(({ ip }) => ({ dst: ip, dev: cali(ip), scope: 'link', flags: [] })),
            local('127.0.0.1', 'lo'),
            local(nodeIp(node), 'eth0'),
          ]),
        ),
        ...file('node/ip6-route.json', '[]'),
        ...file(
          'node/ip-rule.json',
          JSON.stringify(['local', 'main', 'default'].map((table, i) => ({ priority: [0, 32766, 32767][i], src: 'all', table }))),
        ),
        ...file('node/ip6-rule.json', '[]'),
        ...file('node/ipset-save.txt', ''),
        ...file('node/nft.txt', ''),
        ...file(
          'node/ip-link.json',
          JSON.stringify([
            { ...link(1, 'lo'), link_type: 'loopback', flags: ['LOOPBACK', 'UP', 'LOWER_UP'] },
            link(2, 'eth0'),
            ...own.map(({ ip }, i) => ({ ...link(i + 3, cali(ip)), linkinfo: { info_kind: 'veth' } })),
          ]),
        ),
        ...file('node/ip-neigh.json', '[]'),
        ...file(
          'node/sysctl.txt',
          ['net.ipv4.ip_forward = 1', ...['all', 'eth0', ...own.map(({ ip }) => cali(ip))].flatMap(settings), ''].join('\n'),
        ),
        Buffer.from('end\n'),
      ]
    },
  }

  /** As kube-proxy writes them (pkg/proxy/iptables): a chain a Service, a chain an endpoint. */
  function rulesText(): string {
    const chains: string[] = []
    const portals: string[] = []
    const body: string[] = []
    for (let i = 0; i < services; i++) {
      const title = `shop/${serviceName(i)}:http`
      const service = `KUBE-SVC-${hash(`${title}tcp`)}`
      chains.push(`:${service} - [0:0]`)
      const to = `-A KUBE-SERVICES -d ${serviceIp(i)}/32 -p tcp -m comment --comment "${title} cluster IP" -m tcp --dport 80 -j ${service}`
      portals.push(`[0:0] ${to}`)
      body.push(
        `[0:0] -A ${service} ! -s 10.64.0.0/10 -d ${serviceIp(i)}/32 -p tcp -m comment --comment "${title} cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ`,
      )
      for (const [k, { ip }] of endpointsOf(i).entries()) {
        const endpoint = `KUBE-SEP-${hash(`${title}tcp${ip}:${PORT}`)}`
        const chance = k === ENDPOINTS - 1 ? '' : ` -m statistic --mode random --probability ${(1 / (ENDPOINTS - k)).toFixed(11)}`
        chains.push(`:${endpoint} - [0:0]`)
        body.push(
          `[0:0] -A ${service} -m comment --comment "${title} -> ${ip}:${PORT}"${chance} -j ${endpoint}`,
          `[0:0] -A ${endpoint} -s ${ip}/32 -m comment --comment "${title}" -j KUBE-MARK-MASQ`,
          `[0:0] -A ${endpoint} -p tcp -m comment --comment "${title}" -m tcp -j DNAT --to-destination ${ip}:${PORT}`,
        )
      }
    }
    return [
      '*nat',
      ...['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'].map((chain) => `:${chain} ACCEPT [0:0]`),
      ...['KUBE-MARK-MASQ', 'KUBE-POSTROUTING', 'KUBE-SERVICES'].map((chain) => `:${chain} - [0:0]`),
      ...chains,
      '[0:0] -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
      '[0:0] -A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
      '[0:0] -A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING',
      '[0:0] -A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000',
      '[0:0] -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN',
      '[0:0] -A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0',
      '[0:0] -A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully',
      ...portals,
      ...body,
      'COMMIT',
      '',
    ].join('\n')
  }
}

const settings = (device: string) => [`net.ipv4.conf.${device}.forwarding = 1`, `net.ipv4.conf.${device}.rp_filter = 0`]

const file = (name: string, content: string | Buffer): readonly Buffer[] => {
  const bytes = Buffer.from(content)
  return [Buffer.from(`file ${name} ${bytes.length}\n`), bytes, Buffer.from('\n')]
}

/** 16 letters as in names of chains, or hex digits. */
function hash(text: string, as: 'chain' | 'hex' = 'chain', length = 16): string {
  const digest = createHash('sha256').update(text).digest()
  if (as === 'hex') return digest.toString('hex').slice(0, length)
  return [...digest]
    .slice(0, length)
    .map((byte) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[byte & 31])
    .join('')
}

/** With what the server keeps of a pod and netctl leaves out: some 4 kB, as pods are. */
function podObject(about: {
  readonly namespace: string
  readonly name: string
  readonly nodeName: string
  readonly ip: string
  readonly app: string
  readonly hostNetwork: boolean
}): Json {
  const { namespace, name, nodeName, ip, app, hostNetwork } = about
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace,
      name,
      labels: { app, 'k8s-app': app, 'pod-template-hash': hash(name, 'hex', 10) },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `${app}-1`, uid: hash(name, 'hex', 32), controller: true }],
      managedFields: Array.from({ length: 3 }, () => ({ manager: 'kubelet', operation: 'Update', fieldsV1: { 'f:status': FIELDS } })),
    },
    spec: {
      nodeName,
      hostNetwork,
      serviceAccountName: 'default',
      restartPolicy: 'Always',
      containers: [
        {
          name: app,
          image: 'registry.example/app:1',
          ports: [{ name: 'http', containerPort: PORT, protocol: 'TCP' }],
          env: Array.from({ length: 10 }, (_, i) => ({ name: `SETTING_${i}`, value: 'x'.repeat(40) })),
          volumeMounts: [{ name: 'token', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true }],
        },
      ],
      tolerations: [{ operator: 'Exists' }],
    },
    status: {
      phase: 'Running',
      podIP: ip,
      podIPs: [{ ip }],
      hostIP: ip,
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }],
      containerStatuses: [
        { name: app, ready: true, started: true, restartCount: 0, state: { running: { startedAt: '2026-01-01T00:00:00Z' } } },
      ],
    },
  }
}

const FIELDS = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`f:field-${i}`, { 'f:value': {} }]))
