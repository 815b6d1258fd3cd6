/**
 * `netctl policy test` of 1,000 expectations on 500 pods, whole process; and `netctl policy eval` of 100,000 flows. The clusters are the
 * synthetic ones of the peers' figures. Needs python3 and the generator.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { makeRandom } from '../test/kernel/random.ts'
import { inScratch, netctl, peakMemory, race, report } from './measure.ts'

const generator = resolve(import.meta.dirname, '../../shared/bench/gen_policy_cluster.py')
const [node = '', ...program] = netctl

interface Flow {
  readonly src: string
  readonly dst: string
  readonly protocol: 'TCP'
  readonly port: number
}

if (!existsSync(generator)) report('policy test', 'skipped', 'needs ../shared/bench')
else
  inScratch((scratch) => {
    execFileSync('python3', [generator, scratch, '--pods', '500', '--policies', '100', '--seed', '7'])
    const manifests = join(scratch, 'manifests')
    const pods = [...readFileSync(join(manifests, 'pods.yaml'), 'utf8').matchAll(/"name": "(pod\d+)", "namespace": "(\w+)"/g)].map(
      (m) => `${m[2]}/${m[1]}`,
    )
    const random = makeRandom(7)
    const flows = Array.from(
      { length: 100_000 },
      (): Flow => ({ src: random.pick(pods), dst: random.pick(pods), protocol: 'TCP', port: random.pick([80, 443, 5432, 8080]) }),
    )
    const file = join(scratch, 'flows.jsonl')
    writeFileSync(file, flows.map((flow) => `${JSON.stringify(flow)}\n`).join(''))
    const evaluate = [node, ...program, 'policy', 'eval', '-f', manifests, '--flows', file, '-o', 'jsonl']
    const verdicts = execFileSync(node, evaluate.slice(1), { encoding: 'utf8', maxBuffer: 2 ** 30 })
      .trim()
      .split('\n')
    const tests = join(scratch, 'tests.yaml')
    writeFileSync(tests, document(flows.slice(0, 1000), verdicts))
    const test = [node, ...program, 'policy', 'test', tests, '-f', manifests, '-q']
    // all of them hold, so nothing is measured but asking
    execFileSync(node, test.slice(1), { stdio: 'ignore' })
    const times = race(
      [
        { name: 'test', argv: test },
        { name: 'eval', argv: evaluate },
        { name: 'bare', argv: [node, '-e', '0'] },
      ],
      5,
    )
    const seconds = (name: string): number => times.get(name) ?? Number.NaN
    report(
      'policy test, 1,000 expectations, 500 pods',
      `${seconds('test').toFixed(2)} s`,
      `${peakMemory(test).toFixed(0)} MB, ${(seconds('test') / seconds('bare')).toFixed(1)} × bare node`,
    )
    report(
      'policy eval, 100,000 flows, 500 pods',
      `${seconds('eval').toFixed(2)} s`,
      `${Math.round(flows.length / seconds('eval'))} flows/s`,
    )
  })

function document(flows: readonly Flow[], verdicts: readonly string[]): string {
  const entries = flows.flatMap(({ src, dst, port }, i) => [
    `    - name: ${src} to ${dst}`,
    `      from: pod/${src}`,
    `      to: pod/${dst}`,
    `      port: ${port}`,
    `      expect: ${verdicts[i]?.startsWith('{"allowed":true') ? 'allow' : 'deny'}`,
  ])
  return ['apiVersion: netctl.dev/v1alpha1', 'kind: PolicyTest', 'spec:', '  tests:', ...entries, ''].join('\n')
}
