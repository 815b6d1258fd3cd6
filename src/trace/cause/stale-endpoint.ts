/** kube-proxy sent the packet to an address that is no endpoint of the Service any more: its rules are older than the EndpointSlices. */

import { wasRead } from '../../cluster/lookup.ts'
import { ruleView } from '../attribution/rule-view.ts'
import type { Explain } from './case.ts'
import { notAnEndpoint } from './current-endpoint.ts'
import { type Translation, translation } from './translation.ts'
import { serverName } from './words.ts'

/** The cause is the rule or virtual server that still has the endpoint. */
export const staleEndpoint: Explain = (c) => {
  // a reply came from there, so somebody lives there; rules of others and sysctls stop packets to the living, too
  if (c.leg === 'answer' || c.blame.kind === 'sysctl' || !wasRead(c.cluster, 'endpointslices')) return undefined
  const done = translation(c)
  if (!done?.object?.startsWith('service/')) return undefined
  const { step, object } = done
  const why = notAnEndpoint(c.cluster, object, done.to, done.port)
  if (why === undefined) return undefined
  const source = step.kind === 'entry' ? step.source : ruleView(step, c.cluster).source
  return { node: step.place.label, kind: 'endpoint', entry: `${why}, yet ${sender(step)} sends to it`, ...(source && { source }), object }
}

function sender(step: Translation['step']): string {
  if (step.kind !== 'entry') return step.chain.name
  return step.virtualServer ? `virtual server ${serverName(step.virtualServer)}` : step.where
}
