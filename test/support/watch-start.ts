/**
 * Preloaded into a netctl process (`node --import`): writes the URLs of what it loaded, as JSON, to the file that
 * NETCTL_TEST_WATCH names.
 */
import { writeFileSync } from 'node:fs'
import { registerHooks } from 'node:module'

const loaded: string[] = []
registerHooks({
  load(url, context, nextLoad) {
    loaded.push(url)
    return nextLoad(url, context)
  },
})

process.on('exit', () => {
  writeFileSync(process.env.NETCTL_TEST_WATCH ?? '', JSON.stringify(loaded))
})
