/** What must hold of an answer's reasons, told from the cluster's objects: the packets say whether the answer is right, not whether its reasons are. */
import type { Hop, Trace } from '../../../src/trace/types.ts'
import type { RandomFlow } from './flows.ts'

/** What is wrong with them, in words. */
export function explained(flow: RandomFlow, trace: Trace): readonly string[] {
  const wrong: string[] = []
  for (const path of trace.paths) {
    if (path.verdict !== 'delivered' && path.verdict !== 'undecided' && path.cause === undefined) wrong.push(`no cause of ${path.verdict}`)
    const blamed = path.cause?.entry ?? ''
    if (/\bcali|IPAM|IP pool/.test(blamed)) wrong.push(`a cause of Calico's, which is not there: ${blamed}`)
    for (const hop of [...path.hops, ...(path.reply?.hops ?? [])]) {
      const owner = ownerByName(hop)
      if (owner !== undefined && owner !== hop.owner) wrong.push(`${hop.owner} instead of ${owner}: ${hop.where} ${hop.action}`)
    }
  }
  for (const { aspect, calico } of trace.comparison) if (calico.acted) wrong.push(`Calico, which is not there: ${aspect} ${calico.what}`)
  const services = trace.comparison.find(({ aspect }) => aspect === 'serviceManagement')?.kubeProxy
  const translated = trace.paths.some(({ hops }) => hops.some(({ action, owner }) => /DNAT/.test(action) && owner === 'kube-proxy'))
  if (translated && !services?.acted) wrong.push(`kube-proxy translated and did not act: ${services?.what}`)
  const own = /^(?:node port of|service) (\w+)/.exec(flow.about)?.[1]
  if (services?.acted && own !== undefined && !services.what.includes(`service/shop/`)) wrong.push(`acted for no service: ${services.what}`)
  return [...new Set(wrong)]
}

/** Whose chain it is, by the names that kube-proxy and the CNI plugins give. */
function ownerByName({ chain, table }: Hop): Hop['owner'] | undefined {
  if (chain?.startsWith('KUBE-') || table?.endsWith(' kube-proxy')) return 'kube-proxy'
  if (chain?.startsWith('CNI-')) return 'other'
  return undefined
}
