import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { commandTable } from '../src/commands/command-line/all-commands.ts';
import { projectRoot } from './support/project.ts';
import {
  crowdedFolders,
  fileCycles,
  folderCycles,
  hintViolations,
  lengthViolations,
  medianLines,
  nameViolations,
  purityViolations,
  strayFiles,
} from './support/source-tree/checks.ts';
import { testOnlyExports, unusedExports } from './support/source-tree/exports.ts';
import { environmentViolations, layerViolations } from './support/source-tree/layers.ts';
import { importsOf, readSources, type SourceFile, withoutComments } from './support/source-tree/reading.ts';

const src = await readSources(join(projectRoot, 'src'));
const tests = await readSources(join(projectRoot, 'test'));
const tools = (
  await Promise.all([
    ...['scripts', 'bench', 'examples'].map((folder) => readSources(join(projectRoot, folder))),
    readSources(join(projectRoot, 'bin'), '.js'),
  ])
).flat();

/** Exports of src that only tests use, each with its reason. An entry is removed together with its export. */
const exportedForTests: Readonly<Record<string, string>> = {
  'auth/token-server.ts: expiry': 'years and odd answers, of which no token lives long enough to be waited for',
  'certs/host-tls.ts: HostTlsOptions': 'the type of what the test hands in',
  'commands/command-line/program.ts: GlobalValues': 'the type of what the test is handed',
  'config/ocictl/htpasswd.ts: parseHtpasswd': 'a table of lines, without a file for each',
  'endpoints/lookup.ts: EndpointSettings': 'the type of what the test hands in',
  'files/file-systems.ts: isRemote': 'no test can mount a network',
  'files/lock.ts: LockRules': 'the type of what the test hands in',
  'model/json.ts: maxJsonDepth': 'the last depth that is taken, and the first that is not',
  'model/manifest/schema1.ts: schema1Payload': 'the signed bytes, of which others show the digest alone',
  'server/auth/logins.ts: decoyFor': 'the cost of a decoy, which shows outside as time alone',
  'storage/collect/damage.ts: refuseDamaged': 'a race with whoever mends a blob meanwhile',
};

describe('the source tree', () => {
  it('was found', () => {
    assert.ok(src.some(({ path }) => path === 'registry/registry.ts'));
    assert.ok(src.flatMap(importsOf).length > src.length);
  });

  it('imports only what the table of layers allows', () => assert.deepEqual(layerViolations(src), []));

  it('has no cycle between folders', () => assert.deepEqual(folderCycles(src), []));

  it('keeps I/O out of the model', () => assert.deepEqual(purityViolations(src), []));

  it('reads the environment in config, credentials, certs and program alone', () =>
    assert.deepEqual(environmentViolations(src), []));

  it('finds parts of itself that run apart in packaging alone, since the single file has them elsewhere', () => {
    const others = src.filter(({ path }) => !path.startsWith('packaging/'));
    const finding = /process\.execPath|new Worker\(|createRequire|process\.dlopen/;
    assert.deepEqual(
      others.filter(({ text }) => finding.test(withoutComments(text))).map(({ path }) => path),
      [],
    );
  });

  it('has no file past 300 lines that does not say why', () =>
    assert.deepEqual(lengthViolations([...src, ...tests]), []));

  it('has no names that say nothing', () => assert.deepEqual(nameViolations([...src, ...tests]), []));

  it('has hints that begin in lower case and end without a full stop', () => assert.deepEqual(hintViolations(src), []));

  it('has no circle between files, also none of types', () => assert.deepEqual(fileCycles(src), []));

  it('has nothing directly in src but what users of the package import, and the version', () =>
    assert.deepEqual(strayFiles(src), []));

  it('exports nothing that nobody imports', () => assert.deepEqual(unusedExports(src, [...tests, ...tools]), []));

  it('exports for its tests alone what has a reason', () =>
    assert.deepEqual(testOnlyExports(src, tests, tools).sort(), Object.keys(exportedForTests).sort()));

  it('has no folder with more than 25 files of its own, the commands not counted', () => {
    const commands = commandTable.map(({ name }) => name);
    assert.deepEqual(crowdedFolders(src, commands), []);
  });

  it('has no folder of tests with more than 25 files of its own', () => assert.deepEqual(crowdedFolders(tests), []));

  it('has files of 110 lines or fewer, by the median', () => assert.ok(medianLines(src) <= 110, `${medianLines(src)}`));
});

describe('the table of layers, on a made-up tree', () => {
  const file = (path: string, text: string): SourceFile => ({ path, text });

  it('refuse an import against the layers, static, late or as a type', () => {
    const found = layerViolations([
      file('model/a.ts', "import { x } from '../registry/x.ts';"),
      file('wire/a.ts', "import type { x } from '../registry/x.ts';"),
      file('transfer/a.ts', "const x = await import('../remote/x.ts');"),
      file('registry/a.ts', "import { x } from '../model/x.ts';\nimport { y } from './deep/y.ts';"),
      file('storage/drivers/a.ts', "import { x } from '../../wire/x.ts';"),
    ]);
    assert.deepEqual(found, [
      'model/a.ts imports registry/x.ts',
      'wire/a.ts imports registry/x.ts (type)',
      'transfer/a.ts imports remote/x.ts (late)',
      'storage/drivers/a.ts imports wire/x.ts',
    ]);
  });

  it('let a command see the Context as a type and load the server late, and no more', () => {
    const found = layerViolations([
      file(
        'commands/a.ts',
        "import type { Context } from '../app/context.ts';\nconst s = await import('../server/server.ts');",
      ),
      file('commands/b.ts', "import { open } from '../app/context.ts';\nimport { serve } from '../server/server.ts';"),
      file('commands/c.ts', "import { fetch } from '../remote/x.ts';"),
    ]);
    assert.deepEqual(found, [
      'commands/b.ts imports app/context.ts',
      'commands/b.ts imports server/server.ts',
      'commands/c.ts imports remote/x.ts',
    ]);
  });

  it('refuse a folder that the table does not know, and imports that leave src', () => {
    const found = layerViolations([
      file('extra/a.ts', ''),
      file('remote/a.ts', "import { x } from '../../test/x.ts';"),
    ]);
    assert.deepEqual(found, ['extra is not in the table', 'remote/a.ts imports ../test/x.ts']);
  });

  it('find reads of the environment, but not in comments', () => {
    const found = environmentViolations([
      file('remote/a.ts', 'const home = process.env.HOME;'),
      file('remote/b.ts', "import { env } from 'node:process';"),
      file('remote/c.ts', 'const { env } = process;'),
      file('remote/d.ts', '// process.env is read in config'),
      file('config/e.ts', 'const home = process.env.HOME;'),
    ]);
    assert.deepEqual(found, ['remote/a.ts', 'remote/b.ts', 'remote/c.ts']);
  });
});
