/** examples/rbac before a real API server: what test/kube/roles.test.ts has from the fake. */
import { readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rec } from '../../src/cluster/items.ts'
import { openContext } from '../../src/kube/kubeconfig.ts'
import { openWay } from '../../src/kube/open-way.ts'
import { readAllowed } from '../../src/kube/read-cluster.ts'
import { SNAPSHOT_RESOURCES } from '../../src/snapshot/collect/objects.ts'
import type { Way } from '../../src/system/way.ts'
import { needs, root } from '../support/needs.ts'
import { built } from './build.ts'
import { controlPlaneAlone } from './control-plane.ts'
import { run } from './run.ts'

const manifests = readdirSync(join(root, 'examples/rbac')).map((file) => join(root, 'examples/rbac', file))
const agent = (app: string, namespace: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: app, namespace, labels: { 'k8s-app': app } },
    spec: {
      nodeName: `node-of-${app}`,
      hostNetwork: true,
      containers: [{ name: app, image: 'none', securityContext: { privileged: true } }],
    },
  })
const running = (app: string): string =>
  JSON.stringify({
    status: {
      phase: 'Running',
      containerStatuses: [{ name: app, image: '', imageID: '', ready: true, restartCount: 0, state: { running: {} } }],
    },
  })

describe.runIf(needs('cluster'))('the three levels', () => {
  let control: Awaited<ReturnType<typeof controlPlaneAlone>>
  let kubectl: (words: readonly string[], input?: string) => Promise<string>
  beforeAll(async () => {
    const { bin } = await built()
    control = await controlPlaneAlone()
    kubectl = (words, input) => run([join(bin, 'kubectl'), '--kubeconfig', control.kubeconfig, ...words], input)
    await kubectl(['create', 'namespace', 'calico-system'])
    await kubectl(['apply', ...manifests.flatMap((file) => ['-f', file])])
    for (const [app, namespace] of [
      ['kube-proxy', 'kube-system'],
      ['calico-node', 'calico-system'],
    ] as const) {
      await kubectl(['apply', '--validate=false', '-f', '-'], agent(app, namespace))
      await kubectl(['patch', 'pod', app, '-n', namespace, '--subresource=status', '-p', running(app)])
    }
  }, 1_200_000)
  afterAll(() => control?.end())

  /** a kubeconfig of somebody of that level */
  const who = async (level: string): Promise<string> => {
    const file = join(dirname(control.kubeconfig), `${level}.kubeconfig`)
    writeFileSync(file, await control.kubeconfigFor(`someone-${level}`, [`netctl-${level}`], control.outside))
    return file
  }
  const refusedOf = async (kubeconfig: string): Promise<readonly string[]> =>
    (await readAllowed(kubeconfig, undefined, SNAPSHOT_RESOURCES)).refused
  const way = async (kubeconfig: string, via: 'exec' | 'pod'): Promise<Way | { readonly missing: string }> =>
    openWay(await openContext(kubeconfig, undefined), {
      via,
      podImage: 'busybox:1.37.0',
      patienceMs: 1000,
      lifetimeMs: 10_000,
      consent: async () => true,
      tell: () => undefined,
    })
  /** The role with other rules, for as long as `then` takes. */
  async function changed(role: string, rules: readonly unknown[], then: () => Promise<void>): Promise<void> {
    const set = (to: readonly unknown[]) => kubectl(['patch', 'clusterrole', role, '--type=merge', '-p', JSON.stringify({ rules: to })])
    const before = rec(JSON.parse(await kubectl(['get', 'clusterrole', role, '-o', 'json']))).rules as readonly unknown[]
    await set(rules)
    await then().finally(() => set(before))
  }

  test.each(['read', 'observe', 'act'])('%s lists everything that is read', async (level) => {
    const file = await who(level)
    // the authorizer hears of roles by a watch
    await expect.poll(() => refusedOf(file)).toEqual([])
  })

  test('read: one kind less, and it is named', async () => {
    const file = await who('read')
    const [rule] = rec(JSON.parse(await kubectl(['get', 'clusterrole', 'netctl-read', '-o', 'json']))).rules as readonly {
      resources: readonly string[]
    }[]
    const rules = (resources: readonly string[]) => [
      { apiGroups: [''], resources, verbs: ['list'] },
      { apiGroups: ['discovery.k8s.io', 'networking.k8s.io'], resources: ['endpointslices', 'networkpolicies'], verbs: ['list'] },
    ]
    expect(rule?.resources.length).toBe(5)
    for (const left of rule?.resources ?? []) {
      await changed('netctl-read', rules(rule?.resources.filter((one) => one !== left) ?? []), () =>
        expect.poll(() => refusedOf(file)).toEqual([`list ${left}`]),
      )
    }
  })

  test('read has no way to nodes, and what it lacks is named; observe has exec and no pods', async () => {
    const without =
      'the right lacks to get pods/exec in calico-system, create pods/exec in calico-system, get pods/exec in kube-system, create pods/exec in kube-system ('
    const read = await who('read')
    await expect.poll(() => way(read, 'exec')).toMatchObject({ missing: expect.stringContaining(without) })
    expect(await way(await who('observe'), 'exec')).toMatchObject({ kind: 'exec' })
    expect(await way(await who('observe'), 'pod')).toMatchObject({
      missing: expect.stringContaining(
        'create jobs.batch in netctl, delete jobs.batch in netctl, get pods/exec in netctl, create pods/exec in netctl',
      ),
    })
  })

  test.each(['get', 'create'])('exec needs to %s: without it the API server refuses', async (verb) => {
    const enter = async (opened: Awaited<ReturnType<typeof way>>): Promise<string | undefined> => {
      const script = 'missing' in opened ? opened : await opened.to('node-of-kube-proxy')
      return 'missing' in script ? script.missing : (await script('true', [], 5000)).failure
    }
    await expect.poll(async () => await way(await who('observe'), 'exec')).toMatchObject({ kind: 'exec' })
    const opened = await way(await who('observe'), 'exec')
    // no kubelet is there: so far it is allowed
    expect(await enter(opened)).not.toContain('right')
    const rules = [{ apiGroups: [''], resources: ['pods/exec'], verbs: ['get', 'create'].filter((one) => one !== verb) }]
    await changed('netctl-observe', rules, async () => {
      await expect
        .poll(() => enter(opened))
        .toBe(
          'no connection to kube-proxy: the right lacks to get and create pods/exec in kube-system'.replace(
            'no connection to kube-proxy: ',
            '',
          ),
        )
      expect(await way(await who('observe'), 'exec')).toMatchObject({
        missing: `by exec: the right lacks to ${verb} pods/exec in calico-system, ${verb} pods/exec in kube-system (kubectl auth can-i ${verb} pods --subresource=exec -n calico-system)`,
      })
    })
  })

  test('act makes a Job in its namespace, and deletes it', async () => {
    const opened = await way(await who('act'), 'pod')
    if ('missing' in opened) throw new Error(opened.missing)
    const reached = opened.to('node-of-kube-proxy')
    await expect.poll(() => kubectl(['get', 'jobs', '-n', 'netctl', '-o', 'name'])).toMatch(/^job.batch\/netctl-/)
    // it never starts there
    expect(await reached).toMatchObject({ missing: expect.not.stringContaining('right') })
    expect(await opened.close()).toEqual([])
    await expect.poll(() => kubectl(['get', 'jobs', '-n', 'netctl', '-o', 'name'])).toBe('')
  })
})
