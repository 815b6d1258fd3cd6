import type { Recording, Rows } from '../../policy/record/recording.ts'
import { printableJson, sanitize } from '../sanitize.ts'

/**
 * A PolicySnapshot document, to be read in a diff: one line a group, and below each source one line for every group of destinations.
 * Written by hand, so that the same recording is the same text whatever a YAML library makes of it.
 */
export function recordingYaml({ groups, allowed, unsure }: Recording, name: string, manifests: readonly string[], again: string): string {
  const alike = [...groups].filter(([, members]) => members.length > 1)
  const lines = [
    `# What network policies allow: TCP, UDP and SCTP between all pods. Written by`,
    `#   ${sanitize(again)}`,
    'apiVersion: netctl.dev/v1alpha1',
    'kind: PolicySnapshot',
    `metadata: {name: ${scalar(name)}}`,
    'spec:',
    ...(manifests.length > 0 ? ['  manifests:', ...manifests.map((path) => `    - ${scalar(path)}`)] : []),
    '  endpoints:',
    ...[...groups.keys()].map((group) => `    - ${scalar(group)}`),
    ...(alike.length > 0 ? ['  # those that fare as one of the above does', '  alike:'] : []),
    ...alike.flatMap(([group, members]) => [`    ${scalar(group)}:`, ...members.slice(1).map((member) => `      - ${scalar(member)}`)]),
    ...rowLines('allowed', allowed),
    ...rowLines('unsure', unsure),
  ]
  return `${lines.join('\n')}\n`
}

/** The same as JSON, for many pods: it is read faster, and may be larger. */
export function recordingJson({ groups, allowed, unsure }: Recording, name: string, manifests: readonly string[]): string {
  const alike = [...groups].filter(([, members]) => members.length > 1).map(([group, members]) => [group, members.slice(1)] as const)
  const objectOf = (rows: Rows) => Object.fromEntries([...rows].map(([from, row]) => [from, Object.fromEntries(row)]))
  const spec = {
    ...(manifests.length > 0 && { manifests }),
    endpoints: [...groups.keys()],
    ...(alike.length > 0 && { alike: Object.fromEntries(alike) }),
    allowed: objectOf(allowed),
    ...(unsure.size > 0 && { unsure: objectOf(unsure) }),
  }
  return `${printableJson({ apiVersion: 'netctl.dev/v1alpha1', kind: 'PolicySnapshot', metadata: { name }, spec }, 1)}\n`
}

function rowLines(key: string, rows: Rows): string[] {
  if (rows.size === 0) return []
  return [
    `  ${key}:`,
    ...[...rows].flatMap(([from, row]) => [
      `    ${scalar(from)}:`,
      ...[...row].map(([to, text]) => `      ${scalar(to)}: ${scalar(text)}`),
    ]),
  ]
}

/** Names and port lists are plain; what YAML could take for anything else is quoted, and JSON's quotes are YAML's. */
const scalar = (text: string): string =>
  (/^[A-Za-z.][\w./-]*(?:\[\w+\])?$/.test(text) && !WORDS.test(text)) || PORTS.test(text) ? text : printableJson(text)

const PORTS = /^(?:TCP|UDP|SCTP)(?: [\d-]+(?:, [\d-]+)*)?(?:; (?:TCP|UDP|SCTP)(?: [\d-]+(?:, [\d-]+)*)?)*$/
const WORDS = /^(?:y|n|yes|no|on|off|true|false|null)$/i
