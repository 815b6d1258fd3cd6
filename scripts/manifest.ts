import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Config, Plugin } from '@oclif/core/config'
import type { PJSON } from '@oclif/core/interfaces'

/** oclif.manifest.json tells oclif the flags of every command, so that a start loads only the command that runs. */
export async function writeManifest(
  root: string,
  pjson: { readonly name: string; readonly version: string; readonly oclif: object },
): Promise<void> {
  const config = await Config.load({ root, pjson: pjson as PJSON, ignoreManifest: true })
  const plugin = config.plugins.get(pjson.name)
  if (!(plugin instanceof Plugin) || plugin.commands.length === 0) throw new Error(`no commands found under ${root}`)
  writeFileSync(join(root, 'oclif.manifest.json'), `${JSON.stringify(plugin.manifest, undefined, 2)}\n`)
}
