/** Addresses of NAT ranges, as a kernel (6.18) chose them; test/kernel/walk-nat holds more of them against the kernel at hand. */
import { describe, expect, test } from 'vitest'
import { inRange, natAddress } from '../../../src/kernel/iptables/nat-address.ts'
import { ip } from '../../../src/net/ip.ts'

describe('natAddress', () => {
  test.each([
    ['172.18.0.200', '172.18.0.206', '10.244.1.2', '203.0.113.10', 'SRC', false, '172.18.0.204'],
    ['172.18.0.200', '172.18.0.206', '10.244.1.3', '203.0.113.10', 'SRC', false, '172.18.0.202'],
    ['172.18.0.200', '172.18.0.206', '10.244.1.2', '172.18.0.100', 'SRC', true, '172.18.0.203'],
    ['10.244.1.2', '10.244.1.3', '172.18.0.100', '10.96.0.1', 'DST', false, '10.244.1.3'],
    ['fd18::200', 'fd18::206', 'fd44:1::2', '2001:db8::10', 'SRC', false, 'fd18::203'],
    ['fd18::200', 'fd18::206', 'fd44:1::3', '2001:db8::10', 'SRC', false, 'fd18::206'],
    ['fd44:1::2', 'fd44:1::3', 'fd18::100', 'fd96::1', 'DST', false, 'fd44:1::3'],
    ['fd18::200', 'fd18::206', 'fd44:1::2', 'fd18::100', 'SRC', true, 'fd18::204'],
  ] as const)('%s-%s for %s → %s (%s, persistent %s): %s', (from, to, src, dst, manip, persistent, chosen) => {
    expect(natAddress(ip(from), ip(to), ip(src), ip(dst), manip, persistent).text).toBe(chosen)
  })

  test('an address in the range, of either family', () => {
    expect(inRange(ip('172.18.0.203'), ip('172.18.0.200'), ip('172.18.0.206'))).toBe(true)
    expect(inRange(ip('172.18.1.203'), ip('172.18.0.200'), ip('172.18.0.206'))).toBe(false)
    expect(inRange(ip('fd18::200'), ip('fd18::200'), ip('fd18::206'))).toBe(true)
    expect(inRange(ip('fd18::207'), ip('fd18::200'), ip('fd18::206'))).toBe(false)
  })
})
