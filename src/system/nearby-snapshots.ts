import { type Dirent, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'

export interface NearbySnapshot {
  /** as the user would type it, from `cwd` */
  readonly path: string
  readonly kind: 'folder' | 'archive'
}

/** A home folder is large and a question should come at once. */
const MOST_FOLDERS = 500

/**
 * Snapshots in and below some folders: what holds a snapshot.json, and archives by their name. Nothing is opened.
 * Breadth first, three levels deep, hidden folders and node_modules left out.
 */
export function findSnapshots(roots: readonly string[], cwd: string): NearbySnapshot[] {
  const found = new Map<string, NearbySnapshot>()
  const add = (path: string, kind: NearbySnapshot['kind']): void => void found.set(path, { path: relative(cwd, path) || '.', kind })
  const queue = roots.map((dir) => ({ dir, depth: 0 }))
  for (let i = 0; i < queue.length && i < MOST_FOLDERS; i++) {
    const { dir, depth } = queue[i] as { dir: string; depth: number }
    const entries = list(dir)
    if (entries.some((e) => e.name === 'snapshot.json' || e.name === 'snapshot.json.gz')) {
      add(dir, 'folder')
      continue
    }
    for (const entry of entries.sort((a, b) => a.name.localeCompare(b.name))) {
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue
      if (entry.isDirectory() && depth < 3) queue.push({ dir: join(dir, entry.name), depth: depth + 1 })
      if (entry.isFile() && /\.(tar\.gz|tgz|tar)$/.test(entry.name)) add(join(dir, entry.name), 'archive')
    }
  }
  return [...found.values()]
}

/** A folder that may not be read offers nothing. */
function list(dir: string): Dirent[] {
  try {
    return readdirSync(dir, { withFileTypes: true })
  } catch {
    return []
  }
}
