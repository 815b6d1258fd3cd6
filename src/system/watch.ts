import { type FSWatcher, statSync, watch } from 'node:fs'
import { basename, dirname } from 'node:path'

/** Editors write a file in several steps: what comes within this time is one change. */
const SETTLED_MS = 100

/**
 * Waits until something at one of the paths changes: a file, or anything in a folder. A file is watched by its folder, since editors
 * put a new one in its place. Paths that are not there are left out.
 */
export function nextChange(paths: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    const watchers: FSWatcher[] = []
    let timer: NodeJS.Timeout | undefined
    const changed = (): void => {
      clearTimeout(timer)
      timer = setTimeout(() => {
        for (const watcher of watchers) watcher.close()
        resolve()
      }, SETTLED_MS)
    }
    for (const path of new Set(paths)) {
      const folder = isFolder(path)
      if (folder === undefined) continue
      const watcher = folder
        ? watch(path, { recursive: true }, changed)
        : watch(dirname(path), (_event, name) => {
            if (name === null || name === basename(path)) changed()
          })
      // a folder that is taken away is a change as well
      watcher.on('error', changed)
      watchers.push(watcher)
    }
  })
}

function isFolder(path: string): boolean | undefined {
  try {
    return statSync(path).isDirectory()
  } catch {
    return undefined
  }
}
