import { expect, test } from 'vitest'
import { parseRecent } from '../../../src/kernel/recent/parse.ts'

/** As Linux 6.18 printed them on a node of kube-proxy whose Service has ClientIP affinity. */
const printed = `==> /proc/net/xt_recent/KUBE-SEP-A2A4CGVCLO25IQ6X <==

==> /proc/net/xt_recent/KUBE-SEP-OZ4AJ63L5PQIGIFK <==
src=fd30:0000:0000:0000:0000:0000:0000:0011 ttl: 64 last_seen: 4301893313 oldest_pkt: 3 4301893312, 4301893313, 4301893313

==> /proc/net/xt_recent/KUBE-SEP-VTGKLR6MJJRNCDHS <==
src=172.30.0.11 ttl: 64 last_seen: 4301893313 oldest_pkt: 3 4301893312, 4301893313, 4301893313
`
const times = [4301893312, 4301893313, 4301893313]

test('lists of both families, by the addresses as packets have them', () => {
  expect(parseRecent(printed)).toEqual(
    new Map([
      ['KUBE-SEP-A2A4CGVCLO25IQ6X', new Map()],
      ['KUBE-SEP-OZ4AJ63L5PQIGIFK', new Map([['fd30::11', times]])],
      ['KUBE-SEP-VTGKLR6MJJRNCDHS', new Map([['172.30.0.11', times]])],
    ]),
  )
})
