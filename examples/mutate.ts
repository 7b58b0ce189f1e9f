// Adds a directory and a label to an image, for all its platforms, under another tag.
//
//     node examples/mutate.ts localhost:5000/team/app:1 localhost:5000/team/app:1-site site
//
// Node 22.18 or newer runs TypeScript as it is.
import { isOciError, mutate } from 'ocictl';

const [reference, to, ...layers] = process.argv.slice(2);
if (reference === undefined || to === undefined) throw new Error('usage: mutate REFERENCE TO [DIRECTORY...]');

try {
  const changes = { layers, labels: { 'com.example.changed-by': 'examples/mutate.ts' }, env: { DEBUG: null } };
  const { reference: changed, replaced } = await mutate(reference, changes, { to });
  process.stdout.write(`${changed}\n`);
  for (const [before, after] of replaced) process.stdout.write(`${before} became ${after}\n`);
} catch (error) {
  if (!isOciError(error)) throw error;
  process.stderr.write(`${error.code}: ${error.message}\n${error.hint ?? ''}\n`);
  process.exitCode = 1;
}
