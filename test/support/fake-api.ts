/** An API server on loopback that says what a test wants it to say, and a kubeconfig that leads there. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A status and a body (JSON, or a text as it is); `hang` never answers. */
export type Reply = { readonly status: number; readonly body: unknown; readonly headers?: Readonly<Record<string, string>> } | 'hang'

export interface FakeApi {
  readonly url: string
  readonly kubeconfig: string
  /** paths that were asked for, with their queries */
  readonly asked: readonly string[]
  close(): void
}

/** Answers as `reply` says; undefined is a 404 as an API server gives it. */
export async function fakeApi(reply: (path: string, query: URLSearchParams) => Reply | undefined): Promise<FakeApi> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    asked.push(`${url.pathname}${url.search}`)
    const said = reply(url.pathname, url.searchParams) ?? { status: 404, body: { kind: 'Status', status: 'Failure', reason: 'NotFound' } }
    if (said === 'hang') return
    response.writeHead(said.status, { 'content-type': 'application/json', ...said.headers })
    response.end(typeof said.body === 'string' ? said.body : JSON.stringify(said.body))
  })
  // as an API server; Node's 5 s cut connections that a busy client still means to use
  server.keepAliveTimeout = 90_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { kubeconfig, remove } = writeKubeconfig(url)
  return {
    url,
    kubeconfig,
    asked,
    close() {
      server.closeAllConnections()
      server.close()
      remove()
    },
  }
}

/** A kubeconfig whose only context, `prod`, leads to a server. */
export function writeKubeconfig(url: string): { readonly kubeconfig: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'netctl-fake-api-'))
  const kubeconfig = join(folder, 'config')
  writeFileSync(
    kubeconfig,
    `apiVersion: v1
kind: Config
current-context: prod
clusters: [{name: c, cluster: {server: "${url}"}}]
users: [{name: u, user: {token: secret-token}}]
contexts: [{name: prod, context: {cluster: c, user: u, namespace: shop}}]
`,
  )
  return { kubeconfig, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

export const ok = (body: unknown): Reply => ({ status: 200, body })

/** What an API server lists at `/apis`: group → its versions. */
export const groupList = (groups: Readonly<Record<string, readonly string[]>>): Reply =>
  ok({
    kind: 'APIGroupList',
    groups: Object.entries(groups).map(([name, versions]) => ({
      name,
      versions: versions.map((version) => ({ groupVersion: `${name}/${version}`, version })),
    })),
  })

/** What it lists at `/apis/GROUP/VERSION`. */
export const resourceList = (...plurals: readonly string[]): Reply =>
  ok({ kind: 'APIResourceList', resources: plurals.map((name) => ({ name })) })
