import { expect, test } from 'vitest'
import { flowsText } from '../../../src/report/trace/flows-text.ts'
import { displayWidth } from '../../../src/report/width.ts'
import { droppedByRule, hostile, ipv6, nodePort, replyLost } from '../fixtures/others.ts'
import { delivered, oneDenied } from '../fixtures/service.ts'

const results = [
  { trace: { ...delivered, id: 'f1' }, expect: 'delivered' as const },
  { trace: { ...oneDenied, id: 'f2' }, expect: 'delivered' as const },
  { trace: { ...droppedByRule, id: 'f3' }, expect: 'dropped' as const },
  { trace: { ...replyLost, id: 'f4' } },
  { trace: { ...nodePort, id: 'f5' } },
]

test('one line a flow, the sum, then what was expected otherwise', () => {
  expect(flowsText(results, { width: 100, colour: false, unicode: true })).toMatchInlineSnapshot(`
    "✓ delivered    f1  pod/shop/client → svc/shop/web:80/tcp      3 backends
    ! partial      f2  pod/shop/client → svc/shop/web:80/tcp      33 % on n2: -A cali-t…59efa886 -j DROP
    ✗ dropped      f3  pod/shop/client → pod/shop/web-2:8080/tcp  n2: -A FORWARD ! -i c…-o cali+ -j DROP
    ✗ dropped      f4  pod/shop/client → pod/shop/web-2:8080/tcp  n2: net.ipv4.ip_forward = 0
    ? undecided    f5  external/ext → node/n2:30080/tcp           50 % on n3: no folder nodes/n3 in the…

    5 flows: 1 delivered, 2 dropped, 1 undecided, 1 partial, 2 of 3 as expected

    Not as expected
      ! partial      f2  pod/shop/client → svc/shop/web:80/tcp
          expected delivered, got partial  33 % on n2: -A cali-tw-cali09359efa886 -m comment --comment
          "cali:drop_xyz" -m comment --comment "Drop if no profiles matched" -j DROP
    "
  `)
})

test.each([80, 120])('keeps to %i columns', (width) => {
  const text = flowsText([...results, { trace: hostile }, { trace: ipv6 }], { width, colour: false, unicode: true })
  for (const line of text.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(width)
})

test('nothing to say about no flows', () => {
  expect(flowsText([], { width: 80, colour: false, unicode: true })).toBe('0 flows\n')
})
