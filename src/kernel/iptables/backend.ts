import type { IptablesDump } from './types.ts'

/** Which part of the kernel a tool of iptables writes its rules to. */
export type Backend = 'legacy' | 'nft'

/** Whose rules a dump of iptables-save has, by its first line and its name. `backend`: of the tool in use. */
export function backendOf(dump: IptablesDump, backend: Backend | undefined): Backend | undefined {
  const generated = dump.tables[0]?.generated ?? ''
  if (/tables-nft-save|nf_tables/.test(generated)) return 'nft'
  if (/tables-legacy-save/.test(generated)) return 'legacy'
  // old tools call themselves iptables-save; the name of the file tells if it is the other backend's
  if (dump.file.includes('-legacy-save')) return 'legacy'
  return dump.file.includes('-nft-save') ? 'nft' : backend
}
