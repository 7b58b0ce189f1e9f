// Pulls the files of an artifact into a directory, and tells what they are.
//
//     node examples/pull-artifact.ts registry.example.com/team/files:1 out
//
// Node 22.18 or newer runs TypeScript as it is.
import { isOciError, pullArtifact } from 'ocictl';

const [source, directory] = process.argv.slice(2);
if (source === undefined || directory === undefined) throw new Error('usage: pull-artifact SOURCE DIRECTORY');

try {
  const { artifactType, files, untitled } = await pullArtifact(source, directory);
  process.stdout.write(`${artifactType}\n`);
  for (const { path, descriptor } of files) process.stdout.write(`${path} ${descriptor.digest}\n`);
  if (untitled.length > 0) process.stdout.write(`${untitled.length} layers have no title\n`);
} catch (error) {
  if (!isOciError(error)) throw error;
  process.stderr.write(`${error.code}: ${error.message}\n${error.hint ?? ''}\n`);
  process.exitCode = 1;
}
