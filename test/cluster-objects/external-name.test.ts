import { expect, test } from 'vitest'
import { service } from '../../src/cluster/core.ts'
import { leadsByName } from '../../src/cluster/external-name.ts'
import { rec } from '../../src/cluster/items.ts'

const named = (name: string, spec: object) => {
  const source = () => ({ file: 'cluster/services.json', line: 1 })
  return service({ json: {}, metadata: {}, spec: rec(spec), status: {}, name, namespace: 'shop', source, sourceOf: source })
}
const web = named('web', { clusterIP: '10.96.0.1', ports: [{ port: 80 }] })
const said = (externalName: string, port?: string) => {
  const error = leadsByName(named('alias', { type: 'ExternalName', externalName }), [web], port)
  return [error?.message, error?.try]
}

test('a Service of another type is no mere name', () => expect(leadsByName(web, [web])).toBeUndefined())

test.each([
  ['web.shop.svc.cluster.local', ':80', 'svc/shop/web:80'],
  ['web.shop.svc', '', 'svc/shop/web'],
  ['web.shop.svc.k8s.example', ':80/udp', 'svc/shop/web:80/udp'],
  // nobody of the cluster's
  ['api.shop.svc.cluster.local', '', 'the address that it resolves to, 203.0.113.9:PORT for instance'],
  ['web.shop.example.com', ':443', 'the address that it resolves to, 203.0.113.9:443 for instance'],
])('%s%s', (name, port, way) =>
  expect(said(name, port)).toEqual([`svc/shop/alias is no more than another name for ${name} in DNS (ExternalName)`, way]),
)

test('an address is no name', () => {
  const [message, way] = said('198.51.100.7', ':5432')
  expect(message).toMatch(/\(ExternalName\), where an address is none$/)
  expect(way).toBe('the address itself: 198.51.100.7:5432')
})
