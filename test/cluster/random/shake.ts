/** What changes in a cluster while connections are open: services and endpoints that go or come to mean others, pods that end, kube-proxies that don't follow. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../../kernel/random.ts'
import type { Cluster } from '../cluster.ts'
import { namespace } from '../shop.ts'
import { type DrawnPod, groups } from './pods.ts'
import type { ProxySettings } from './proxy-settings.ts'
import { programmed, settled } from './round.ts'
import type { DrawnServices } from './services.ts'

/** Resolves when those kube-proxies that run have followed; what was done, in words. */
export async function shake(
  cluster: Cluster,
  r: Random,
  drawn: DrawnServices,
  guests: readonly DrawnPod[],
  settings: ReadonlyMap<string, ProxySettings>,
  families: number,
): Promise<readonly string[]> {
  const dead = cluster.nodes.filter(() => r.chance(0.15))
  await Promise.all(dead.map((node) => cluster.exec(node, ['sh', '-c', 'kill -9 "$(cat /run/kube-proxy.pid)"'])))
  const changes = [...drawn.objects.flatMap((object) => drawChange(r, object as unknown as Listed)), ...guestChange(r, guests)]
  for (const change of changes) await cluster.kubectl(['-n', namespace, ...change])
  if (guests.length > 0) await sleep(500)
  await settled(cluster)
  await programmed(cluster, new Map([...settings].filter(([node]) => !dead.includes(node))), families, 'second')
  return [...dead.map((node) => `${node}: kube-proxy was killed before`), ...changes.map((change) => change.join(' '))]
}

interface Listed {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly spec?: { readonly selector?: object; readonly type: string; readonly externalIPs?: readonly string[] }
}

function drawChange(r: Random, { kind, metadata: { name }, spec }: Listed): readonly (readonly string[])[] {
  if (kind === 'EndpointSlice') return r.chance(0.4) ? [['delete', 'endpointslice', name]] : []
  if (!r.chance(0.45)) return []
  const patch = (changed: object) => [['patch', 'service', name, '--type=merge', '-p', JSON.stringify({ spec: changed })]]
  const others = () =>
    spec?.selector ? patch({ selector: { ...Object.fromEntries(groups.map((group) => [group, null])), [r.pick(groups)]: 'yes' } }) : []
  const outside = spec?.type !== 'ClusterIP' || spec.externalIPs !== undefined
  return r.pick<() => readonly (readonly string[])[]>([
    () => [['delete', 'service', name]],
    others,
    others,
    () => patch({ internalTrafficPolicy: r.pick(['Local', 'Cluster']) }),
    () => (outside ? patch({ externalTrafficPolicy: r.pick(['Local', 'Cluster']) }) : []),
    () => patch({ sessionAffinity: r.pick(['None', 'ClientIP']) }),
  ])()
}

/** Of the pods that a state has for itself most end. */
function guestChange(r: Random, guests: readonly DrawnPod[]): readonly (readonly string[])[] {
  return guests.flatMap(({ name }) => (r.chance(0.7) ? [['delete', 'pod', name, '--wait=true']] : []))
}
