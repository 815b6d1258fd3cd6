import type { RejectWith } from '../../kernel/nftables/statement-types.ts'
import type { IcmpError } from '../../net/icmp-error.ts'
import { type Packet, protocolNumber } from '../../net/packet.ts'

/** nft's own codes of `icmpx`, for both families (nft_reject.c, icmp_code_v4, icmp_code_v6) */
const common: Readonly<Record<4 | 6, readonly number[]>> = { 4: [0, 3, 1, 13], 6: [0, 4, 3, 1] }

/** What `reject` sends. Undefined: nft puts a match on family or protocol before it and does not print it, and this packet is of another. */
export function nftReject(how: RejectWith, { family, proto }: Packet): IcmpError | 'rst' | undefined {
  const type = family === 4 ? 3 : 1
  switch (how.kind) {
    case 'tcp reset':
      return protocolNumber(proto) === 6 ? 'rst' : undefined
    case 'icmp':
      return family === 4 ? { type, code: how.code } : undefined
    case 'icmpv6':
      return family === 6 ? { type, code: how.code } : undefined
    case 'icmpx':
      return { type, code: common[family][how.code] ?? how.code }
  }
}
