import type { Registry } from '../../src/registry/registry.ts';
import type { ServeOptions } from '../../src/server/options.ts';
import { serve } from '../../src/server/server.ts';
import { memoryRegistry } from './memory.ts';
import { atEnd, type Scope } from './sandbox.ts';

export interface ServedRegistry {
  readonly url: string;
  /** host:port */
  readonly host: string;
  /** The served registry, to examine it directly. */
  readonly registry: Registry;
}

/** Serves a registry on loopback, in this process; if none is given, one in memory. */
export async function startServe(t: Scope, options: Partial<ServeOptions> = {}): Promise<ServedRegistry> {
  const registry = options.registry ?? memoryRegistry();
  const server = await serve({ host: '127.0.0.1', port: 0, deletes: true, ...options, registry });
  atEnd(t, () => server.stop({ graceMs: 0 }));
  return { url: server.url, host: new URL(server.url).host, registry };
}
