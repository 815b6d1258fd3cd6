import { expect, test } from 'vitest'
import { cut } from '../../../src/snapshot/collect/cut.ts'

const applied = { 'kubectl.kubernetes.io/last-applied-configuration': 'planted', 'example.com/token': 'planted' }

/** `planted` wherever a secret can stand */
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'web',
    namespace: 'shop',
    labels: { app: 'web' },
    annotations: { ...applied, 'cni.projectcalico.org/podIP': '10.244.1.2/32' },
    managedFields: [{ fieldsV1: { 'k:planted': {} } }],
  },
  spec: {
    nodeName: 'n1',
    serviceAccountName: 'web',
    imagePullSecrets: [{ name: 'planted' }],
    volumes: [{ name: 'planted', secret: { secretName: 'planted' } }],
    hostAliases: [{ ip: '1.2.3.4', hostnames: ['planted'] }],
    containers: [
      {
        name: 'web',
        image: 'web:1',
        ports: [{ name: 'http', containerPort: 8080 }],
        env: [{ name: 'PASSWORD', value: 'planted' }],
        envFrom: [{ secretRef: { name: 'planted' } }],
        args: ['--token=planted'],
        command: ['sh', '-c', 'planted'],
        volumeMounts: [{ name: 'planted' }],
        livenessProbe: { httpGet: { httpHeaders: [{ name: 'x', value: 'planted' }] } },
        lifecycle: { preStop: { exec: { command: ['planted'] } } },
      },
    ],
    initContainers: [{ name: 'mesh', restartPolicy: 'Always', ports: [{ containerPort: 15001 }], env: [{ name: 'A', value: 'planted' }] }],
    ephemeralContainers: [{ name: 'debug', command: ['planted'] }],
  },
  status: {
    phase: 'Running',
    podIP: '10.244.1.2',
    podIPs: [{ ip: '10.244.1.2' }],
    message: 'planted',
    conditions: [{ type: 'Ready', status: 'True', message: 'planted' }],
    containerStatuses: [{ name: 'web', state: { terminated: { message: 'planted' } } }],
  },
}

test('of a pod: who, where and which ports', () => {
  expect(cut(pod)).toEqual({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop', labels: { app: 'web' }, annotations: { 'cni.projectcalico.org/podIP': '10.244.1.2/32' } },
    spec: {
      nodeName: 'n1',
      serviceAccountName: 'web',
      containers: [{ name: 'web', image: 'web:1', ports: [{ name: 'http', containerPort: 8080 }] }],
      initContainers: [{ name: 'mesh', restartPolicy: 'Always', ports: [{ containerPort: 15001 }] }],
    },
    status: { phase: 'Running', podIP: '10.244.1.2', podIPs: [{ ip: '10.244.1.2' }], conditions: [{ type: 'Ready', status: 'True' }] },
  })
})

test('of a service account: no names of Secrets; of a node: no images', () => {
  const account = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'web' },
    secrets: [{ name: 'planted' }],
    imagePullSecrets: [{ name: 'planted' }],
  }
  expect(cut(account)).toEqual({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'web' } })
  const node = {
    kind: 'Node',
    metadata: { name: 'n1' },
    spec: { podCIDR: '10.244.1.0/24' },
    status: { addresses: [], images: [{ names: ['planted'] }] },
  }
  expect(cut(node)).toEqual({ kind: 'Node', metadata: { name: 'n1' }, spec: { podCIDR: '10.244.1.0/24' }, status: { addresses: [] } })
})

test('policies and services stay as they are, but for annotations, also those that Calico stores', () => {
  const stored = JSON.stringify({ name: 'p', uid: 'u', annotations: applied })
  const policy = {
    apiVersion: 'crd.projectcalico.org/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'default.p', annotations: { ...applied, 'projectcalico.org/metadata': stored } },
    spec: { selector: 'all()', ingress: [{ action: 'Allow' }] },
  }
  expect(cut(policy)).toEqual({
    ...policy,
    metadata: { name: 'default.p', annotations: { 'projectcalico.org/metadata': '{"name":"p","uid":"u"}' } },
  })
  const slice = { kind: 'EndpointSlice', metadata: { name: 's' }, addressType: 'IPv4', endpoints: [{ addresses: ['10.0.0.1'] }], ports: [] }
  expect(cut(slice)).toEqual(slice)
})
