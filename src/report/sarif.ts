import { codesOf, type Result, type Results, type Stop } from './results.ts'
import { printableJson } from './sanitize.ts'

/**
 * SARIF 2.1.0 (OASIS standard, https://docs.oasis-open.org/sarif/sarif/v2.1.0/), as code scanning reads it: one run, one result for
 * each thing that does not hold or can't be told. What holds is left out: GitHub shows every result as an alert, whatever its `kind`.
 */
export function sarifText(run: Results): string {
  const told = run.results.filter((r) => r.level !== 'pass')
  const codes = codesOf(told)
  const at = new Map(codes.map((code, index) => [code, index]))
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: run.command.split(' ')[0],
            version: run.version,
            rules: codes.map((id) => ({ id, shortDescription: { text: run.rules[id] ?? id } })),
          },
        },
        columnKind: 'utf16CodeUnits',
        invocations: [
          {
            executionSuccessful: run.stop === undefined,
            ...(run.stop && { toolExecutionNotifications: [notification(run.stop)] }),
          },
        ],
        results: told.map((r) => ({
          ruleId: r.code,
          ruleIndex: at.get(r.code),
          level: levels[r.level as Exclude<Result['level'], 'pass'>],
          message: { text: text(r.title === '' ? r.message : `${r.title}: ${r.message}`) },
          ...locations(r.file, r.line),
        })),
      },
    ],
  }
  return `${printableJson(log, 2)}\n`
}

const levels = { error: 'error', warning: 'warning', unknown: 'warning', note: 'note' } as const

const notification = (stop: Stop) => ({
  descriptor: { id: stop.code },
  level: 'error',
  message: { text: text(stop.message) },
  ...locations(stop.file, stop.line),
})

/** `[text](link)` in a message becomes a link (§3.11.6), which no text of a manifest may make; a `\\]` doesn't end the link's text. */
const text = (raw: string): string => raw.replaceAll('](', '\\](')

function locations(file: string | undefined, line: number | undefined): object {
  if (file === undefined || file === '-') return {}
  const region = line === undefined || line < 1 ? {} : { region: { startLine: line } }
  return { locations: [{ physicalLocation: { artifactLocation: artifact(file), ...region } }] }
}

/** A relative reference, against the root of the sources; an absolute path can't be one. */
function artifact(file: string): object {
  const uri = file
    .replace(/^(\.\/+)+/, '')
    .split('/')
    .map(encodeSegment)
    .join('/')
  return file.startsWith('/') ? { uri: `file://${uri}` } : { uri, uriBaseId: '%SRCROOT%' }
}

/** What a URI can't hold, percent-encoded (RFC 3986 §2.1); a lone surrogate has no bytes to encode. */
const encodeSegment = (segment: string): string => encodeURIComponent(segment.replace(/\p{Surrogate}/gu, '\ufffd'))
