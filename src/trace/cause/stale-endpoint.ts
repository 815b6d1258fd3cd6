/** kube-proxy sent the packet to an address that is no endpoint of the Service any more: its rules are older than the EndpointSlices. */
import type { Cluster } from '../../cluster/types.ts'
import type { Target } from '../../kernel/iptables/types.ts'
import { ruleObject } from '../attribution/rule-object.ts'
import type { Step } from '../run.ts'
import { wasRead } from './addresses.ts'
import type { Explain } from './case.ts'

type RuleStep = Extract<Step, { kind: 'rule' }>
type Nat = Extract<Target, { kind: 'nat' }>

/** The DNAT that stands, and the Service port that it was done for. */
interface Translation {
  readonly step: RuleStep
  readonly address: string
  readonly port: number | undefined
  readonly object: string
}

export const staleEndpoint: Explain = (c) => {
  // a reply came from there, so somebody lives there; rules of others and sysctls stop packets to the living, too
  if (c.leg === 'answer' || c.blame.kind === 'sysctl' || !wasRead(c.cluster, 'endpointslices')) return undefined
  const done = translation(c.steps, c.cluster)
  if (!done) return undefined
  const why = notAnEndpoint(c.cluster, done)
  if (why === undefined) return undefined
  const { step, object } = done
  const source = { file: step.file, line: step.rule?.line ?? step.chain.line }
  return { node: step.place.label, kind: 'endpoint', entry: `${why}, yet ${step.chain.name} sends to it`, source, object }
}

/** The last DNAT of kube-proxy on the way. */
export function translation(steps: readonly Step[], cluster: Cluster): Translation | undefined {
  const step = steps.findLast((s): s is RuleStep => s.kind === 'rule' && s.rule?.target?.kind === 'nat' && s.rule.target.target === 'DNAT')
  const rule = step?.rule
  const to = (rule?.target as Nat | undefined)?.to
  if (!step || !rule || !to?.from) return undefined
  const object = ruleObject(step.table.name, step.chain.name, rule, cluster)
  return object?.startsWith('service/') ? { step, address: to.from.text, port: to.ports?.lo, object } : undefined
}

/** Why EndpointSlices don't bear out the translation; undefined if they do. */
function notAnEndpoint(cluster: Cluster, { address, port, object }: Translation): string | undefined {
  const [, namespace, rest] = object.split('/')
  const name = rest?.split(':')[0]
  const slices = cluster.endpointSlices.filter((s) => s.namespace === namespace && s.service === name)
  const at = `${address.includes(':') ? `[${address}]` : address}${port === undefined ? '' : `:${port}`}`
  const ofService = `service ${namespace}/${name}`
  const found = slices.flatMap((s) => s.endpoints.filter((e) => e.ip.text === address).map((e) => ({ s, e })))
  if (found.length === 0) return `${at} is not an endpoint of ${ofService}`
  // serving and terminating ones are used when there are no others (kube-proxy §2)
  if (found.every(({ e }) => !e.ready && !e.serving)) return `${at} is not a ready endpoint of ${ofService}`
  if (port !== undefined && found.every(({ s }) => !s.ports.some((p) => p.port === port)))
    return `${at} is not a port of an endpoint of ${ofService}`
  return undefined
}
