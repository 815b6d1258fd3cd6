/** A connection that is supposed to exist has the translations that today's rules make: where they make none for a Service, nobody knows its endpoint. */
import { findService } from '../../kernel/ipvs/find-service.ts'
import { type Run, type Skb, Undecided } from '../run.ts'
import { isHost, serviceOf } from './dumped-connections.ts'

/** @throws Undecided if the packet, which the nat chains left as it was, is for a Service port and IPVS does not take it either */
export function expectEndpoint(run: Run, { packet, place }: Skb): void {
  const { proto, dst, dport } = packet
  if (place.host.kind !== 'node' || typeof proto !== 'string' || !dport) return
  // another node's port is that node's business
  if (isHost(run.world, dst) && !place.addresses.has(dst.text)) return
  const object = serviceOf(run.world, { proto, original: { src: packet.src, dst, dport } })
  if (object === undefined) return
  const { ipvs } = place.host
  const balanced = proto === 'tcp' || proto === 'udp' || proto === 'sctp'
  if (ipvs && balanced && findService(ipvs.table, { proto, dst, dport: dport.lo, mark: 0 })) return
  throw new Undecided(place.label, noEndpoint(place.label, object))
}

/** Why it is undecided. */
export const noEndpoint = (node: string, object: string): string =>
  `${node} sends nothing on for ${object.replace('/', ' ')} today: to which endpoint a connection goes that was made before is not known`
