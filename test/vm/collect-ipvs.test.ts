/** The collector on a node whose kernel has IPVS: what it brings is what the kernel has, in the kernel's order. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, test } from 'vitest'
import { parseIpvsSave } from '../../src/kernel/ipvs/parse-save.ts'
import { readStream } from '../../src/snapshot/collect/stream.ts'
import { loadSnapshot } from '../../src/snapshot/load.ts'
import { memoryFiles } from '../../src/system/files-memory.ts'
import { script } from '../support/collected-lab.ts'
import { needs } from '../support/needs.ts'

/** as ipvsadm sorts them */
const table = `-A -t 10.96.0.1:80 -s sh -p 600
-a -t 10.96.0.1:80 -r 10.244.1.2:8080 -m -w 1
-a -t 10.96.0.1:80 -r 10.244.1.3:8080 -m -w 2
-a -t 10.96.0.1:80 -r 10.244.1.4:8080 -m -w 1
-A -u 10.96.0.1:53 -s rr
-a -u 10.96.0.1:53 -r 10.244.1.2:53 -m -w 1
-A -t [fd96::1]:80 -s mh
-a -t [fd96::1]:80 -r [fd44:1::2]:8080 -m -w 1
-a -t [fd96::1]:80 -r [fd44:1::3]:8080 -m -w 1
`

const setup = `modprobe -a ip_vs ip_vs_sh ip_vs_rr ip_vs_mh dummy nf_conntrack nf_tables
ip link set lo up; ip link add kube-ipvs0 type dummy; ip addr add 10.96.0.1/32 dev kube-ipvs0; ip -6 addr add fd96::1/128 dev kube-ipvs0
ip link add eth0 type dummy; ip link set eth0 up; ip addr add 10.244.1.1/24 dev eth0
ipvsadm -R < table
bash -c 'echo question > /dev/udp/10.96.0.1/53'
ipvsadm-save -n > saved; cat /proc/net/ip_vs > listed
sh -s -- 60 n1 < script > stream`

describe.runIf(needs('vm'))('the collector where the kernel has IPVS', () => {
  test('tables, order, connections and settings', { timeout: 600_000 }, async () => {
    const share = mkdtempSync(join(tmpdir(), 'netctl-vm-'))
    try {
      writeFileSync(join(share, 'table'), table)
      writeFileSync(join(share, 'script'), script)
      await execa(join(import.meta.dirname, 'boot.sh'), [share, '400', 'sh', '-c', `cd ${share} && ${setup}`], { stdin: 'ignore' })
      const { files, notes, whole } = readStream(readFileSync(join(share, 'stream')))
      const text = (name: string): string | undefined => files.get(`nodes/n1/${name}`)?.toString()
      expect([whole, notes.filter((note) => /ipvs|ip_vs|conntrack/.test(note))]).toEqual([true, []])
      expect(readFileSync(join(share, 'saved'), 'utf8')).toBe(table)
      expect(text('ipvsadm-save.txt')).toBe(table)
      expect(text('proc-ip_vs.txt')).toBe(readFileSync(join(share, 'listed'), 'utf8'))
      expect(text('ipvsadm-thresholds.txt')).toContain('Uthreshold')

      const host = loadSnapshot(memoryFiles('collected', files)).hosts.get('node/n1')
      expect(host?.ipvs?.sysctls?.get('net.ipv4.vs.conntrack')?.value).toMatch(/^[01]$/)
      // the last one that was added is the first
      const servers = (services: ReturnType<typeof parseIpvsSave>['services'], order: 1 | -1) =>
        services.map(({ servers }) => [...servers].map((s) => s.ip.text).sort((a, b) => order * (a < b ? -1 : 1)))
      expect(host?.ipvs?.table.services.map((s) => s.ordered)).toEqual([true, true, true])
      expect(host?.ipvs?.table.services.map((s) => s.servers.map((r) => r.ip.text))).toEqual(
        servers(parseIpvsSave(table, 'table').services, -1),
      )
      expect(host?.ipvs?.connections?.map((c) => [c.proto, c.virtual.ip.text, c.virtual.port])).toEqual([['udp', '10.96.0.1', 53]])
    } finally {
      rmSync(share, { recursive: true, force: true })
    }
  })
})
