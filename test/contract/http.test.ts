import { startServe } from '../support/registries.ts';
import { openRemote } from '../support/remotes.ts';
import { registryContract } from './registry.ts';

registryContract(
  'remote → HTTP → server → memory',
  async (t) => {
    const { url } = await startServe(t);
    return { registry: openRemote(t, url) };
  },
  { 'sparse-indexes': 'only a local store takes them' },
);
