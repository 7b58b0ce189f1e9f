/** What artifact push and attach are given: files, and what the manifest says of them. */
import type { Context } from '../../app/context.ts';
import { parseAnnotationFile } from '../../artifacts/push/annotation-file.ts';
import type { MakeOptions } from '../../artifacts/push/artifact.ts';
import { parseFileWord } from '../../artifacts/push/file-word.ts';
import type { ArtifactFile } from '../../artifacts/push/layers.ts';
import { titleOf } from '../../artifacts/push/title.ts';
import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import { flag, value, values } from '../command-line/command.ts';
import { parsePairs } from '../command-line/option-values.ts';
import { readWhole } from '../command-line/read-whole.ts';
import { refuseTwoReaders } from '../command-line/several.ts';
import { parseTime } from './time.ts';

export const contentOptions = {
  config: value('--config <file[:type]>', 'The config of the artifact; default: an empty one'),
  annotation: values('-a, --annotation <key=value>', 'An annotation of the manifest; may be repeated'),
  annotationFile: value('--annotation-file <file>', 'Annotations of manifest, config and files, as oras reads them'),
  title: value('--title <name>', 'The title of what is read from standard input'),
  created: value('--created <time>', 'When it was made: now, RFC 3339 or seconds since 1970; default: not said'),
  keepTimes: flag('--keep-times', 'Keep when files in directories last changed; the digest then depends on it'),
};

/** For the description of both commands. */
export const filesHelp =
  'FILE is a file or a directory, which is packed as oras does it. Its title is the path as it is written here, so it has\n' +
  'to be below the current directory. TYPE is its media type; if FILE:TYPE as a whole is the name of a file, that file is\n' +
  'meant, and a colon behind it says so for any name: FILE: has no TYPE. - is standard input, and -:TYPE.\n\n' +
  'The same files are the same artifact, with the same digest: times are left out, unless --created or --keep-times ask\n' +
  'for them.';

interface Given {
  readonly config: string | undefined;
  readonly annotation: readonly string[];
  readonly annotationFile: string | undefined;
  readonly title: string | undefined;
  readonly created: string | undefined;
  readonly keepTimes: boolean;
  readonly passwordStdin: boolean;
}

interface Content {
  readonly files: readonly ArtifactFile[];
  readonly options: Pick<
    MakeOptions,
    'config' | 'annotations' | 'configAnnotations' | 'created' | 'keepTimes' | 'signal'
  >;
}

const maxAnnotationBytes = 4 * 1024 * 1024;

/** @throws OciError USAGE for what is not there or contradicts itself. */
export async function readContent(words: readonly string[], given: Given, context: Context): Promise<Content> {
  const { signal, terminal } = context;
  const named = await Promise.all(words.map(parseFileWord));
  const config = given.config === undefined ? undefined : await parseFileWord(given.config);
  refuseStandardInput([...named, ...(config ? [config] : [])], given);
  const told = await annotationsOf(given, context);
  const fileOf = async ({ path, mediaType }: (typeof named)[number], title?: string): Promise<ArtifactFile> => {
    const key = path === '-' ? '-' : titleOf(path);
    const annotations = told.files.get(key);
    told.files.delete(key);
    if (path !== '-') return { path, mediaType, annotations };
    return { content: (await context.openInput('-')).read({ signal }), title, mediaType, annotations };
  };
  const files: ArtifactFile[] = [];
  for (const one of named) files.push(await fileOf(one, given.title));
  for (const name of told.files.keys()) {
    terminal.note(`${given.annotationFile} has annotations for ${quote(name)}, which is not pushed`);
  }
  return {
    files,
    options: {
      config: config && (config.path === '-' ? await fileOf(config) : config),
      annotations: { ...told.manifest, ...parsePairs('--annotation', given.annotation) },
      configAnnotations: told.config,
      created: given.created === undefined ? undefined : parseTime(given.created),
      keepTimes: given.keepTimes,
      signal,
    },
  };
}

function refuseStandardInput(
  named: readonly { readonly path: string }[],
  { title, passwordStdin }: Pick<Given, 'title' | 'passwordStdin'>,
): void {
  const readers = named.filter(({ path }) => path === '-').length;
  if (readers > 1) throw new OciError('USAGE', 'conflicting arguments: standard input can be read once');
  if (readers === 1) refuseTwoReaders('-', { passwordStdin });
  if (readers === 0 && title !== undefined) {
    throw new OciError('USAGE', '--title is for standard input, which is not read', {
      hint: 'name it with -; a file has its path as title',
    });
  }
}

async function annotationsOf({ annotationFile }: Given, context: Context) {
  const nothing = { manifest: {}, config: {}, files: new Map<string, Readonly<Record<string, string>>>() };
  if (annotationFile === undefined) return nothing;
  const input = await context.openInput(annotationFile);
  const limits = { maxBytes: maxAnnotationBytes, what: 'file of annotations', signal: context.signal };
  const { files, ...others } = parseAnnotationFile(await readWhole(input, limits), annotationFile);
  return { ...others, files: new Map(files) };
}
