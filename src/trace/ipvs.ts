/** IPVS sits behind INPUT and takes packets for its virtual servers. Its scheduling is not modelled: here it is only known to be there. */
import type { Run, Skb } from './run.ts'

/** Why the packet can't be followed, if IPVS on this host would take it. */
export function virtualServer(run: Run, skb: Skb): string | undefined {
  const { place, packet } = skb
  if (place.host.kind !== 'node' || packet.icmp) return undefined
  const file = `${place.host.dir}/ipvsadm-save.txt`
  const table = run.world.snapshot.text(file)
  if (table === undefined) {
    const onDummy = place.addresses.get(packet.dst.text)?.kind === 'dummy'
    return onDummy ? `${file} is missing: ${packet.dst.text} is bound to a dummy device, as IPVS wants it` : undefined
  }
  const flag = packet.proto === 'tcp' ? '-t' : packet.proto === 'udp' ? '-u' : '--sctp-service'
  const address = packet.family === 6 ? `[${packet.dst.text}]` : packet.dst.text
  const here = [`-A ${flag} ${address}:${packet.dport?.lo} `, '-A -f '].find((entry) => table.includes(entry))
  return (
    here && `virtual server ${packet.proto} ${address}:${packet.dport?.lo} of ${place.label} is IPVS's, which is not modelled (${file})`
  )
}
