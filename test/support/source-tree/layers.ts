import { folderOf, type Import, importsOf, type SourceFile, targetOf, withoutComments } from './reading.ts';

/** What a folder, or a file directly in `src`, may import from this project. */
export interface Layer {
  readonly may: readonly string[] | 'all';
  /** Allowed only as a type. */
  readonly types?: readonly string[];
  /** Allowed only by `import()`, or as a type. */
  readonly late?: readonly string[];
}

const belowService = [
  'files',
  'model',
  'registry',
  'wire',
  'config',
  'certs',
  'credentials',
  'host-facts',
  'transport',
  'auth',
  'endpoints',
  'remote',
];

/** The table of docs/architecture.md. `version.ts` is a constant that every folder may import. */
export const layers: Readonly<Record<string, Layer>> = {
  'version.ts': { may: [] },
  model: { may: [] },
  packaging: { may: [] },
  registry: { may: ['model'] },
  wire: { may: ['model'] },
  files: { may: ['model', 'packaging'] },
  config: { may: ['model'] },
  terminal: { may: ['model'] },
  aws: { may: [] },
  storage: { may: ['model', 'registry', 'files', 'aws'] },
  layout: { may: ['model', 'registry', 'files'] },
  archive: { may: ['model', 'registry', 'files', 'layout', 'packaging'] },
  convert: { may: ['model', 'registry', 'files', 'archive'], types: ['transfer'] },
  artifacts: { may: ['model', 'registry', 'files', 'archive'] },
  image: { may: ['model', 'registry', 'files', 'archive', 'artifacts', 'convert'] },
  edit: { may: ['model', 'registry', 'files', 'archive', 'convert', 'artifacts', 'image', 'transfer'] },
  trust: { may: ['model', 'registry', 'files', 'artifacts'] },
  daemon: { may: ['model', 'registry', 'files', 'config', 'archive'] },
  'local-store': { may: ['model', 'registry'] },
  transfer: { may: ['model', 'registry'] },
  certs: { may: ['model', 'config'] },
  credentials: { may: ['model', 'config', 'files', 'packaging'] },
  'host-facts': { may: ['model', 'files'] },
  transport: { may: ['model', 'wire', 'config', 'certs', 'files', 'host-facts'] },
  auth: { may: ['model', 'wire', 'transport', 'credentials', 'files', 'host-facts'] },
  endpoints: { may: ['model', 'config', 'certs', 'transport'] },
  remote: {
    may: ['model', 'registry', 'wire', 'transport', 'auth', 'files', 'host-facts'],
    types: ['certs', 'config', 'credentials'],
  },
  server: { may: ['model', 'registry', 'wire', 'packaging'] },
  service: { may: [...belowService, 'aws', 'packaging'] },
  places: { may: ['model', 'registry', 'layout', 'local-store', 'archive', 'daemon'] },
  policy: { may: ['model', 'registry', 'config', 'trust'], types: ['places'] },
  sync: { may: ['model', 'registry', 'transfer', 'config', 'files', 'places'] },
  library: {
    may: [
      'model',
      'registry',
      'transfer',
      'artifacts',
      'image',
      'edit',
      'places',
      'policy',
      'service',
      'config',
      'storage',
    ],
    types: ['auth'],
    late: ['trust'],
  },
  commands: {
    may: ['model', 'registry', 'files', 'transfer', 'artifacts', 'image', 'terminal', 'places', 'sync'],
    types: ['app'],
    late: ['server', 'trust', 'edit'],
  },
  app: { may: 'all' },
  program: { may: 'all' },
  'index.ts': { may: 'all' },
  'server.ts': { may: 'all' },
  'storage.ts': { may: 'all' },
  'docker.ts': { may: 'all' },
};

/** The folders that may read the environment. */
export const environmentReaders: readonly string[] = ['config', 'credentials', 'certs', 'program'];

/** Imports that the table does not allow, and folders that it lacks: one line each, none if all is well. */
export function layerViolations(files: readonly SourceFile[], table = layers): string[] {
  const folders = new Set(files.map(({ path }) => folderOf(path)));
  const unknown = [...folders].filter((folder) => !table[folder]).map((folder) => `${folder} is not in the table`);
  return [...unknown, ...files.flatMap((file) => importsOf(file)).flatMap((found) => violation(found, table) ?? [])];
}

/** Reads of the environment in other folders. */
export function environmentViolations(files: readonly SourceFile[], readers = environmentReaders): string[] {
  return files
    .filter(({ path, text }) => !readers.includes(folderOf(path)) && readsEnvironment(withoutComments(text)))
    .map(({ path }) => path);
}

function violation(found: Import, table: Readonly<Record<string, Layer>>): string | undefined {
  const target = targetOf(found);
  if (target === undefined) return undefined;
  const [from, to] = [folderOf(found.from), folderOf(target)];
  const layer = table[from];
  if (!layer || from === to || layer.may === 'all' || layer.may.includes(to) || to === 'version.ts') return undefined;
  if (layer.types?.includes(to) && found.kind === 'type') return undefined;
  if (layer.late?.includes(to) && found.kind !== 'static') return undefined;
  return `${found.from} imports ${target}${found.kind === 'static' ? '' : ` (${found.kind})`}`;
}

function readsEnvironment(code: string): boolean {
  return /\bprocess\s*(?:\?\.|\.)\s*env\b|\bprocess\s*\[\s*['"]env['"]|\{[^}]*\benv\b[^}]*\}\s*=\s*process\b|import\s*\{[^}]*\benv\b[^}]*\}\s*from\s*['"](?:node:)?process['"]/.test(
    code,
  );
}
