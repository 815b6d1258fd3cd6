/** A program of odd commands on the real main(): what it does with faults, signals and closed pipes. */
import { main } from '../../../src/cli/main.ts'

void main(process.argv.slice(2), {
  root: import.meta.dirname,
  pjson: { name: 'netctl', version: '0.0.0', oclif: { commands: './commands', topicSeparator: ' ', additionalHelpFlags: ['-h'] } },
  ignoreManifest: true,
})
