/**
 * `node scripts/complete-lockfile.ts`, after `npm install` changed package-lock.json.
 *
 * Some registries (mirrors) lack the binaries of other platforms. npm then leaves those optional packages out of the lockfile,
 * and `npm ci` refuses that lockfile on every machine (“Missing: … from lock file”). Their versions are pinned by the package
 * that wants them, and their platform stands in their name; with that much npm skips them where they don't fit.
 */
import { readFileSync, writeFileSync } from 'node:fs'

interface Entry {
  version?: string
  dev?: true
  optional?: true
  os?: string[]
  cpu?: string[]
  libc?: string[]
  engines?: Record<string, string>
  optionalDependencies?: Record<string, string>
}

const FILE = 'package-lock.json'
const lock = JSON.parse(readFileSync(FILE, 'utf8')) as { packages: Record<string, Entry> }
const added: string[] = []
for (const entry of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`
    const platform =
      /(aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32)-(arm64|arm|ia32|loong64|mips64el|ppc64|riscv64|s390x|x64)(?:-(\w+))?$/.exec(
        name,
      )
    if (lock.packages[key] || !platform || !/^\d+\.\d+\.\d+/.test(version)) continue
    const [, os = '', cpu = '', abi = ''] = platform
    const libc =
      os === 'linux' && abi.includes('musl') ? { libc: ['musl'] } : os === 'linux' && abi.includes('gnu') ? { libc: ['glibc'] } : {}
    lock.packages[key] = { version, cpu: [cpu], ...(entry.dev ? { dev: true } : {}), ...libc, optional: true, os: [os] }
    added.push(name)
  }
}
const { '': root, ...packages } = lock.packages
const sorted = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en')))
writeFileSync(FILE, `${JSON.stringify({ ...lock, packages: { '': root, ...sorted } }, undefined, 2)}\n`)
console.error(added.length === 0 ? 'nothing was missing' : `added ${added.length}: ${added.join(' ')}`)
