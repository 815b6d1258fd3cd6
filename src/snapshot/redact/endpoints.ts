/** kube-proxy's chains of endpoints that no slice has any more, or whose Service port only a comment tells. */
import { servicePortName } from '../../cluster/kube-proxy-names.ts'
import type { Cluster } from '../../cluster/types.ts'
import type { AgentNames } from './agent-names.ts'

const DNAT = /^-A KUBE-SEP-[A-Z2-7]{16} -p (tcp|udp|sctp) .*--to-destination (\[[0-9a-f:]+\]|[\d.]+):(\d+)/gm
const COMMENT = /--comment "?([a-z0-9][a-z0-9.-]*\/[a-z0-9][a-z0-9.-]*(?::[a-z0-9-]+)?)"?(?: |$)/

/** Tells `agents` of the endpoints in these texts (iptables-save), so that the hashes in their chains' names are found again. */
export function learnEndpoints(texts: Iterable<string>, cluster: Cluster, agents: AgentNames): void {
  const known = new Set<string>()
  for (const slice of cluster.endpointSlices) for (const { ip } of slice.endpoints) known.add(ip.text)
  let ports: readonly string[] | undefined
  for (const text of texts) {
    for (const [line, protocol = '', host = '', port = ''] of text.matchAll(DNAT)) {
      const address = host.replace(/^\[|\]$/g, '')
      const said = COMMENT.exec(line)?.[1]
      if (said !== undefined) agents.endpoint(said, protocol, address, Number(port))
      else if (!known.has(address)) {
        ports ??= cluster.services.flatMap((s) => s.ports.map((p) => servicePortName(s.namespace, s.name, p.name)))
        for (const name of ports) agents.endpoint(name, protocol, address, Number(port))
      }
    }
  }
}
