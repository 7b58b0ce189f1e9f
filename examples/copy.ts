// Copies an image by its name, and tells how far it is. Mirrors, certificates and credentials are those of docker on this machine.
//
//     node examples/copy.ts alpine:3.20 registry.example.com/base/alpine:3.20
//
// Node 22.18 or newer runs TypeScript as it is.
import { copy, getDigest, isOciError } from 'ocictl';

const [from, to] = process.argv.slice(2);
if (from === undefined || to === undefined) throw new Error('usage: copy SOURCE DESTINATION');

try {
  const { destination, changed, transferredBytes } = await copy(from, to, {
    onProgress: (event) => {
      if (event.type === 'total') process.stderr.write(`${event.bytes} of ${event.totalBytes} bytes\n`);
    },
  });
  process.stdout.write(`${destination} ${changed ? `took ${transferredBytes} bytes` : 'was there'}\n`);
  process.stdout.write(`${await getDigest(to)}\n`);
} catch (error) {
  if (!isOciError(error)) throw error;
  process.stderr.write(`${error.code}: ${error.message}\n${error.hint ?? ''}\n`);
  process.exitCode = 1;
}
