// Lists the tags of a repository and copies one of its images elsewhere, by Docker's rules: mirrors, certificates and
// credentials are found where docker finds them.
//
//     node examples/list-and-copy.ts alpine:3 localhost:5000/alpine:3
//
// Node 22.18 or newer runs TypeScript as it is.
import {
  createRegistryService,
  isOciError,
  loadSettings,
  manifestReference,
  parseReference,
  repository,
  transfer,
  withDefaultTag,
} from 'ocictl';

const [from, to] = process.argv.slice(2).map((word) => withDefaultTag(parseReference(word)));
if (!from || !to?.tag) throw new Error('usage: list-and-copy SOURCE DESTINATION');

const service = createRegistryService({
  settings: await loadSettings(),
  userAgent: 'list-and-copy/1.0',
  warn: (text) => process.stderr.write(`${text}\n`),
});
try {
  const source = await service.open(from, 'pull');
  for await (const tag of repository(source, from.path).tags.all()) process.stdout.write(`${tag}\n`);

  const destination = await service.open(to, 'push');
  const { events, result } = transfer({
    from: { registry: source, repo: from.path, reference: manifestReference(from) },
    to: { registry: destination, repo: to.path, tags: [to.tag] },
  });
  for await (const event of events) {
    if (event.type === 'done') process.stderr.write(`${event.kind} ${event.node.digest} ${event.outcome}\n`);
  }
  const { root, transferredBytes } = await result;
  process.stdout.write(`copied ${root.digest}, ${transferredBytes} bytes\n`);
} catch (error) {
  if (!isOciError(error)) throw error;
  process.stderr.write(`${error.code}: ${error.message}\n${error.hint ?? ''}\n`);
  process.exitCode = 1;
} finally {
  await service.close();
}
