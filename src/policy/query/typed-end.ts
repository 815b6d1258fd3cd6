import { type EndpointRef, isKind, parseEndpoint } from '../../cluster/endpoint-syntax.ts'
import { parseIp } from '../../net/ip.ts'

/**
 * An end as policies' commands and tests take it: what `trace` takes, and without a kind the names that answers have:
 * `NAMESPACE/POD`, `NAMESPACE/NAME[Deployment]`, `hep:NAME`, each with `:PORT` and `/PROTO`. Throws ResolveError.
 */
export function parseEnd(text: string): EndpointRef {
  const [, name = '', port, proto] = /^(hep:[^/:\s]+|[^/:\s]+\/[^/:\s]+)(?::([\w-]+))?(?:\/(tcp|udp|sctp|icmp))?$/i.exec(text) ?? []
  const [first = '', second] = name.split('/')
  if (name === '' || (second !== undefined && (isKind(first) || parseIp(first) !== undefined))) return parseEndpoint(text)
  // ports are checked as those of any other
  const { target: _target, ...rest } = parseEndpoint(
    `pod/x${port === undefined ? '' : `:${port}`}${proto === undefined ? '' : `/${proto}`}`,
  )
  return { ...rest, text, target: second === undefined ? { kind: 'bare', name } : { kind: 'bare', namespace: first, name: second } }
}
