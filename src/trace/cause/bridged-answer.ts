/** Answers that stay on a bridge, past the tables that translated the request. */
import { bridgeNfCall, settingText } from '../../kernel/sysctl/effective.ts'
import { type Explain, nodeOf } from './case.ts'

/**
 * A service's packet goes by the node, its gateway, and is translated there; the backend behind the same bridge answers to the client's own link-layer
 * address. Unless br_netfilter shows the bridge's frames to the tables, nothing puts the service's address back, and the client takes the answer for a stranger's.
 */
export const bridgedAnswer: Explain = (c) => {
  const { request, result } = c
  const reached = result.reached?.packet
  if (c.leg !== 'answer' || c.blame.rule || !reached || reached.dst.text === request.dst.text) return undefined
  const past = c.steps.find(
    (s) => s.kind === 'entry' && s.place.links.get(s.device ?? '')?.kind === 'bridge' && s.action.startsWith('stays on the bridge, past'),
  )
  if (past?.kind !== 'entry') return undefined
  const { label, host } = past.place
  const set = bridgeNfCall(host.sysctls, request.dst.family)
  const why = set ? settingText(set) : `br_netfilter is not loaded on ${label}`
  const entry = `${why}: the answer goes from pod to pod by ${past.where}, past the rules of ${label}, and comes from ${reached.dst.text}, not ${request.dst.text}`
  return { node: nodeOf(past.place), kind: 'sysctl', entry, ...(set && { source: set }) }
}
