// Writes docs/api, the reference of the library, from its declarations: `npm run api`. With --check it fails where a file is stale.
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from '@typescript/typescript6';
import { libraryEntries } from './build.mjs';
import { declarations } from './types.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'docs', 'api');
const moduleOf = (entry) => (entry === 'index' ? 'ocictl' : `ocictl/${entry}`);
const pageOf = (entry) => (entry === 'index' ? 'ocictl.md' : `${entry}.md`);
const kinds = ['Functions', 'Classes', 'Values', 'Types'];

/** The pages by name. */
async function pages() {
  const directory = await declarations();
  const options = { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2023, strict: true };
  const files = libraryEntries.map((entry) => join(directory, `${entry}.d.ts`));
  const program = ts.createProgram(files, options);
  const checker = program.getTypeChecker();
  const made = new Map();
  const index = [];
  for (const [at, entry] of libraryEntries.entries()) {
    const module = checker.getSymbolAtLocation(program.getSourceFile(files[at]));
    const items = checker.getExportsOfModule(module).map((symbol) => itemOf(symbol, checker));
    items.sort((a, b) => (a.name < b.name ? -1 : 1));
    const summary = await summaryOf(entry);
    made.set(pageOf(entry), page(entry, summary, items));
    index.push({ entry, summary, items });
  }
  made.set('README.md', overview(index));
  return made;
}

function itemOf(symbol, checker) {
  const meant = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const nodes = (meant.declarations ?? []).map((node) => (ts.isVariableDeclaration(node) ? node.parent.parent : node));
  const { flags } = meant;
  const is = (flag) => (flags & flag) !== 0;
  const kind = is(ts.SymbolFlags.Function)
    ? 'Functions'
    : is(ts.SymbolFlags.Class)
      ? 'Classes'
      : is(ts.SymbolFlags.Variable)
        ? 'Values'
        : 'Types';
  return {
    name: symbol.name,
    kind,
    text: ts.displayPartsToString(meant.getDocumentationComment(checker)),
    tags: meant.getJsDocTags(checker).map(({ name, text }) => ({ name, text: ts.displayPartsToString(text) })),
    code: nodes.map((node) => declared(node, meant.name, symbol.name)).join('\n'),
  };
}

/** A declaration without its own comment, which stands above it, and by the name that it is exported as. */
function declared(node, name, as) {
  const text = node.getText().replace(/^(?:export )?(?:declare )?/, '');
  return name === as ? text : text.replace(new RegExp(`\\b${name}\\b`), as);
}

/** The first comment of an entry, without `@packageDocumentation`. */
async function summaryOf(entry) {
  const text = await readFile(join(root, 'src', `${entry}.ts`), 'utf8');
  const [, comment = ''] = /^\/\*\*([\s\S]*?)\*\//.exec(text) ?? [];
  const lines = comment.split('\n').map((line) => line.replace(/^\s*\* ?/, ''));
  return lines
    .filter((line) => !line.startsWith('@'))
    .join('\n')
    .trim();
}

const generated = '<!-- Made from the doc comments by `npm run api`. -->';

function page(entry, summary, items) {
  const groups = kinds.flatMap((kind) => {
    const members = items.filter((item) => item.kind === kind);
    return members.length === 0 ? [] : [`## ${kind}`, ...members.map(section)];
  });
  const parts = [`# \`${moduleOf(entry)}\``, generated, prose(summary), contents(items), ...groups];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

/** The names of an entry with their anchors, as GitHub makes them: a second heading of the same letters gets a number. */
function anchors(items) {
  const seen = new Map();
  const inOrder = kinds.flatMap((kind) => items.filter((item) => item.kind === kind));
  return new Map(
    inOrder.map((item) => {
      const anchor = item.name.toLowerCase();
      const times = seen.get(anchor) ?? 0;
      seen.set(anchor, times + 1);
      return [item, times === 0 ? anchor : `${anchor}-${times}`];
    }),
  );
}

function contents(items, at = '') {
  const anchorOf = anchors(items);
  const lists = kinds.flatMap((kind) => {
    const names = items
      .filter((item) => item.kind === kind)
      .map((item) => `[\`${item.name}\`](${at}#${anchorOf.get(item)})`);
    return names.length === 0 ? [] : [`- **${kind}:** ${names.join(', ')}`];
  });
  return lists.join('\n');
}

function section({ name, text, tags, code }) {
  const lists = tags.map(({ name: tag, text: said }) => {
    if (tag === 'param') {
      const [, parameter, about] = /^(\S+)\s*(?:- )?([\s\S]*)$/.exec(said) ?? [];
      return `- \`${parameter}\`: ${line(about)}`;
    }
    if (tag === 'throws') return `- Throws ${line(said)}`;
    if (tag === 'returns') return `- Returns: ${line(said)}`;
    if (tag === 'see') return `- See ${line(said)}`;
    return `- ${tag}: ${line(said)}`;
  });
  return [`### \`${name}\``, prose(text), lists.join('\n'), `\`\`\`ts\n${code}\n\`\`\``]
    .filter((part) => part !== '')
    .join('\n\n');
}

const prose = (text) => text.replace(/\{@link\s+([^}\s]+)\s*\}/g, '`$1`');
const line = (text) => prose(text).replace(/\s*\n\s*/g, ' ');

function overview(index) {
  const parts = index.map(({ entry, summary, items }) =>
    [`## [\`${moduleOf(entry)}\`](${pageOf(entry)})`, prose(summary), contents(items, pageOf(entry))].join('\n\n'),
  );
  const intro =
    'Every function, class, value and type of the library, by the entry that it is imported from.\n' +
    '[docs/library.md](../library.md) shows how to use them.';
  return `${['# Reference of the library', generated, intro, ...parts].join('\n\n')}\n`;
}

const wanted = await pages();
const there = await readdir(folder).catch(() => []);
const texts = new Map();
for (const name of there) texts.set(name, await readFile(join(folder, name), 'utf8'));
const stale = [...new Set([...wanted.keys(), ...there])].filter((name) => wanted.get(name) !== texts.get(name));
if (process.argv.includes('--check')) {
  if (stale.length > 0) {
    process.stderr.write(`stale: ${stale.map((name) => `docs/api/${name}`).join(', ')}\nrun: npm run api\n`);
    process.exitCode = 1;
  }
} else {
  await mkdir(folder, { recursive: true });
  for (const name of stale) {
    if (wanted.has(name)) await writeFile(join(folder, name), wanted.get(name));
    else await rm(join(folder, name));
    process.stdout.write(`${wanted.has(name) ? 'wrote' : 'removed'} docs/api/${name}\n`);
  }
}
