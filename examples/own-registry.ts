// A registry of one's own: images live in memory, every push is told of, and the tag `latest` is refused.
//
//     node examples/own-registry.ts 5000
//     docker push localhost:5000/app:1
//
// Node 22.18 or newer runs TypeScript as it is.
import { OciError, type Registry } from 'ocictl';
import { serve } from 'ocictl/server';
import { createMemoryDriver, createStorage } from 'ocictl/storage';

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** A policy is a wrapper, and a wrapper is a registry: it can be served, copied from, and wrapped again. */
function versioned(registry: Registry): Registry {
  return {
    ...registry,
    async pushManifest(repo, manifest, opts) {
      const tags: readonly string[] = opts?.tags ?? [];
      if (tags.includes('latest')) {
        throw new OciError('DENIED', `${repo}:latest says nothing about what it is: push it with a version as its tag`);
      }
      const pushed = await registry.pushManifest(repo, manifest, opts);
      for (const tag of tags) say(`${repo}:${tag} is ${pushed.digest}`);
      return pushed;
    },
  };
}

const storage = createStorage({ driver: createMemoryDriver() });
const server = await serve({ registry: versioned(storage), port: Number(process.argv[2] ?? 5000) });
say(`listening on ${server.url}`);

process.once('SIGINT', () => void server.stop());
process.once('SIGTERM', () => void server.stop());
