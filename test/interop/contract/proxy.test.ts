import { registryContract } from '../../contract/registry.ts';
import { startServe } from '../../support/registries.ts';
import { openRemote } from '../../support/remotes.ts';

registryContract(
  'a server in front of a server',
  async (t) => {
    const origin = await startServe(t);
    const proxy = await startServe(t, { registry: openRemote(t, origin.url) });
    return { registry: openRemote(t, proxy.url) };
  },
  { 'sparse-indexes': 'only a local store takes them' },
);
