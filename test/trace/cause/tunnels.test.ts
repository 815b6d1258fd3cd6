/** Faults of tunnels, put into recorded clusters: IPIP and WireGuard between nodes. */
import { describe, expect, test } from 'vitest'
import type { Flow } from '../../../src/trace/types.ts'
import { needs } from '../../support/needs.ts'
import { type Changes, deviceDown, type Entry, recording } from './damaged.ts'
import { causes } from './made.ts'

/** shop/web-1 on n1 to shop/api-2 on n3 */
const flow: Omit<Flow, 'proto'> = { from: { kind: 'pod', name: 'shop/web-1' }, dst: '10.244.98.2', port: 8080 }
const block = '10.244.98.0/26 (block of n3)'
const dst = (e: Entry, ...prefixes: string[]) => prefixes.includes(e.dst as string)

describe.runIf(needs('captures'))('WireGuard', () => {
  const r = recording('wireguard')
  const cause = (...changes: readonly Changes[]) => {
    const found = causes(r.load(...changes), flow)
    expect(found).toHaveLength(1)
    return found[0]
  }
  const show = (node: string) => `nodes/${node}/wg-show.txt`
  /** without the peer at an address: its lines end at an empty one */
  const withoutPeer = (node: string, address: string) => ({
    [show(node)]: `${r
      .text(show(node))
      .trimEnd()
      .split('\n\n')
      .filter((part) => !part.includes(`endpoint: ${address}:`))
      .join('\n\n')}\n`,
  })
  const allowing = (node: string, from: string, to: string) => ({ [show(node)]: r.text(show(node)).replace(from, to) })

  test('nothing is wrong without a change', () => expect(causes(r.load(), flow)).toEqual([]))

  test('the peer is missing where it should be sent to', () => {
    expect(cause(withoutPeer('n1', '172.18.0.13'))).toMatchObject({
      node: 'n1',
      kind: 'link',
      entry: `no peer of wireguard.cali has 10.244.98.2: ${block} is behind wireguard.cali`,
      evidence: { file: show('n1'), line: 1 },
    })
  })
  test('the peer may not have the block', () => {
    expect(cause(allowing('n1', '10.244.98.0/26, ', ''))).toMatchObject({
      node: 'n1',
      entry: expect.stringContaining('no peer of wireguard.cali has 10.244.98.2'),
    })
  })
  test('the other end does not let the pod in', () => {
    expect(cause(allowing('n3', '10.244.40.128/26, ', ''))).toMatchObject({
      node: 'n3',
      kind: 'link',
      entry: expect.stringContaining('the peer 172.18.0.11 of wireguard.cali may not send from 10.244.40.129'),
      evidence: { file: show('n3') },
    })
  })
  test('the other end does not know the node', () => {
    expect(cause(withoutPeer('n3', '172.18.0.11'))).toMatchObject({
      node: 'n3',
      kind: 'link',
      entry: expect.stringContaining('172.18.0.11 is no peer of wireguard.cali'),
    })
  })
  test('the device is down, and its routes are gone', () => {
    expect(cause(...deviceDown(r, 'n1', 'wireguard.cali'))).toMatchObject({
      node: 'n1',
      kind: 'link',
      entry: expect.stringMatching(/^wireguard\.cali is down: no route to 10\.244\.98\.0\/26 \(block of n3\)/),
    })
  })
  test('the rule is missing that leads to its table', () => {
    expect(cause(r.entries('nodes/n1/ip-rule.json', (e) => (e.priority === 99 ? undefined : e)))).toMatchObject({
      node: 'n1',
      kind: 'missing-route',
      entry: expect.stringMatching(
        /^no rule leads to table 1, which has `10\.244\.98\.0\/26 dev wireguard\.cali .*`: 10\.244\.98\.2 follows `default via /,
      ),
    })
  })
  test('its route is missing', () => {
    const gone = (e: Entry) => (dst(e, '10.244.98.0/26') ? undefined : e)
    expect(cause(r.entries('nodes/n1/ip-route.json', gone))).toMatchObject({
      node: 'n1',
      kind: 'missing-route',
      entry: expect.stringContaining(`no route to ${block}`),
    })
  })
  test('down on the other node: nobody takes the packets there', () => {
    expect(cause(...deviceDown(r, 'n3', 'wireguard.cali'))).toMatchObject({
      node: 'n3',
      kind: 'link',
      entry: expect.stringContaining('WireGuard device'),
    })
  })
})

describe.runIf(needs('captures'))('IPIP', () => {
  const r = recording('ipip-ipvs')
  const cause = (...changes: readonly Changes[]) => {
    const found = causes(r.load(...changes), flow)
    expect(found).toHaveLength(1)
    return found[0]
  }
  const toBlock = (change: object) => r.entries('nodes/n1/ip-route.json', (e) => (dst(e, '10.244.98.0/26') ? { ...e, ...change } : e))

  test('nothing is wrong without a change', () => expect(causes(r.load(), flow)).toEqual([]))

  test('tunl0 is down, and its routes are gone', () => {
    expect(cause(...deviceDown(r, 'n1', 'tunl0'))).toMatchObject({
      node: 'n1',
      kind: 'link',
      entry: expect.stringContaining(`tunl0 is down: no route to ${block}`),
    })
  })
  test('down on the other node', () => {
    expect(cause(...deviceDown(r, 'n3', 'tunl0'))).toMatchObject({
      node: 'n3',
      kind: 'link',
      entry: expect.stringContaining('tunl0 is down'),
    })
  })
  test('a route to the router instead of the tunnel', () => {
    expect(cause(toBlock({ dev: 'eth0', gateway: '172.18.0.1' }))).toMatchObject({
      node: 'n1',
      kind: 'route',
      entry: expect.stringMatching(/^10\.244\.98\.2 follows `10\.244\.98\.0\/26 via 172\.18\.0\.1 dev eth0/),
    })
  })
})
