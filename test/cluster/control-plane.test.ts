import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { needs } from '../support/needs.ts'
import { built } from './build.ts'
import { controlPlaneAlone } from './control-plane.ts'

describe.runIf(needs('cluster'))('a control plane without nodes', () => {
  let control: Awaited<ReturnType<typeof controlPlaneAlone>>
  let kubectl = ''
  // what isn't built yet is built now
  beforeAll(async () => {
    kubectl = join((await built()).bin, 'kubectl')
    control = await controlPlaneAlone({ dual: true })
  }, 1_200_000)
  afterAll(() => control?.end())

  const ask = async (kubeconfig: string, ...words: readonly string[]): Promise<string> => {
    const { stdout, stderr } = await execa(kubectl, ['--kubeconfig', kubeconfig, ...words], { reject: false })
    return stdout + stderr
  }

  test('is of the version that its modules say', async () => {
    expect(JSON.parse(await ask(control.kubeconfig, 'get', '--raw', '/version'))).toMatchObject({
      gitVersion: 'v1.36.0',
      major: '1',
      minor: '36',
    })
  })

  test('gives services addresses of both families', async () => {
    await ask(control.kubeconfig, 'create', 'service', 'clusterip', 'plain', '--tcp=80')
    await ask(control.kubeconfig, 'patch', 'service', 'plain', '-p', '{"spec":{"ipFamilyPolicy":"RequireDualStack"}}')
    expect(await ask(control.kubeconfig, 'get', 'service', 'plain', '-o', 'jsonpath={.spec.clusterIPs}')).toMatch(
      /^\["10\.96\.\d+\.\d+","fd96::[0-9a-f]+"\]$/,
    )
  })

  test('knows users by their certificates, and what they may', async () => {
    const file = join(dirname(control.kubeconfig), 'reader.kubeconfig')
    writeFileSync(file, await control.kubeconfigFor('reader', ['readers', 'writers'], control.outside))
    expect(await ask(file, 'auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username} {.status.userInfo.groups}')).toBe(
      'reader ["readers","writers","system:authenticated"]',
    )
    expect(await ask(file, 'get', 'pods')).toContain('User "reader" cannot list resource "pods"')
    await ask(control.kubeconfig, 'create', 'clusterrolebinding', 'readers', '--clusterrole=view', '--group=readers')
    expect(await ask(file, 'get', 'pods')).toContain('No resources found')
  })
})
