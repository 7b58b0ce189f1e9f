// Prints a file of an image, or lists the largest files of one.
//
//     node examples/look-inside.ts alpine:3.20 /etc/os-release
//     node examples/look-inside.ts alpine:3.20
//
// Node 22.18 or newer runs TypeScript as it is.
import { type ImageFile, isOciError, openImage } from 'ocictl';

const [name, path] = process.argv.slice(2);
if (name === undefined) throw new Error('usage: look-inside IMAGE [PATH]');

try {
  await using image = await openImage(name);
  if (path === undefined) {
    const files: ImageFile[] = [];
    for await (const file of image.files()) files.push(file);
    for (const file of files.sort((a, b) => b.size - a.size).slice(0, 5)) {
      process.stdout.write(`${file.size} ${file.path}\n`);
    }
  } else {
    for await (const chunk of image.read(path)) process.stdout.write(chunk);
  }
} catch (error) {
  if (!isOciError(error)) throw error;
  process.stderr.write(`${error.code}: ${error.message}\n${error.hint ?? ''}\n`);
  process.exitCode = 1;
}
