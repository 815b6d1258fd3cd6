/** BPF programs in a packet's way: what they do with it no dump shows. */
import type { DeviceProgram } from '../kernel/bpf/types.ts'
import { type Run, Undecided } from './run.ts'
import type { Place } from './world.ts'

/**
 * Ends the branch where a packet (or its neighbour discovery) comes to a node that could not be read, or whose dataplane is BPF programs; the node may
 * have no dump.
 */
export function enterHost(run: Run, { id, label }: Pick<Place, 'id' | 'label'>): void {
  const unread = run.world.snapshot.unread?.get(id)
  if (unread !== undefined) throw new Undecided(label, unread)
  const ebpf = run.world.snapshot.ebpf(id)
  if (!ebpf) return
  const what = `${label} runs ${ebpf.name} (${ebpf.shownBy}): its BPF programs decide, and no dump shows what they do; ${ebpf.ask}`
  throw new Undecided(label, what)
}

/** Ends the branch where a packet passes a device with a program of its own, coming in (`xdp`, `ingress`) or going out. */
export function passDevice(place: Place, device: string, way: 'in' | 'out'): void {
  const xdp = way === 'in' ? place.links.get(device)?.xdp : undefined
  if (xdp !== undefined) refuse(place, device, `XDP program ${xdp}`)
  const found = place.host.programs?.find((p) => p.device === device && (way === 'out') === (p.at === 'egress'))
  if (found) refuse(place, device, `${words[found.at]} program ${found.name ?? '?'}`)
}

const words: Readonly<Record<DeviceProgram['at'], string>> = { xdp: 'XDP', ingress: 'tc ingress', egress: 'tc egress' }

function refuse(place: Place, device: string, what: string): never {
  throw new Undecided(place.label, `${what} on ${device} of ${place.label} may stop or change packets, and no dump shows what it does`)
}
