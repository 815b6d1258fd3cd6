/** A table of all forms: what we print is loaded by ipvsadm into a real kernel, and printed by it again. */
import { beforeAll, describe, expect, test } from 'vitest'
import { formatIpvsSave } from '../../src/kernel/ipvs/format-save.ts'
import { joinListing, tableOfListing } from '../../src/kernel/ipvs/join.ts'
import { parseIpvsListing, parseProcIpvs } from '../../src/kernel/ipvs/parse-listing.ts'
import { parseIpvsSave } from '../../src/kernel/ipvs/parse-save.ts'
import type { IpvsTable } from '../../src/kernel/ipvs/types.ts'
import { needs } from '../support/needs.ts'
import { scenarioOf } from './lab.ts'
import { runInVm } from './runner.ts'

// in the order in which ipvsadm sorts (ipvs_cmp_services): marks last, IPv4 before IPv6, TCP, UDP, SCTP; addresses by signed difference
const text = `
-A -t 172.18.0.11:30080 -s rr
-a -t 172.18.0.11:30080 -r 10.244.1.2:8080 -m -w 1
-A -t 10.96.0.1:80 -s sh -p 600 -M 255.255.255.0 -b sh-fallback,sh-port
-a -t 10.96.0.1:80 -r 172.18.0.100:80 -m -w 3
-a -t 10.96.0.1:80 -r 10.244.1.2:8080 -m -w 0
-a -t 10.96.0.1:80 -r 10.244.1.2:8081 -m -w 1
-a -t 10.96.0.1:80 -r 10.244.2.2:8080 -m -w 65535
-A -t 10.96.0.1:443 -s mh -b mh-fallback,mh-port
-A -t 10.96.0.2:80 -s wlc
-a -t 10.96.0.2:80 -r 10.244.1.2:80 -g -w 1
-a -t 10.96.0.2:80 -r 10.244.2.2:80 -i -w 1 --tun-type ipip
-a -t 10.96.0.2:80 -r 10.244.2.3:80 -i -w 2 --tun-type gue --tun-port 6080 --tun-nocsum
-a -t 10.96.0.2:80 -r 10.244.2.4:80 -i -w 2 --tun-type gre --tun-csum
-A -u 10.96.0.1:53 -s rr -o
-a -u 10.96.0.1:53 -r 10.244.1.2:53 -m -w 1
-A --sctp-service 10.96.0.1:132 -s dh
-a --sctp-service 10.96.0.1:132 -r 10.244.1.2:132 -m -w 1
-A -t [fd96::1]:80 -s lc -p 10800
-a -t [fd96::1]:80 -r [fd44:1::2]:8080 -m -w 1
-a -t [fd96::1]:80 -r [fd44:2::2]:8080 -m -w 1
-A -u [fd96::1]:53 -s rr -p 60 -M 64
-A -f 7 -s nq
-a -f 7 -r 10.244.1.2:0 -m -w 1
-A -f 7 -6 -s sed
-a -f 7 -6 -r [fd44:1::2]:0 -g -w 1
`.trimStart()

describe.runIf(needs('vm'))('ipvsadm', () => {
  const ours = formatIpvsSave(parseIpvsSave(text, 'typed'))
  let files: Readonly<Record<string, string>> = {}
  beforeAll(async () => {
    const [seen] = await runInVm([scenarioOf({ name: 'a table', setup: { n1: { ipvs: ours } }, flows: '' }, 4)], 120)
    if (!seen || 'error' in seen) throw new Error(seen?.error)
    files = seen.files.n1 ?? {}
  }, 200_000)

  test('what we print is what it prints', () => {
    expect(ours).toBe(text)
    expect(files['ipvsadm-save.txt']).toBe(ours)
  })

  test('ipvsadm -Ln is the same table, but for the kind of tunnel', () => {
    const listed = tableOfListing(parseIpvsListing(files['ipvsadm.txt'] ?? '', 'ipvsadm.txt')) as IpvsTable
    expect(formatIpvsSave(listed)).toBe(ours.replaceAll(/ --tun-[^\n]*/g, ''))
  })

  test('/proc/net/ip_vs shows all servers, the last added first', () => {
    const proc = parseProcIpvs(files['proc-ip_vs.txt'] ?? '', 'proc-ip_vs.txt')
    const { services } = joinListing(parseIpvsSave(ours, 'ours'), proc)
    const added = parseIpvsSave(ours, 'ours').services
    expect(services.map((s) => s.ordered)).toEqual(services.map(() => true))
    const names = (list: (typeof services)[number]['servers']) => list.map((s) => `${s.ip.text}:${s.port}`)
    expect(services.map((s) => names(s.servers))).toEqual(added.map((s) => names(s.servers).reverse()))
  })
})
