/** Files of a snapshot that somebody recorded in whatever way, without what no snapshot may hold. */
import { listOf, listText, objectsOf } from './objects.ts'

type Cut = (text: string) => string

/** wg(8) hides keys in `show`, unless it is told otherwise. */
export const withoutKeys: Cut = (text) => text.replace(/^( *(?:private|preshared) key:).*$/gm, '$1 (hidden)')

/** `net.ipv6.conf.*.stable_secret`, `net.ipv4.tcp_fastopen_key` */
export const isSecret = (line: string): boolean => /secret|fastopen_key/.test(line)

const without =
  (is: (line: string) => boolean): Cut =>
  (text) =>
    text
      .split('\n')
      .filter((line) => !is(line))
      .join('\n')

const CUTS: Readonly<Record<string, Cut>> = {
  'wg-show.txt': withoutKeys,
  'bird.txt': without((line) => /password/i.test(line)),
  'sysctl.txt': without(isSecret),
}

/** The file as a snapshot keeps it: dumps but for lines with secrets, objects as in collecting. Undefined: of kinds that it does not keep, or no objects at all. */
export function keptOf(file: string, bytes: Buffer): Buffer | string | undefined {
  const name = file.slice(file.lastIndexOf('/') + 1)
  if (!file.startsWith('cluster/')) return CUTS[name]?.(bytes.toString('utf8')) ?? bytes
  const [[list, items] = [listOf(name), []] as const] = objectsOf(parsed(bytes)).lists
  return list === undefined ? undefined : listText(list, items)
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}
