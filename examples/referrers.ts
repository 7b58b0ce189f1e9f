// Lists what hangs on an image: signatures, attestations, SBOMs, on all levels.
//
//     node examples/referrers.ts registry.example.com/team/app:1.0
//
// Node 22.18 or newer runs TypeScript as it is.
import { isOciError, referrersTree } from 'ocictl';

const [name] = process.argv.slice(2);
if (name === undefined) throw new Error('usage: referrers IMAGE');

try {
  for await (const { kind, depth, descriptor, artifactType, tag } of referrersTree(name)) {
    if (kind === 'child') continue;
    const what = tag ?? artifactType ?? descriptor.mediaType;
    process.stdout.write(`${'  '.repeat(depth - 1)}${what} ${descriptor.digest}\n`);
  }
} catch (error) {
  if (!isOciError(error)) throw error;
  process.stderr.write(`${error.code}: ${error.message}\n${error.hint ?? ''}\n`);
  process.exitCode = 1;
}
