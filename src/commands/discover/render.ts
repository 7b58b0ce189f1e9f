/** The output of discover, in pieces: what hangs on an image may be much. Text from a registry goes through {@link visible}, or is JSON. */
import type { TreeNode } from '../../artifacts/tree/referrers-tree.ts';
import type { Digest } from '../../model/digest.ts';
import type { Descriptor } from '../../model/manifest/descriptor.ts';
import { formatPlatform } from '../../model/platform/platform.ts';
import { visible } from '../../model/quote.ts';
import { formatJson } from '../../terminal/json.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import type { Hanging } from './assemble.ts';

interface Root {
  /** As it was named. */
  readonly name: string;
  /** `registry.example.com/team/app` */
  readonly repository: string;
  readonly descriptor: Descriptor;
}

/** What a line of the tree says. */
interface Line {
  readonly label: string;
  readonly digest: Digest;
  readonly repeated: boolean;
}

/** What lines say of manifests. Most have one of a few labels: each is kept once. */
export function lineMaker(): (node: TreeNode) => Line {
  const labels = new Map<string, string>();
  return (node) => {
    const whole = visible(labelOf(node));
    const made = whole.length > mostLetters ? `${whole.slice(0, mostLetters)}…` : whole;
    const label = labels.get(made) ?? made;
    if (labels.size < mostLabels) labels.set(label, label);
    return { label, digest: node.descriptor.digest, repeated: node.repeated };
  };
}

const mostLabels = 1000;
/** A registry may name a type of a hundred thousand letters. */
const mostLetters = 200;

/** A line for each manifest: what it is, and its digest. What hangs on a manifest follows it, further to the right. */
export function* treeLines(
  { name, descriptor }: Root,
  tree: readonly Hanging<Line>[],
  { drawing, paintOut }: Pick<Terminal, 'drawing' | 'paintOut'>,
): Generator<string, void, undefined> {
  const [fork, last, bar] = drawing.unicode ? ['├── ', '└── ', '│   '] : ['|-- ', '`-- ', '|   '];
  function* lines(items: readonly Hanging<Line>[], before: string): Generator<string, void, undefined> {
    for (const [i, { kept, below }] of items.entries()) {
      const isLast = i === items.length - 1;
      const again = kept.repeated ? '  (listed above)' : '';
      const edge = paintOut('dim', before + (isLast ? last : fork));
      yield `${edge}${kept.label}  ${paintOut('dim', kept.digest)}${again}\n`;
      yield* lines(below, before + (isLast ? '    ' : bar));
    }
  }
  yield `${paintOut('bold', visible(name))}  ${paintOut('dim', descriptor.digest)}\n`;
  yield* lines(tree, '');
}

function labelOf({ kind, tag, artifactType, predicateTypes, descriptor }: TreeNode): string {
  if (kind === 'child') return descriptor.platform ? formatPlatform(descriptor.platform) : descriptor.mediaType;
  if (kind === 'attestation') return ['attestation', ...predicateTypes].join(' ');
  return tag ?? artifactType ?? descriptor.mediaType;
}

/** The same as JSON, with the names that oras uses, nested as deep as the tree is. */
export function* treeJson(root: Root, tree: readonly Hanging<TreeNode>[]): Generator<string, void, undefined> {
  yield* nested(rootRecord(root), tree);
  yield '\n';

  function* nested(record: object, below: readonly Hanging<TreeNode>[]): Generator<string, void, undefined> {
    yield `${formatJson(record).slice(0, -1)},"referrers":[`;
    for (const [i, { kept, below: further }] of below.entries()) {
      if (i > 0) yield ',';
      yield* nested(nodeRecord(root, kept), further);
    }
    yield ']}';
  }
}

/** The same as a record, for templates. */
export function treeRecord(root: Root, tree: readonly Hanging<TreeNode>[]): object {
  const recordOf = ({ kept, below }: Hanging<TreeNode>): object => ({
    ...nodeRecord(root, kept),
    referrers: below.map(recordOf),
  });
  return { ...rootRecord(root), referrers: tree.map(recordOf) };
}

function rootRecord({ repository, descriptor }: Root): object {
  const { mediaType, digest, size } = descriptor;
  return { reference: `${repository}@${digest}`, mediaType, digest, size };
}

function nodeRecord({ repository }: Root, node: TreeNode): object {
  const { kind, tag, artifactType, annotations, predicateTypes, repeated, descriptor } = node;
  return {
    reference: `${repository}@${descriptor.digest}`,
    mediaType: descriptor.mediaType,
    digest: descriptor.digest,
    size: descriptor.size,
    annotations,
    artifactType,
    kind,
    tag,
    platform: descriptor.platform && formatPlatform(descriptor.platform),
    predicateTypes: kind === 'attestation' ? predicateTypes : undefined,
    repeated: repeated || undefined,
  };
}

const writtenAtOnce = 32 * 1024;

/** Writes pieces of a result, until its reader has enough. */
export async function writePieces(terminal: Terminal, pieces: Iterable<string>): Promise<void> {
  let text = '';
  for (const piece of pieces) {
    text += piece;
    if (text.length < writtenAtOnce) continue;
    await terminal.out(text);
    text = '';
    if (terminal.outClosed) return;
  }
  await terminal.out(text);
}
