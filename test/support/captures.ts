/** Where the recorded clusters are: next to the repository, or where NETCTL_CAPTURES says. */
import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const captures = process.env.NETCTL_CAPTURES ?? resolve(import.meta.dirname, '../../../shared/captures')

export const captureNames = (): readonly string[] =>
  readdirSync(captures)
    .filter((n) => existsSync(join(captures, n, 'snapshot.json')))
    .sort()
