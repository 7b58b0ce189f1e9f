// Pushes files as an artifact, and attaches a note to it.
//
//     node examples/push-artifact.ts localhost:5000/team/files:1 README.md docs
//
// Node 22.18 or newer runs TypeScript as it is.
import { attach, isOciError, pushArtifact } from 'ocictl';

const [reference, ...files] = process.argv.slice(2);
if (reference === undefined) throw new Error('usage: push-artifact REFERENCE FILE...');

try {
  const artifact = await pushArtifact(reference, files, { artifactType: 'application/vnd.example.files' });
  process.stdout.write(`pushed ${artifact.reference}\n`);

  const note = { content: Buffer.from('reviewed\n'), title: 'note.txt', mediaType: 'text/plain' };
  const attached = await attach(artifact.reference, [note], {
    artifactType: 'application/vnd.example.note',
    annotations: { 'com.example.by': 'ada' },
  });
  process.stdout.write(`attached ${attached.digest} to ${attached.subject}\n`);
} catch (error) {
  if (!isOciError(error)) throw error;
  process.stderr.write(`${error.code}: ${error.message}\n${error.hint ?? ''}\n`);
  process.exitCode = 1;
}
