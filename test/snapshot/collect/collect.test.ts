import { expect, test } from 'vitest'
import { readNodes } from '../../../src/snapshot/collect/collect.ts'
import { podNames } from '../../../src/snapshot/collect/pod-names.ts'
import type { RunScript } from '../../../src/system/run-script.ts'

const says =
  (node: string, files: readonly string[], note = ''): RunScript =>
  async () => ({
    output: Buffer.from(
      `netctl-collect 1\nnode ${node}\n${note && `note ${note}\n`}${files.map((f) => `file ${f} 2\n${node}\n`).join('')}end\n`,
    ),
  })

const collect = async (...runs: readonly (readonly [label: string, run: RunScript])[]) => {
  const written: string[] = []
  const read = await readNodes(
    runs.map(([label, run]) => ({ label, run })),
    { script: '', patienceMs: 60_000, into: { write: (name, bytes) => written.push(`${name} ${bytes}`) } },
  )
  return { read, written }
}

test('a pod that two nodes have is the first one’s: no folder mixes two moments', async () => {
  const { read, written } = await collect(
    ['a', says('n1', ['node/x.txt', 'pods/t_db-0/ip-addr.json'])],
    ['b', says('n2', ['node/x.txt', 'pods/t_db-0/ip-addr.json', 'pods/t_db-0/nft.txt', 'pods/t_web/x.txt'])],
  )
  expect(written).toEqual(['nodes/n1/x.txt n1', 'pods/t_db-0/ip-addr.json n1', 'nodes/n2/x.txt n2', 'pods/t_web/x.txt n2'])
  expect(read.map(({ files, pods }) => [files, pods])).toEqual([
    [2, 1],
    [2, 1],
  ])
  expect(read[1]?.missing).toEqual(['pods/t_db-0: of a; what b has under this name is left out'])
})

test('what a node says of itself is told under its name', async () => {
  const { read } = await collect(
    ['a', says('n1', ['node/x.txt'], 'node/nft.txt: left out')],
    ['b', says('n2', ['node/x.txt'], 'pods/t_x: left out')],
  )
  expect(read.flatMap((n) => n.missing)).toEqual(['nodes/n1/nft.txt: left out', 'nodes/n2: pods/t_x: left out'])
})

test('a node has as long as it was given, each command half of it, 30 s at most', async () => {
  const asked: (readonly [string, number])[] = []
  const run: RunScript = async (_script, args, patienceMs) => {
    asked.push([args.join(' '), patienceMs])
    return { output: Buffer.alloc(0), failure: 'out of time' }
  }
  const into = { write: () => expect.fail('nothing came') }
  for (const patienceMs of [500, 10_000, 600_000]) await readNodes([{ label: 'a', name: 'n1', run }], { script: '', patienceMs, into })
  expect(asked).toEqual([
    ['1 n1', 500],
    ['5 n1', 10_000],
    ['30 n1', 600_000],
  ])
})

test('the pods that are wanted follow the node and its root', async () => {
  const asked: string[][] = []
  const run: RunScript = async (_script, args) => {
    asked.push([...args])
    return { output: Buffer.alloc(0), failure: 'stopped' }
  }
  const how = { script: '', patienceMs: 60_000, into: { write: () => expect.fail('nothing came') } }
  await readNodes([{ label: 'a', name: 'n1', pods: ['t/web-1', 't/db.0'], run }], how)
  await readNodes([{ label: 'a', pods: [], run }], how)
  expect(asked).toEqual([
    ['30', 'n1', '', 't_web-1', 't_db.0'],
    ['30', '', '', '-'],
  ])
})

test('pods that the node could not name are named by their uid, else by their address, else left out', async () => {
  const written: string[] = []
  const output = (files: readonly (readonly [string, string])[]) =>
    Buffer.from(`netctl-collect 1\nnode n1\n${files.map(([name, text]) => `file ${name} ${text.length}\n${text}\n`).join('')}end\n`)
  const addresses = (local: string) => `[{"addr_info":[{"local":"${local}"}]}]`
  const run: RunScript = async () => ({
    output: output([
      ['node/x.txt', 'x'],
      ['pods/-_u1/ip-addr.json', addresses('10.9.9.9')],
      ['pods/-_u2/ip-addr.json', addresses('10.244.0.2')],
      ['pods/-_u2/nft.txt', 'nft'],
      ['pods/-_u3/ip-addr.json', addresses('10.9.9.9')],
      ['pods/-_u4/ip-addr.json', addresses('172.18.0.11')],
    ]),
  })
  const pod = (name: string, uid: string, podIP: string, hostNetwork = false) => ({
    metadata: { namespace: 'shop', name, uid },
    spec: { hostNetwork },
    status: { podIP },
  })
  const podNames_ = podNames([
    pod('web-1', 'u1', '10.244.0.1'),
    pod('web-2', 'other', '10.244.0.2'),
    pod('host', 'h', '172.18.0.11', true),
    pod('../evil', 'u3', '10.9.9.9'),
  ])
  const [read] = await readNodes([{ label: 'n1', run }], {
    script: '',
    patienceMs: 1000,
    into: { write: (name) => written.push(name) },
    podNames: async () => podNames_,
  })
  expect(written).toEqual(['nodes/n1/x.txt', 'pods/shop_web-1/ip-addr.json', 'pods/shop_web-2/ip-addr.json', 'pods/shop_web-2/nft.txt'])
  expect(read?.missing).toEqual(["pods: 2 left out, as neither the node nor the cluster's objects tell their names; uid u3, u4"])
})

test('a node that was broken into does not speak for pods of others', async () => {
  const written: string[] = []
  const into = { write: (name: string) => written.push(name) }
  const pod = (name: string, nodeName: string) => ({ metadata: { namespace: 't', name }, spec: { nodeName } })
  const names = podNames([pod('mine', 'n1'), pod('theirs', 'n2')])
  const run = says('n1', ['node/x.txt', 'pods/t_mine/x.txt', 'pods/t_theirs/x.txt', 'pods/t_new/x.txt'])
  const how = { script: '', patienceMs: 1000, into }
  const [all] = await readNodes([{ label: 'n1', name: 'n1', run }], { ...how, podNames: async () => names })
  expect(written.splice(0)).toEqual(['nodes/n1/x.txt', 'pods/t_mine/x.txt', 'pods/t_new/x.txt'])
  expect(all?.missing).toEqual(['pods/t_theirs: of n2; what n1 has under this name is left out'])
  const [wanted] = await readNodes([{ label: 'n1', name: 'n1', pods: ['t/mine'], run }], how)
  expect(written).toEqual(['nodes/n1/x.txt', 'pods/t_mine/x.txt'])
  expect(wanted?.missing[0]).toBe('pods/t_theirs: not asked for; what n1 has under this name is left out')
})
