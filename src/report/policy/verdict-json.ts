import { decisionOf } from '../../policy/decision.ts'
import type { PolicyFlow } from '../../policy/flow.ts'
import type { Policy } from '../../policy/model.ts'
import { pathOf } from '../../policy/path.ts'
import { protocolName } from '../../policy/protocols.ts'
import type { Judgement, Reason, Verdict } from '../../policy/verdict.ts'
import { asciiJson } from '../json-line.ts'
import { placeOf } from './names.ts'

/** A verdict, for machines. */
export interface VerdictDocument {
  readonly id?: string | number
  /** the closest plain answer */
  readonly allowed: boolean
  readonly verdict: Verdict['verdict']
  readonly reasons?: readonly ReasonDocument[]
  readonly egress: DirectionDocument
  readonly ingress: DirectionDocument
  readonly notes?: readonly string[]
}

export interface PolicyDocument {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace?: string
  readonly name: string
}

interface DirectionDocument {
  readonly verdict: Judgement['verdict']
  readonly tier?: string
  readonly policy?: PolicyDocument
  /** those that select the endpoint, where none of their rules matched and the tier ended */
  readonly policies?: readonly PolicyDocument[]
  readonly profile?: string
  /** place in the list that the user wrote, from 0 */
  readonly rule?: number
  readonly ruleName?: string
  readonly action?: string
  readonly file?: string
  readonly line?: number
  /** every tier that was passed, the way Calico tells it: `tier=default KubernetesNetworkPolicy:red/k rule=0 allow` */
  readonly path: readonly string[]
}

interface ReasonDocument {
  readonly kind: Reason['kind']
  readonly direction: Reason['direction']
  readonly message: string
  readonly policy?: PolicyDocument
  readonly rule?: number
}

/** A verdict with what decided in each direction: a line of `-o jsonl`. */
export function verdictDocument(verdict: Verdict, id?: string | number): VerdictDocument {
  const { reasons, notes } = verdict
  return {
    ...(id !== undefined && { id }),
    allowed: verdict.allowed,
    verdict: verdict.verdict,
    ...(reasons.length > 0 && { reasons: reasons.map(reasonDocument) }),
    egress: directionDocument(verdict.egress),
    ingress: directionDocument(verdict.ingress),
    ...(notes.length > 0 && { notes }),
  }
}

/** One flow in a document of its own: `-o json`. */
export const flowDocument = (flow: PolicyFlow, verdict: Verdict) => ({
  apiVersion: 'netctl.dev/v1alpha1',
  kind: 'PolicyVerdict',
  flow: {
    src: flow.source.id,
    dst: flow.destination.id,
    protocol: protocolName(flow.protocol),
    ...(flow.port !== undefined && { port: flow.port }),
  },
  ...verdictDocument(verdict),
})

/** What decided in one direction, and the way there. */
export function directionDocument(judgement: Judgement): DirectionDocument {
  const { verdict } = judgement
  const path = pathOf(judgement)
  const decision = decisionOf(judgement)
  if (!decision) return { verdict, path }
  const { tier, policy, policies, profile, rule, origin } = decision
  return {
    verdict,
    ...(tier && { tier: tier.name }),
    ...(policy && { policy: policyDocument(policy) }),
    ...(policies && { policies: policies.map(policyDocument) }),
    ...(profile && { profile: profile.name }),
    ...(rule && { rule: rule.index }),
    ...(rule?.name !== undefined && { ruleName: rule.name }),
    action: rule ? rule.action : 'end-of-tier',
    ...(origin && placeOf(origin)),
    path,
  }
}

/** A policy by its names. */
export const policyDocument = ({ namespace, name, origin }: Policy): PolicyDocument => ({
  apiVersion: origin.object.apiVersion,
  kind: origin.object.kind,
  ...(namespace !== undefined && { namespace }),
  name,
})

const reasonDocument = ({ kind, direction, message, policy, rule }: Reason): ReasonDocument => ({
  kind,
  direction,
  message,
  ...(policy && { policy: policyDocument(policy) }),
  ...(rule && { rule: rule.index }),
})

/**
 * Verdicts as JSON lines, many thousands a second. Most of a line is what a direction says, and the same rules decide again and
 * again: their text is made once, and kept by the steps that led to it.
 */
export function verdictLines(): (verdict: Verdict, id?: string | number) => string {
  const known = new Map<unknown, Known>()
  const direction = (judgement: Judgement): string => {
    let at: Known = (known.get(judgement.verdict) as Known | undefined) ?? remember(known, judgement.verdict)
    for (const step of judgement.steps) at = (at.next.get(step) as Known | undefined) ?? remember(at.next, step)
    return (at.json ??= asciiJson(directionDocument(judgement)))
  }
  return (verdict, id) => {
    const { allowed, reasons, notes } = verdict
    const head = `{${id === undefined ? '' : `"id":${asciiJson(id)},`}"allowed":${allowed},"verdict":"${verdict.verdict}"`
    const why = reasons.length === 0 ? '' : `,"reasons":${asciiJson(reasons.map(reasonDocument))}`
    const more = notes.length === 0 ? '' : `,"notes":${asciiJson(notes)}`
    return `${head}${why},"egress":${direction(verdict.egress)},"ingress":${direction(verdict.ingress)}${more}}\n`
  }
}

interface Known {
  json?: string
  readonly next: Map<unknown, Known>
}

function remember(map: Map<unknown, Known>, key: unknown): Known {
  // steps that are made anew for each flow must not fill memory
  if (map.size > 10_000) map.clear()
  const made: Known = { next: new Map() }
  map.set(key, made)
  return made
}
