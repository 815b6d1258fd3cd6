import { describe, expect, it } from 'vitest'
import { calico, head, resource } from './read-manifest.ts'

describe('objects beside policies', () => {
  const pod = (rest: string) => `apiVersion: v1\nkind: Pod\nmetadata: {name: web, labels: {app: web}}\n${rest}`
  const ips = (yaml: string) => (resource(yaml) as { ips: readonly { text: string }[] }).ips.map((ip) => ip.text)

  it('pod', () => {
    const spec = `spec: {nodeName: n1, containers: [{ports: [{containerPort: 80, name: http}]}], initContainers: [{ports: [{containerPort: 53, protocol: UDP}]}]}`
    expect(resource(pod(spec))).toMatchObject({
      kind: 'Pod',
      metadata: { namespace: 'shop' },
      labels: { app: 'web' },
      node: 'n1',
      hostNetwork: false,
      finished: false,
      ports: [
        { name: 'http', protocol: 'TCP', port: 80 },
        { protocol: 'UDP', port: 53 },
      ],
    })
  })

  it('addresses: of the status, else as the network plug-in noted them', () => {
    expect(ips(pod('status: {podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.1}, {ip: "fd00::1"}]}'))).toEqual(['10.0.0.1', 'fd00::1'])
    expect(ips(pod('status: {podIP: 10.0.0.1}'))).toEqual(['10.0.0.1'])
    const noted = `apiVersion: v1\nkind: Pod\nmetadata: {name: web, annotations: {cni.projectcalico.org/podIPs: "10.0.0.2/32,fd00::2/128"}}`
    expect(ips(noted)).toEqual(['10.0.0.2', 'fd00::2'])
  })

  it('finished: by its phase, or when its network is gone', () => {
    expect(resource(pod('status: {phase: Succeeded}'))).toMatchObject({ finished: true })
    expect(resource(pod('status: {phase: Running}'))).toMatchObject({ finished: false })
    const deleted = `apiVersion: v1\nkind: Pod\nmetadata: {name: web, deletionTimestamp: "2026-01-01T00:00:00Z", annotations: {cni.projectcalico.org/podIP: ""}}`
    expect(resource(deleted)).toMatchObject({ finished: true })
  })

  it.each([
    ['apps/v1', 'Deployment', 'spec: {template: {metadata: {labels: {a: b}}, spec: {serviceAccountName: robot}}}', 1],
    ['apps/v1', 'StatefulSet', 'spec: {replicas: 3, template: {metadata: {labels: {a: b}}, spec: {serviceAccountName: robot}}}', 3],
    ['apps/v1', 'DaemonSet', 'spec: {template: {metadata: {labels: {a: b}}, spec: {serviceAccountName: robot}}}', undefined],
    ['v1', 'ReplicationController', 'spec: {replicas: 0, template: {metadata: {labels: {a: b}}, spec: {serviceAccountName: robot}}}', 0],
    ['batch/v1', 'CronJob', 'spec: {jobTemplate: {spec: {template: {metadata: {labels: {a: b}}, spec: {serviceAccountName: robot}}}}}', 1],
  ])('%s %s', (apiVersion, kind, spec, replicas) => {
    const read = resource(`${head(apiVersion, kind)}${spec}`)
    expect(read).toMatchObject({ kind: 'Workload', type: kind, template: { labels: { a: 'b' }, serviceAccount: 'robot' } })
    expect((read as { replicas?: number }).replicas).toBe(replicas)
  })

  it('Endpoints are read as slices of the Service of their name', () => {
    const yaml = `${head('v1', 'Endpoints')}subsets: [{addresses: [{ip: 10.0.0.1}], notReadyAddresses: [{ip: "fd00::1"}], ports: [{port: 80}]}]`
    expect(resource(yaml)).toMatchObject({
      kind: 'EndpointSlice',
      service: 'p',
      subsets: [{ addresses: [{ text: '10.0.0.1' }, { text: 'fd00::1' }], ports: [{ protocol: 'TCP', port: 80 }] }],
    })
  })

  it('automatic host endpoints are off unless they are on', () => {
    const yaml = (settings: string) =>
      calico(`{controllers: {node: {hostEndpoint: {${settings}}}, policy: {reconcilerPeriod: 5m}}}`, 'KubeControllersConfiguration')
    expect(resource(yaml('autoCreate: Disabled'))).not.toHaveProperty('hostEndpoints')
    expect(resource(yaml('autoCreate: Enabled'))).toMatchObject({ hostEndpoints: { createDefault: true, templates: [] } })
  })
})
