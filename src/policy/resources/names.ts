/*
 * What Kubernetes takes for a name or a port name (k8s.io/apimachinery/pkg/util/validation). Each function gives what is wrong,
 * or undefined. Lengths are looked at before patterns, so hostile text costs nothing.
 */

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/

/** RFC 1123 label: namespaces. */
export function dnsLabel(name: string): string | undefined {
  if (name.length > 63) return `${shown(name)} has ${name.length} characters, at most 63 are allowed`
  if (!LABEL.test(name)) return `${shown(name)} must be lower case letters, digits and "-", and begin and end with a letter or digit`
  return undefined
}

/** RFC 1123 subdomain: names of most objects. */
export function dnsSubdomain(name: string): string | undefined {
  if (name.length > 253) return `${shown(name)} has ${name.length} characters, at most 253 are allowed`
  if (!isSubdomain(name))
    return `${shown(name)} must be lower case letters, digits, "-" and ".", and each part between dots begin and end with a letter or digit`
  return undefined
}

const isSubdomain = (name: string): boolean => name.split('.').every((part) => LABEL.test(part))

/** IANA service name: names of container ports (RFC 6335 §5.1, lower case). */
export function portName(name: string): string | undefined {
  if (name.length > 15) return `port name ${shown(name)} has ${name.length} characters, at most 15 are allowed`
  if (!/^[-a-z0-9]+$/.test(name)) return `port name ${shown(name)} must be lower case letters, digits and "-"`
  if (!/[a-z]/.test(name)) return `port name ${shown(name)} must have at least one letter`
  if (name.includes('--')) return `port name ${shown(name)} must not have "--"`
  if (name.startsWith('-') || name.endsWith('-')) return `port name ${shown(name)} must not begin or end with "-"`
  return undefined
}

const shown = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}…` : text)
