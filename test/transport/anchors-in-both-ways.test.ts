import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { issue } from '../certs/issue.ts';
import { runWithRoots } from '../support/network/roots-of-node.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

const files = ['anchors', 'tls', 'connections'].map((name) => new URL(`${name}.test.js`, import.meta.url).pathname);

describe('what is trusted', () => {
  it('is the same with all anchors in one handshake', (t) => runWithRoots(t, files));

  it('is the same with one collection after the other, as where NODE_EXTRA_CA_CERTS is set', async (t) => {
    const file = join(await temporaryDirectory(t), 'extra.pem');
    await writeFile(file, issue('An extra authority').cert);
    await runWithRoots(t, files, file);
  });
});
