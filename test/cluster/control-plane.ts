/** Kubernetes' control plane inside a machine: etcd, API server, controller manager and scheduler, as kubeadm would set them up but for durability. */
import { spawn } from 'node:child_process'
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { built } from './build.ts'
import { kubeconfigText, makeAuthority, type Pair } from './certificates.ts'
import { makeMachine } from './machine.ts'
import { apiPort, machineAddress, podRange, serviceRange } from './network.ts'
import { slowness } from './slowness.ts'
import type { Built, ClusterOptions, ControlPlane, Machine } from './types.ts'

const PATIENCE_MS = 240_000 * slowness

/** A control plane without nodes: enough for what asks the API only. */
export async function controlPlaneAlone(options: Pick<ClusterOptions, 'dual'> = {}): Promise<ControlPlane & { end(): Promise<void> }> {
  const binaries = await built()
  const machine = await makeMachine()
  try {
    return { ...(await startControlPlane(machine, binaries, options)), end: () => machine.end() }
  } catch (error) {
    await machine.end()
    throw error
  }
}

/** Resolves when the API answers and the controllers are at work. */
export async function startControlPlane(
  machine: Machine,
  { bin }: Built,
  { dual = false }: Pick<ClusterOptions, 'dual'>,
): Promise<ControlPlane> {
  const folder = join(machine.folder, 'control-plane')
  mkdirSync(folder)
  const authority = await makeAuthority(folder)
  const [server, kubeletClient, serviceAccounts, admin] = await Promise.all([
    authority.server('kube-apiserver', ['127.0.0.1', ...machineAddress, firstOf(serviceRange[0]), firstOf(serviceRange[1])]),
    authority.client('kube-apiserver-kubelet-client', ['system:masters']),
    authority.server('service-accounts', []),
    authority.client('admin', ['system:masters']),
  ])
  const inside = `https://${machineAddress[0]}:${apiPort}`
  const kubeconfigFor = async (user: string, groups: readonly string[] = [], api = inside): Promise<string> =>
    kubeconfigText(api, authority.file, await authority.client(user, groups))
  const kubeconfigFile = async (user: string, groups: readonly string[] = []): Promise<string> => {
    const file = join(folder, `${user.replace('system:', '')}.kubeconfig`)
    writeFileSync(file, await kubeconfigFor(user, groups), { mode: 0o600 })
    return file
  }
  const families = <T>(pair: readonly [T, T]): string => pair.slice(0, dual ? 2 : 1).join(',')

  let failure: string | undefined
  const start = (name: string, flags: Readonly<Record<string, string | number | boolean>>): void => {
    const log = openSync(join(folder, `${name}.log`), 'a')
    const [command = '', ...args] = [...machine.inside, join(bin, name), ...Object.entries(flags).map(([k, v]) => `--${k}=${v}`)]
    // a proxy of this machine's is not on the way between them
    const child = spawn(command, args, { cwd: folder, env: { PATH: process.env.PATH }, stdio: ['ignore', log, log] })
    child.on('exit', () => {
      failure ??= name
    })
    child.unref()
  }

  const until = async (fulfilled: () => Promise<boolean>): Promise<void> => {
    const deadline = Date.now() + PATIENCE_MS
    while (!(await fulfilled())) {
      if (failure !== undefined) throw new Error(`${failure} ended: ${readFileSync(join(folder, `${failure}.log`), 'utf8').slice(-2000)}`)
      if (Date.now() > deadline) throw new Error(`the control plane was not ready after ${PATIENCE_MS / 1000} s`)
      await sleep(100)
    }
  }

  start('etcd', {
    'data-dir': join(folder, 'etcd'),
    'unsafe-no-fsync': true,
    'listen-client-urls': 'http://127.0.0.1:2379',
    'advertise-client-urls': 'http://127.0.0.1:2379',
  })
  start('kube-apiserver', {
    'advertise-address': machineAddress[0],
    'secure-port': apiPort,
    'etcd-servers': 'http://127.0.0.1:2379',
    'authorization-mode': 'Node,RBAC',
    'enable-admission-plugins': 'NodeRestriction',
    'allow-privileged': true,
    'client-ca-file': authority.file,
    'tls-cert-file': server.certificate,
    'tls-private-key-file': server.key,
    'kubelet-client-certificate': kubeletClient.certificate,
    'kubelet-client-key': kubeletClient.key,
    'kubelet-preferred-address-types': 'InternalIP',
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-account-key-file': serviceAccounts.certificate,
    'service-account-signing-key-file': serviceAccounts.key,
    'service-cluster-ip-range': families(serviceRange),
  })
  const port = await machine.forward(machineAddress[0], apiPort)
  const outside = `https://127.0.0.1:${port}`
  const kubeconfig = join(folder, 'admin.kubeconfig')
  writeFileSync(kubeconfig, kubeconfigText(outside, authority.file, admin), { mode: 0o600 })

  const ask = (path: string) => statusOf(outside + path, authority.file, admin)
  await until(async () => (await ask('/readyz')) === 200)
  start('kube-controller-manager', {
    // one account instead of one for each of 40 controllers, which takes seconds
    kubeconfig: await kubeconfigFile('system:kube-controller-manager', ['system:masters']),
    'leader-elect': false,
    'service-account-private-key-file': serviceAccounts.key,
    'root-ca-file': authority.file,
    'allocate-node-cidrs': true,
    'cluster-cidr': families(podRange),
    'service-cluster-ip-range': families(serviceRange),
    // a node that is gone is told in seconds
    'node-monitor-period': '2s',
    'node-monitor-grace-period': '20s',
  })
  start('kube-scheduler', { kubeconfig: await kubeconfigFile('system:kube-scheduler'), 'leader-elect': false })
  // pods are refused before
  await until(async () => (await ask('/api/v1/namespaces/default/serviceaccounts/default')) === 200)
  return { kubeconfig, kubeconfigFor, outside, ca: authority.file }
}

/** 10.96.0.0/16 → 10.96.0.1, the API's own Service */
function firstOf(range: string): string {
  return range.replace(/(\.0|::)\/\d+$/, (_, end: string) => (end === '::' ? '::1' : '.1'))
}

function statusOf(url: string, ca: string, client: Pair): Promise<number | undefined> {
  return new Promise((resolve) => {
    const options = {
      ca: readFileSync(ca),
      cert: readFileSync(client.certificate),
      key: readFileSync(client.key),
      timeout: 5000,
      agent: false as const,
    }
    const asked = request(url, options, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    asked.on('timeout', () => asked.destroy())
    asked.on('error', () => resolve(undefined))
    asked.end()
  })
}
