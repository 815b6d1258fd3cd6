/** kube-proxy sent the packet to an address that is no endpoint of the Service any more: its rules are older than the EndpointSlices. */
import type { Cluster } from '../../cluster/types.ts'
import { ruleView } from '../attribution/rule-view.ts'
import { wasRead } from './addresses.ts'
import type { Explain } from './case.ts'
import { type Translation, translation } from './translation.ts'
import { serverName } from './words.ts'

export const staleEndpoint: Explain = (c) => {
  // a reply came from there, so somebody lives there; rules of others and sysctls stop packets to the living, too
  if (c.leg === 'answer' || c.blame.kind === 'sysctl' || !wasRead(c.cluster, 'endpointslices')) return undefined
  const done = translation(c)
  if (!done?.object?.startsWith('service/')) return undefined
  const { step, object } = done
  const why = notAnEndpoint(c.cluster, done, object)
  if (why === undefined) return undefined
  const source = step.kind === 'entry' ? step.source : ruleView(step, c.cluster).source
  return { node: step.place.label, kind: 'endpoint', entry: `${why}, yet ${sender(step)} sends to it`, ...(source && { source }), object }
}

function sender(step: Translation['step']): string {
  if (step.kind !== 'entry') return step.chain.name
  return step.virtualServer ? `virtual server ${serverName(step.virtualServer)}` : step.where
}

/** Why EndpointSlices don't bear out the translation; undefined if they do. */
function notAnEndpoint(cluster: Cluster, { to, port }: Translation, object: string): string | undefined {
  const [, namespace, rest] = object.split('/')
  const name = rest?.split(':')[0]
  const slices = cluster.endpointSlices.filter((s) => s.namespace === namespace && s.service === name)
  const at = `${to.family === 6 ? `[${to.text}]` : to.text}${port === undefined ? '' : `:${port}`}`
  const ofService = `service ${namespace}/${name}`
  const found = slices.flatMap((s) => s.endpoints.filter((e) => e.ip.text === to.text).map((e) => ({ s, e })))
  if (found.length === 0) return `${at} is not an endpoint of ${ofService}`
  // serving and terminating ones are used when there are no others (kube-proxy §2)
  if (found.every(({ e }) => !e.ready && !e.serving)) return `${at} is not a ready endpoint of ${ofService}`
  if (port !== undefined && found.every(({ s }) => !s.ports.some((p) => p.port === port)))
    return `${at} is not a port of an endpoint of ${ofService}`
  return undefined
}
