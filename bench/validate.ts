/**
 * Objects read as strictly as the API reads them: 10,000 pods and 2,000 policies of every kind, parsed already; then `policy lint` of them.
 * CPU time of a first run, as a command has it.
 */
import { readManifest } from '../src/cluster/manifest/read.ts'
import { buildWorld, type Loaded } from '../src/policy/build.ts'
import { lint } from '../src/policy/lint/lint.ts'
import { readResource } from '../src/policy/resources/read.ts'
import { report } from './measure.ts'

const PODS = 10_000
const NAMESPACES = 400

const meta = (name: string, namespace?: string) => ({ name, ...(namespace && { namespace }) })
const ns = (i: number) => `ns${i % NAMESPACES}`
const app = (i: number) => `app${i % 97}`

const pods = Array.from({ length: PODS }, (_, i) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    ...meta(`p${i}`, ns(i)),
    labels: { app: app(i), tier: i % 3 === 0 ? 'fe' : 'be', 'app.kubernetes.io/name': app(i), env: 'prod' },
  },
  spec: { nodeName: 'n1', containers: [{ name: 'c', ports: [{ name: 'http', containerPort: 8080 }] }] },
  status: { phase: 'Running', podIPs: [{ ip: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}` }] },
}))

const networkPolicies = Array.from({ length: 1000 }, (_, i) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: meta(`np${i}`, ns(i)),
  spec: {
    podSelector: { matchLabels: { app: app(i) } },
    policyTypes: ['Ingress', 'Egress'],
    ingress: [1, 2, 3].map((k) => ({
      from: [{ podSelector: { matchLabels: { app: app(i + k) } } }, { ipBlock: { cidr: `10.${k}.0.0/16`, except: [`10.${k}.1.0/24`] } }],
      ports: [{ port: 80 }, { port: 'http' }, { port: 1000, endPort: 2000 }],
    })),
    egress: [{ to: [{ namespaceSelector: { matchLabels: { team: 'a' } } }], ports: [{ protocol: 'UDP', port: 53 }] }],
  },
}))

const calicoPolicies = Array.from({ length: 700 }, (_, i) => ({
  apiVersion: 'projectcalico.org/v3',
  kind: 'NetworkPolicy',
  metadata: meta(`cp${i}`, ns(i)),
  spec: {
    order: i,
    selector: `app == '${app(i)}' && tier in {'fe', 'be'}`,
    ingress: [1, 2, 3].map((k) => ({
      action: 'Allow',
      protocol: 'TCP',
      source: { selector: `app == '${app(i + k)}'`, namespaceSelector: 'all()' },
      destination: { ports: [80, '1000:2000', 'http'] },
    })),
    egress: [{ action: 'Deny', destination: { nets: [`10.${i % 250}.0.0/16`] } }],
  },
}))

const clusterPolicies = Array.from({ length: 300 }, (_, i) => ({
  apiVersion: 'policy.networking.k8s.io/v1alpha2',
  kind: 'ClusterNetworkPolicy',
  metadata: meta(`cnp${i}`),
  spec: {
    tier: 'Admin',
    priority: i,
    subject: { namespaces: { matchLabels: { team: `t${i}` } } },
    ingress: [1, 2, 3].map((k) => ({
      action: 'Accept',
      from: [{ pods: { namespaceSelector: { matchLabels: { team: `t${k}` } }, podSelector: {} } }],
      protocols: [{ tcp: { destinationPort: { number: 80 } } }, { udp: { destinationPort: { range: { start: 1, end: 5 } } } }],
    })),
  },
}))

const items = [...pods, ...networkPolicies, ...calicoPolicies, ...clusterPolicies]
const { objects } = readManifest(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }), 'bench.json', { namespace: 'default' })

const loaded: Loaded[] = []
const reading = cpu(() => {
  for (const object of objects) {
    const read = readResource(object)
    if (read.kind !== 'resource') throw new Error(JSON.stringify(read))
    loaded.push({ object, resource: read.resource })
  }
})
report(
  `${PODS} pods and 2,000 policies read strictly`,
  `${(reading * 1000).toFixed(0)} ms`,
  `${((reading * 1e6) / objects.length).toFixed(0)} µs an object`,
)

const world = buildWorld(loaded)
let found = 0
const linting = cpu(() => {
  found = lint({ loaded, world }).length
})
report('all checks of policy lint on them', `${(linting * 1000).toFixed(0)} ms`, `${found} findings`)

/** CPU seconds of one run. */
function cpu(run: () => void): number {
  const before = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}
