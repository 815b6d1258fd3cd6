/** Where the policy cases of other tools are: next to the recorded clusters. */
import { resolve } from 'node:path'
import { captures } from './captures.ts'

export const policyCases = resolve(captures, '../policy-cases')
