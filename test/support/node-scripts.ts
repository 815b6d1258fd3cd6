/** What the package ships of the scripts that verify composes. */
import { verifyTexts } from '../../src/system/node-scripts.ts'
import { root } from './needs.ts'

export const texts = verifyTexts(root)
