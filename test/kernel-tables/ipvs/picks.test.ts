/** What real kernels picked: connections recorded while `sh` and `mh` were at work, with the order of servers that /proc/net/ip_vs showed. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { joinListing } from '../../../src/kernel/ipvs/join.ts'
import { parseIpvsConnections } from '../../../src/kernel/ipvs/parse-connections.ts'
import { parseProcIpvs } from '../../../src/kernel/ipvs/parse-listing.ts'
import { parseIpvsSave } from '../../../src/kernel/ipvs/parse-save.ts'
import { schedule } from '../../../src/kernel/ipvs/schedule.ts'
import { captures } from '../../support/captures.ts'
import { needs } from '../../support/needs.ts'

const read = (name: string, file: string) => readFileSync(join(captures, name, 'nodes', file), 'utf8')

describe.runIf(needs('captures'))('picks of a real kernel', () => {
  // kube-proxy changed the scheduler of the same virtual servers in place: the order of ipip-ipvs holds in ipvs-schedulers
  test.each(['n1', 'n2'])('%s', (node) => {
    const saved = parseIpvsSave(read('ipvs-schedulers', `${node}/ipvsadm-save.txt`), 'save')
    const { services } = joinListing(saved, parseProcIpvs(read('ipip-ipvs', `${node}/proc-ip_vs.txt`), 'proc'))
    const connections = parseIpvsConnections(read('ipvs-schedulers', `${node}/after-probing/ipvsadm-conn.txt`), 'conn')
    const wrong: string[] = []
    let right = 0
    for (const c of connections) {
      const service = services.find(
        (s) => s.key.kind === 'address' && s.key.proto === c.proto && s.key.ip === c.virtual.ip && s.key.port === c.virtual.port,
      )
      if (!service?.ordered || service.servers.length < 2 || service.persistence || c.client.port === 0) continue
      const sport = { lo: c.client.port, hi: c.client.port }
      const picked = schedule(service, { src: c.client.ip, dst: c.virtual.ip, sport })
      const server = picked.kind === 'shares' && picked.shares.length === 1 ? picked.shares[0]?.server : undefined
      if (server?.ip === c.destination.ip && server.port === c.destination.port) right++
      else wrong.push(`${c.source.line}: ${server?.ip.text}`)
    }
    expect({ wrong: wrong.length, enough: right > 50 }, `${right} right, ${wrong.slice(0, 5)}`).toEqual({ wrong: 0, enough: true })
  })
})
