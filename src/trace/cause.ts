/** Why a path was not delivered: the entry to look at first. */

import type { Snapshot } from '../snapshot/types.ts'
import { bridgedAnswer } from './cause/bridged-answer.ts'
import { type Case, caseOf, type Explain, type Finding, nodeOf } from './cause/case.ts'
import { closedPort } from './cause/closed-port.ts'
import { detour, ownPacket } from './cause/detour.ts'
import { foreignRule } from './cause/foreign-rule.ts'
import { hiddenFromConntrack, kernelSetting, silentGateway } from './cause/kernel-setting.ts'
import { localPod, podWithoutInterface } from './cause/local-pod.ts'
import { nodeDown } from './cause/node-down.ts'
import { pathMtu } from './cause/path-mtu.ts'
import { policyDrop } from './cause/policy-drop.ts'
import { serviceRefusal } from './cause/service-refusal.ts'
import { staleConnection } from './cause/stale-connection.ts'
import { staleEndpoint } from './cause/stale-endpoint.ts'
import { tunnel } from './cause/tunnel.ts'
import { nobodyBeyond, unmasqueraded, unrouted } from './cause/unrouted.ts'
import { closedNodePort, deniedUntranslated, untranslated } from './cause/untranslated.ts'
import { virtualServer } from './cause/virtual-server.ts'
import { evidenceOf, ruleEvidence } from './evidence.ts'
import type { Result } from './result.ts'
import type { Blame } from './step.ts'
import type { Cause, Flow } from './types.ts'

/**
 * In the order in which an admin would exclude things: a packet sent to the wrong address comes before whatever happened to it there;
 * a rule that dropped it speaks for itself; only then, where a packet got lost, who should have known better.
 */
const explanations: readonly Explain[] = [
  nodeDown,
  pathMtu,
  staleConnection,
  staleEndpoint,
  detour,
  ownPacket,
  bridgedAnswer,
  hiddenFromConntrack,
  serviceRefusal,
  virtualServer,
  deniedUntranslated,
  policyDrop,
  foreignRule,
  kernelSetting,
  podWithoutInterface,
  silentGateway,
  closedNodePort,
  closedPort,
  localPod,
  untranslated,
  tunnel,
  unrouted,
  unmasqueraded,
  nobodyBeyond,
]

/** The fault behind the place where the walk stopped: often another entry, on another node, than the one that said no. */
export function causeOf(snapshot: Snapshot, flow: Flow, result: Result): Cause | undefined {
  const blame = result.lost ?? result.blame
  if (!blame) return undefined
  const found = explain(caseOf(snapshot, flow, result, blame)) ?? asItStands(blame)
  if (!found) return undefined
  const { source, node, kind, object } = found
  const { rule } = blame
  const evidence = rule && source && source === blame.source ? ruleEvidence(snapshot, source, rule) : evidenceOf(snapshot, source)
  const said = found.entry === '' ? (evidence?.text ?? '') : found.entry
  const entry = result.lost && result.blame ? `${said} (so nobody hears that ${result.blame.entry})` : said
  return { node, kind, entry, ...(evidence && { evidence }), ...(object !== undefined && { object }) }
}

function explain(c: Case | undefined): Finding | undefined {
  if (!c) return undefined
  for (const e of explanations) {
    const found = e(c)
    if (found) return found
  }
  return undefined
}

/** What the walk itself says, where nobody knows better. */
function asItStands({ source, object, kind, entry, place }: Blame): Finding {
  return { node: nodeOf(place), kind, entry, ...(source && { source }), ...(object !== undefined && { object }) }
}
