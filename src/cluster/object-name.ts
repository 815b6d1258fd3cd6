/**
 * Names of nodes and pods (DNS subdomains, RFC 1123). What a cluster, a node or a user calls one becomes the name of a folder, or a word of a command:
 * whatever else they say is not taken.
 */
export const OBJECT_NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/
