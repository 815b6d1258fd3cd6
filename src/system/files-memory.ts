import { FileError, type FileSource, LIMITS, type Limits } from './files.ts'
import { Budget, inflate } from './files-inflate.ts'

/** Files held in memory: what an archive unpacks to, and the fake in tests. */
export function memoryFiles(
  name: string,
  content: ReadonlyMap<string, Buffer | string> | Readonly<Record<string, Buffer | string>>,
  limits: Limits = LIMITS,
): FileSource {
  const map = content instanceof Map ? (content as ReadonlyMap<string, Buffer | string>) : new Map(Object.entries(content))
  const budget = new Budget(limits)
  return {
    name,
    files: [...map.keys()].sort(),
    read(file) {
      const bytes = map.get(file)
      if (bytes === undefined) throw new FileError(file, 'no such file', { inside: true })
      const buffer = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
      if (file.endsWith('.gz')) return inflate(file, buffer, budget)
      budget.take(file, buffer.length)
      return buffer
    },
    size: (file) => Buffer.byteLength(map.get(file) ?? ''),
  }
}
