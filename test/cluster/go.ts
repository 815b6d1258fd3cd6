/** Go, for what is built: this machine's, which fetches a newer toolchain itself if need be. */
import { execFileSync } from 'node:child_process'
import { chmodSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Words before the arguments of `go`, and what is to be in its environment. Builds are programs without a C library, and nothing but go.sum's modules. */
export function goFor(module: string): { readonly program: string; readonly env: NodeJS.ProcessEnv } {
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -trimpath -buildvcs=false', GOTOOLCHAIN: 'auto' }
  const version = execFileSync('go', ['env', 'GOVERSION'], { encoding: 'utf8', env, cwd: '/' })
  const [, minor] = /^go1\.(\d+)/.exec(version) ?? []
  // before 1.21 (Debian 12 has 1.19) Go could not choose its version; but the toolchains are modules like any other
  if (Number(minor) >= 21) return { program: 'go', env }
  const GOROOT = newerGo(module, env)
  return { program: join(GOROOT, 'bin/go'), env: { ...env, GOROOT } }
}

/** folder of the toolchain that the module asks for */
function newerGo(module: string, env: NodeJS.ProcessEnv): string {
  const [, wanted] = /^go (\S+)$/m.exec(readFileSync(join(module, 'go.mod'), 'utf8')) ?? []
  const system = execFileSync('go', ['env', 'GOOS', 'GOARCH'], { encoding: 'utf8', env }).trim().replace('\n', '-')
  const args = ['mod', 'download', '-json', `golang.org/toolchain@v0.0.1-go${wanted}.${system}`]
  const { Dir: folder } = JSON.parse(execFileSync('go', args, { encoding: 'utf8', env: { ...env, GOFLAGS: '' }, cwd: '/' })) as {
    Dir: string
  }
  // modules have no programs
  for (const bin of ['bin', `pkg/tool/${system.replace('-', '_')}`])
    for (const name of readdirSync(join(folder, bin))) chmodSync(join(folder, bin, name), 0o755)
  return folder
}
