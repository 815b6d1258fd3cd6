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

test.each([{ wide: true }, { verbose: true }])('%o: each flow with its causes in full and all who answer', (detail) => {
  expect(flowsText(results.slice(1, 3), { width: 100, colour: false, unicode: true, ...detail })).toMatchInlineSnapshot(`
    "! partial      f2  pod/shop/client → svc/shop/web:80/tcp
      Cause      33 % dropped  n2: -A cali-tw-cali09359efa886 -m comment --comment "cali:drop_xyz" -m
                 comment --comment "Drop if no profiles matched" -j DROP  networkpolicy/shop/api-ingress
                 nodes/n2/iptables-save.txt:277
      SHARE  VERDICT      ENDPOINT        ADDRESS             SOURCE SEEN    NODE
       33 %  ✗ dropped    pod/shop/web-3  10.244.217.5:8080                  n2
       33 %  ✓ delivered  pod/shop/web-1  10.244.40.130:8080  10.244.40.129  n1
       33 %  ✓ delivered  pod/shop/web-2  10.244.217.1:8080   10.244.40.129  n2

    ✗ dropped      f3  pod/shop/client → pod/shop/web-2:8080/tcp
      Cause      n2: -A FORWARD ! -i cali+ ! -o cali+ -m comment --comment "site hardening, ticket
                 NET-4711: nothing passes through unless named" -j DROP  nodes/n2/iptables-save.txt:109

    2 flows: 1 dropped, 1 partial, 1 of 2 as expected

    Not as expected
      ! partial      f2  pod/shop/client → svc/shop/web:80/tcp
          expected delivered, got partial  33 % on n2: -A cali-tw-cali09359efa886 -m comment --comment
          "cali:drop_xyz" -m comment --comment "Drop if no profiles matched" -j DROP
    "
  `)
})

test.each([{ width: 80 }, { width: 120 }, { width: 80, wide: true }])('keeps to its columns: %o', ({ width, ...detail }) => {
  const text = flowsText([...results, { trace: hostile }, { trace: ipv6 }], { width, colour: false, unicode: true, ...detail })
  for (const line of text.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(width)
})

test('nothing to say about no flows', () => {
  expect(flowsText([], { width: 80, colour: false, unicode: true })).toBe('0 flows\n')
})
