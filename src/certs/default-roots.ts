/**
 * Whether Node's default roots are those that it was built with, all of them self-signed. Then other anchors can be joined to
 * them without a change of what either accepts. NODE_EXTRA_CA_CERTS may add intermediates, which joined would become anchors, and
 * Node 20 drops it from a joined store.
 */
export function areDefaultRootsBuiltIn(
  env: NodeJS.ProcessEnv = process.env,
  flags: readonly string[] = process.execArgv,
): boolean {
  if ((env['NODE_EXTRA_CA_CERTS'] ?? '') !== '' || (env['NODE_USE_SYSTEM_CA'] ?? '') !== '') return false;
  return ![...flags, env['NODE_OPTIONS'] ?? ''].some((text) => /--use[-_](?:openssl|system)[-_]ca/.test(text));
}
