/** netctl collect --from, with and without --redact. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openSnapshot } from '../../../src/snapshot/open.ts'
import { root } from '../../support/needs.ts'
import { netctl } from '../../support/netctl.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netctl-from-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const shop = join(root, 'examples/shop')
const write = (name: string, text: string): void => {
  mkdirSync(join(folder, name, '..'), { recursive: true })
  writeFileSync(join(folder, name), text)
}

describe('a folder of what tools printed', () => {
  test('becomes a snapshot; what is not in it is said with file and first line', async () => {
    write('dumps/n1/routes', 'default via 10.0.0.1 dev eth0 \n10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.2 \n')
    write('dumps/n1/todo', 'buy milk\n')
    const out = join(folder, 'out')
    const ran = await netctl(['collect', '--from', join(folder, 'dumps'), '-O', out])
    expect([ran.code, ran.stdout, ran.stderr]).toEqual([
      3,
      `${out}  0 objects, 1 node, 0 pods\nmissing\n  n1/todo: not recognised: “buy milk”\nnext     netctl snapshot show ${out}\n         netctl trace SRC DST --snapshot ${out}\n`,
      '',
    ])
    expect(readdirSync(join(out, 'nodes/n1'))).toEqual(['ip-route.json'])
    const { takenAt, source, missing } = JSON.parse(readFileSync(join(out, 'snapshot.json'), 'utf8'))
    expect([takenAt, source, missing]).toEqual([undefined, 'netctl collect --from', ['n1/todo: not recognised']])
  })

  test('is no snapshot yet, and other commands say what makes it one', async () => {
    write('dumps/n1/routes', 'default via 10.0.0.1 dev eth0\n')
    const dumps = join(folder, 'dumps')
    const ran = await netctl(['snapshot', 'show', '--snapshot', dumps])
    expect([ran.code, ran.stdout]).toEqual([2, ''])
    expect(ran.stderr).toContain(`netctl collect --from ${dumps} -O snapshot`)
  })

  test('without anything of a tool, nothing is written', async () => {
    write('dumps/readme', 'hello\n')
    const ran = await netctl(['collect', '--from', join(folder, 'dumps'), '-O', join(folder, 'out')])
    expect([ran.code, ran.stdout]).toEqual([2, ''])
    expect(ran.stderr).toContain('(COL004)')
    expect(readdirSync(folder)).toEqual(['dumps'])
  })
})

test('a snapshot that somebody made by hand: what none may hold is cut, kinds that none keeps are left out', async () => {
  const list = (kind: string, ...items: object[]) => JSON.stringify({ apiVersion: 'v1', kind: `${kind}List`, items })
  const metadata = { name: 'web', namespace: 'shop', annotations: { 'kubectl.kubernetes.io/last-applied-configuration': 'PLANTED' } }
  const containers = [{ name: 'c', env: [{ name: 'A', value: 'PLANTED' }], args: ['PLANTED'], ports: [{ containerPort: 80 }] }]
  write('made/snapshot.json', '{"schemaVersion": 1}')
  write('made/cluster/pods.json', list('Pod', { metadata, spec: { nodeName: 'n1', containers, volumes: [{ name: 'PLANTED' }] } }))
  write('made/cluster/secrets.json', list('Secret', { metadata: { name: 's' }, data: { a: 'PLANTED' } }))
  write('made/cluster/services.json', list('Service'))
  write('made/nodes/n1/wg-show.txt', 'interface: wg0\n  private key: PLANTED\n  listening port: 1\n')
  write('made/nodes/n1/bird.txt', 'Mesh_1 BGP\n  Password: PLANTED\n')
  write('made/nodes/n1/sysctl.txt', 'net.ipv4.ip_forward = 1\nnet.ipv6.conf.all.stable_secret = PLANTED\n')
  const out = join(folder, 'out')
  const ran = await netctl(['collect', '--from', join(folder, 'made'), '-O', out])
  expect([ran.code, ran.stderr]).toEqual([3, ''])
  expect(ran.stdout).toContain('cluster/secrets.json: left out, as a snapshot keeps no such objects')
  const read = (file: string) => readFileSync(join(out, file), 'utf8')
  expect(readdirSync(join(out, 'cluster')).sort()).toEqual(['pods.json', 'services.json'])
  const [pod] = JSON.parse(read('cluster/pods.json')).items
  expect(pod).toMatchObject({ kind: 'Pod', spec: { nodeName: 'n1', containers: [{ name: 'c', ports: [{ containerPort: 80 }] }] } })
  expect(JSON.parse(read('cluster/services.json'))).toMatchObject({ kind: 'ServiceList', items: [] })
  const all = (readdirSync(out, { recursive: true }) as string[]).filter((file) => /\.\w+$/.test(file)).map(read)
  expect(all.filter((text) => text.includes('PLANTED'))).toEqual([])
  expect(read('nodes/n1/sysctl.txt')).toBe('net.ipv4.ip_forward = 1\n')
})

test('--redact: the same answer, and no name of the original', async () => {
  const out = join(folder, 'redacted.tar.gz')
  const ran = await netctl(['collect', '--from', shop, '--redact', '-O', out])
  expect([ran.code, ran.stderr]).toEqual([3, ''])
  const show = await netctl(['snapshot', 'show', '--snapshot', out, '-o', 'json'])
  const { nodes, counts, source } = JSON.parse(show.stdout)
  const original = JSON.parse((await netctl(['snapshot', 'show', '--snapshot', shop, '-o', 'json'])).stdout)
  expect(nodes.map((n: { name: string }) => n.name)).toEqual(['node-1', 'node-2', 'node-3'])
  expect([counts.pods, counts.services, counts.rules, source]).toEqual([
    original.counts.pods,
    original.counts.services,
    original.counts.rules,
    'netctl collect --redact',
  ])
  expect(show.stdout).not.toContain('shop')
  // the key is another each time: one address may fall on itself, all of them together do not (45 bits and more are turned or not)
  const addresses = async (path: string) => (await openSnapshot(path)).cluster.pods.flatMap(({ ips }) => ips.map(({ text }) => text)).sort()
  expect(await addresses(out)).not.toEqual(await addresses(shop))
})

test('what is recorded and what runs are two things', async () => {
  const ran = await netctl(['collect', '--from', shop, '--local', '-O', join(folder, 'out')])
  expect([ran.code, ran.stdout]).toEqual([2, ''])
})
