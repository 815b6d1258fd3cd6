#!/usr/bin/env node
/** Runs the sources as they are, without a build: `node bin/dev.ts trace …` (Node 22.19 or newer strips the types). */
import { fileURLToPath } from 'node:url'
import pjson from '../package.json' with { type: 'json' }
import { main } from '../src/cli/main.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
void main(process.argv.slice(2), { root, pjson: { ...pjson, oclif: { ...pjson.oclif, commands: './commands' } }, ignoreManifest: true })
