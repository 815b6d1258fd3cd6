import type { Evidence } from '../../trace/types.ts'

/**
 * The entry itself. A JSON dump stands on one line, all routes or links of a node together: its start is enough to know it by, file and
 * line are there, and JSON output has all of it.
 */
export function evidenceText(evidence: Evidence): string {
  const { text } = evidence
  const limit = /^[[{]/.test(text) ? 160 : 1000
  return text.length <= limit ? text : `${text.slice(0, limit)}… (${text.length.toLocaleString('en-US')} characters)`
}

/** Directory of a host's dumps: named once, beside the host, so that file names below it are short. */
export const directoryOf = (evidence: Evidence | undefined): string =>
  /^(nodes|pods|external)\/[^/]+\//.exec(evidence?.file ?? '')?.[0] ?? ''

/** `iptables-save.txt:412` for a dump of the host `node` itself, the whole path for anything else. */
export function evidencePlace(evidence: Evidence, node: string): string {
  const own = directoryOf(evidence)
  const host = own.split('/')[1] ?? ''
  const same = own !== '' && (host === node || host === node.split('/').slice(1).join('_'))
  return `${same ? evidence.file.slice(own.length) : evidence.file}:${evidence.line}`
}
