import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadCommands } from '../../../src/commands/command-line/all-commands.ts';
import { readFlags } from '../../../src/commands/command-line/command.ts';
import { globalOptions } from '../../../src/commands/command-line/global-options.ts';

/** The shape of an option. Whether it takes several words may differ between commands, as one image has one platform. */
interface Shape {
  readonly takes: 'nothing' | 'word';
  readonly short?: string;
  readonly label?: string;
}

/** Options that mean the same in all commands, as docs/architecture.md says. */
const reserved: Readonly<Record<string, Shape>> = {
  '--format': { takes: 'word' },
  '--json': { takes: 'nothing' },
  '--quiet': { takes: 'nothing', short: '-q' },
  '--platform': { takes: 'word', label: 'os/arch' },
  '--yes': { takes: 'nothing' },
  '--dry-run': { takes: 'nothing' },
  '--force': { takes: 'nothing', short: '-f' },
  '--all-tags': { takes: 'nothing', short: '-a' },
};

/** Short flags that commands use for different options, because Docker's commands do. */
const sharedShorts: Readonly<Record<string, readonly string[]>> = {
  // docker rmi -f, docker search -f, docker inspect -f, crane append -f.
  '-f': ['--force', '--filter', '--format', '--file'],
  // docker images -a, docker pull -a, cosign sign -a.
  '-a': ['--all', '--all-tags', '--annotation'],
};

/** Global options that have another meaning after a command's name. */
const shadowed: Readonly<Record<string, readonly string[]>> = {
  // skopeo inspect --config shows the image's configuration.
  inspect: ['--config'],
  // oras push --config, oras pull --config.
  'artifact push': ['--config'],
  'artifact pull': ['--config'],
  attach: ['--config'],
  // docker system df -v shows each image.
  df: ['--verbose'],
};

interface Use extends Shape {
  readonly command: string;
  readonly long: string;
}

/** Options with another meaning in one command, where the context makes it clear. */
const homonyms: Readonly<Record<string, readonly string[]>> = {
  // serve --store serves the local store; login --store says where credentials are kept.
  login: ['--store'],
  // Tags and repositories have nothing but a name to filter by; images have name=value, as in Docker.
  tags: ['--filter'],
  repos: ['--filter'],
  // Files are pulled into a directory, as by oras; elsewhere the result is a file.
  'artifact pull': ['--output'],
  extract: ['--output'],
  // ls -R lists directories in each other; cosign sign -r signs what is in an index.
  files: ['--recursive'],
  // Of the same repository, as with oras; where images are changed, the result may be anywhere, as with crane.
  'artifact push': ['--tag'],
  // Of layers it is a number; a registry's store is mended from a registry.
  squash: ['--from'],
};

const commands = await loadCommands();
const uses: readonly Use[] = commands.flatMap(({ name, options }) =>
  Object.values(options).map(({ flags, takes: spec }) => {
    const { short, long, label } = readFlags(flags);
    const takes = spec === 'nothing' ? 'nothing' : 'word';
    return { command: name, long, takes, ...(short !== undefined && { short }), ...(label !== undefined && { label }) };
  }),
);

describe('option words', () => {
  it('are written as commander and the generators read them, and take a word where they name one', () => {
    for (const { command, long, takes, label } of uses) {
      assert.equal(label !== undefined, takes !== 'nothing', `${command} ${long}`);
    }
    assert.throws(() => readFlags('--x <a'), /invalid flags/);
  });

  it('that are reserved keep their meaning', () => {
    for (const { command, long, ...shape } of uses) {
      const wanted = reserved[long];
      if (!wanted) continue;
      assert.deepEqual({ ...shape, ...wanted }, shape, `${command} ${long}`);
    }
  });

  it('are spelled and take the same in every command', () => {
    const first = new Map<string, Use>();
    for (const use of uses) {
      if (shadowed[use.command]?.includes(use.long) || homonyms[use.command]?.includes(use.long)) continue;
      const known = first.get(use.long) ?? use;
      first.set(use.long, known);
      // The command may use the short form for another option.
      const short = known.short ?? use.short;
      const [one, other] = [known, use].map(({ takes, label, short: own = short }) => [takes, label, own]);
      assert.deepEqual(other, one, `${use.long}: ${known.command}, ${use.command}`);
    }
  });

  it('have short forms that stand for one word', () => {
    const longs = new Map<string, Set<string>>();
    for (const { short, long } of uses) {
      if (short !== undefined) longs.set(short, (longs.get(short) ?? new Set()).add(long));
    }
    for (const [short, found] of longs) {
      if (found.size > 1) assert.deepEqual([...found].sort(), [...(sharedShorts[short] ?? [])].sort(), short);
    }
  });

  it('do not hide a global option, but where it is meant', () => {
    const globals = Object.values(globalOptions).map(({ flags }) => readFlags(flags));
    for (const { command, long, short } of uses) {
      const hidden = globals.some((own) => own.long === long || (short !== undefined && own.short === short));
      assert.equal(hidden, shadowed[command]?.includes(long) ?? false, `${command} ${long}`);
    }
  });

  it('have summaries in one line, a capital first and no full stop', () => {
    for (const { name, options } of commands) {
      for (const { summary } of Object.values(options)) assert.match(summary, /^[A-Z`].*[^.]$/, `${name}: ${summary}`);
    }
  });

  it('offer choices that are single words', () => {
    for (const { options, arguments: list } of commands) {
      for (const { choices = [] } of [...Object.values(options), ...list]) {
        for (const choice of choices) assert.match(choice, /^[^\s'"\\,()]+$/);
      }
    }
  });
});
