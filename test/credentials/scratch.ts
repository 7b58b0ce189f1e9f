import { chmod, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { TestContext } from 'node:test';
import { temporaryDirectory } from '../support/sandbox.ts';

/** A temporary directory with the path of a config.json, and with credential helpers that are real programs on PATH. */
export interface Scratch {
  readonly directory: string;
  readonly configFile: string;
  readonly env: NodeJS.ProcessEnv;
  write(text: string): Promise<void>;
  read(): Promise<string>;
  /** Writes `docker-credential-<name>`, a shell script, which also records its calls. */
  helper(name: string, script: string): Promise<void>;
  /** `action input` of each call, in order. */
  calls(name: string): Promise<readonly string[]>;
}

export async function scratch(t: TestContext): Promise<Scratch> {
  const directory = await temporaryDirectory(t);
  const configFile = join(directory, 'config.json');
  const log = (name: string): string => join(directory, `${name}.log`);
  return {
    directory,
    configFile,
    env: { PATH: [directory, process.env['PATH']].join(delimiter), STORE: join(directory, 'store') },
    write: (text) => writeFile(configFile, text),
    read: () => readFile(configFile, 'utf8'),
    async helper(name, script) {
      const file = join(directory, `docker-credential-${name}`);
      await writeFile(file, `#!/bin/sh\ninput=$(cat)\necho "$1 $input" >> '${log(name)}'\n${script}\n`);
      await chmod(file, 0o755);
    },
    calls: async (name) =>
      (await readFile(log(name), 'utf8').catch(() => '')).split('\n').filter((line) => line !== ''),
  };
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
