/** YAML, in a module of its own: only who prints it loads the library, and a bundle finds its names by this static import, not by a dynamic one. */
import { stringify } from 'yaml'

/** A value as YAML. */
export const yamlText = (value: unknown): string => stringify(value)
