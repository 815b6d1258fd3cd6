import { children, type JsonEntry, optionalText, parseEntries, requiredText } from '../json.ts'
import type { DeviceProgram } from './types.ts'

/** Parses `bpftool -j net`: programs on devices, attached by XDP, by tc filters, or as links (tcx, netkit). */
export function parseBpfNet(text: string, file: string): DeviceProgram[] {
  return parseEntries(text, file, 'a list of programs', 'bpftool -j net').flatMap((e) => [
    ...children(e, 'xdp', 'an XDP program').map((p) => program(p, 'xdp')),
    ...children(e, 'tc', 'a tc program').map((p) => program(p, direction(p))),
  ])
}

/** `clsact/ingress`, `tcx/egress`; netkit's are called after the end of the pair that they stand on: whatever goes through passes them. */
const direction = (e: JsonEntry): DeviceProgram['at'] => (requiredText(e, 'kind').endsWith('egress') ? 'egress' : 'ingress')

function program(e: JsonEntry, at: DeviceProgram['at']): DeviceProgram {
  const name = optionalText(e, 'name')
  return { source: e.source, device: requiredText(e, 'devname'), at, ...(name !== undefined && name !== '' && { name }) }
}
