/** A cluster's own certificate authority: openssl, one command a certificate, elliptic keys as they cost nothing to make. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'

export interface Authority {
  /** PEM file of its own certificate */
  readonly file: string
  /** Files of a server's certificate and key, for these addresses. */
  server(name: string, addresses: readonly string[]): Promise<Pair>
  /** Files of a client's certificate and key: Kubernetes takes the user from its common name and the groups from its organisations. */
  client(user: string, groups: readonly string[]): Promise<Pair>
}

export interface Pair {
  readonly certificate: string
  readonly key: string
}

export async function makeAuthority(folder: string): Promise<Authority> {
  const config = join(folder, 'openssl.cnf')
  // the system's would make every certificate an authority's
  writeFileSync(config, '[req]\ndistinguished_name = name\n[name]\n')
  let count = 0
  const make = async (file: string, subject: string, extensions: readonly string[], more: readonly string[]): Promise<Pair> => {
    const [certificate, key] = [join(folder, `${file}.crt`), join(folder, `${file}.key`)]
    const keys = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key]
    const words = [
      '-x509',
      '-days',
      '3650',
      '-subj',
      subject,
      ...extensions.flatMap((e) => ['-addext', e]),
      ...keys,
      '-out',
      certificate,
      ...more,
    ]
    await execa('openssl', ['req', '-config', config, ...words])
    return { certificate, key }
  }
  const own = await make('ca', '/CN=netctl test cluster', ['basicConstraints=critical,CA:TRUE', 'keyUsage=keyCertSign'], [])
  const signed = ['-CA', own.certificate, '-CAkey', own.key]
  return {
    file: own.certificate,
    server: (name, addresses) => {
      const names = ['DNS:localhost', ...addresses.map((a) => `IP:${a}`)].join(',')
      return make(name, `/CN=${name}`, [`subjectAltName=${names}`, 'extendedKeyUsage=serverAuth'], signed)
    },
    client: (user, groups) =>
      make(`client-${count++}`, [...groups.map((g) => `/O=${g}`), `/CN=${user}`].join(''), ['extendedKeyUsage=clientAuth'], signed),
  }
}

/** Text of a kubeconfig, in JSON, which YAML has in it; it needs no other file. */
export function kubeconfigText(server: string, ca: string, client: Pair): string {
  const base64 = (file: string): string => readFileSync(file).toString('base64')
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': base64(ca) } }],
    users: [{ name: 'test', user: { 'client-certificate-data': base64(client.certificate), 'client-key-data': base64(client.key) } }],
  })
}
