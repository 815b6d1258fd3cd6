import { string as stringArg } from '@oclif/core/args'
import { boolean, integer, option, string } from '@oclif/core/flags'
import type { ConnectionState } from '../../trace/types.ts'

/** SRC and DST, as `trace` and `compare` take them. Missing ones are asked for on a terminal. */
export const flowArgs = {
  src: stringArg({
    ignoreStdin: true,
    description: 'who sends: pod/NAMESPACE/NAME, node/NAME, deploy/NAME, external/NAME or an address',
  }),
  dst: stringArg({
    ignoreStdin: true,
    description: 'where to: svc/NAMESPACE/NAME:PORT, pod/…, node/NAME:PORT, 10.96.0.10:53/udp, [fd00::5]:80, …/icmp',
  }),
}

/** What narrows a flow further. */
export const flowFlags = {
  family: string({ summary: 'IPv4 or IPv6, where a name has both', options: ['4', '6'], helpGroup: 'FLOW' }),
  source: string({ summary: 'address that the client binds to; else routing chooses', helpValue: 'ADDRESS', helpGroup: 'FLOW' }),
  'source-port': integer({
    summary: 'port that the client sends from; an entry of the dumped conntrack tables may then be its own',
    min: 1,
    max: 65535,
    helpValue: 'PORT',
    helpGroup: 'FLOW',
  }),
  size: integer({
    summary: 'bytes of the packet, IP header included, sent with DF: is it too big for some device on the way?',
    min: 28,
    max: 65535,
    helpValue: 'BYTES',
    helpGroup: 'FLOW',
  }),
  'entry-node': string({ summary: "node by which an outside client's packets come in", helpValue: 'NODE', helpGroup: 'FLOW' }),
}

const states: readonly ConnectionState[] = ['new', 'established', 'from-dump']

/** Which packet of the connection: for `trace`. */
export const stateFlag = {
  state: option({
    summary: "first packet of a new connection, next one of an established one, or of the dumped conntrack tables' own entries",
    options: states,
    helpGroup: 'FLOW',
  })(),
}

/** Many flows at once. */
export const flowsFlag = {
  flows: string({
    summary: 'walk every flow of this file, one JSON object a line (- is stdin)',
    helpValue: 'FILE|-',
    helpGroup: 'FLOW',
    exclusive: ['family', 'source', 'source-port', 'size', 'entry-node'],
  }),
}

export const briefFlag = {
  brief: boolean({ summary: 'outcomes only, without paths and comparison', helpGroup: 'OUTPUT' }),
}
