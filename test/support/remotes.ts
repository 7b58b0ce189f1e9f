import { createAuthorizer } from '../../src/auth/authorizer.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { createRemote } from '../../src/remote/remote.ts';
import { createTransport } from '../../src/transport/transport.ts';
import { atEnd, type Scope } from './sandbox.ts';

/** A client of the registry at a URL: without credentials, with short waits between attempts. */
export function openRemote(t: Scope, url: string): Registry {
  const transport = createTransport({ base: new URL(url), retry: { attempts: 3, baseDelayMs: 20 } });
  atEnd(t, () => transport.close());
  const authorizer = createAuthorizer({ transport, credentials: async () => undefined });
  return createRemote({ name: new URL(url).host, transport, authorizer });
}
