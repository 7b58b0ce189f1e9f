/** A process that pushes one generated blob: `<root> <seed> <size> <pause per 64 KiB in ms>`. */
import { bytesSource, streamContent } from '../../src/registry/content.ts';
import { openFilesystemDriver } from '../../src/storage/drivers/filesystem.ts';
import { createStorage } from '../../src/storage/storage.ts';
import { describeBytes, madeBytes, repo } from './stores.ts';

const [root = '', seed = '', size = '0', pauseMs = '0'] = process.argv.slice(2);
const bytes = madeBytes(seed, Number(size));
const descriptor = await describeBytes(bytes);
const registry = createStorage({ driver: await openFilesystemDriver({ root }) });
let served = 0;

async function* slowly(offset: number): AsyncGenerator<Uint8Array> {
  for (let at = offset; at < bytes.length; at += 65_536) {
    await new Promise((resolve) => setTimeout(resolve, Number(pauseMs)));
    const chunk = bytes.subarray(at, at + 65_536);
    served += chunk.length;
    process.stdout.write(`served ${served}\n`);
    yield chunk;
  }
}

process.stdout.write('ready\n');
const source =
  pauseMs === '0'
    ? bytesSource(descriptor, bytes)
    : { open: async (offset: number) => streamContent(descriptor, slowly(offset)) };
const { outcome } = await registry.pushBlob(repo, descriptor, source);
process.stdout.write(`${JSON.stringify({ outcome, served })}\n`);
