import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import ts from '@typescript/typescript6';
import { projectRoot } from '../support/project.ts';
import { declarations } from './project.ts';

const entries = ['docker.d.ts', 'index.d.ts', 'server.d.ts', 'storage.d.ts'];
const files = new Map<string, ts.SourceFile>();
let checker: ts.TypeChecker;

before(async () => {
  const directory = await declarations({ after: () => {} });
  const typeRoots = [join(projectRoot, 'node_modules', '@types')];
  const program = ts.createProgram(
    entries.map((name) => join(directory, name)),
    { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2023, strict: true, types: ['node'], typeRoots },
  );
  checker = program.getTypeChecker();
  for (const file of program.getSourceFiles()) {
    if (file.fileName.startsWith(directory)) files.set(file.fileName.slice(directory.length + 1), file);
  }
});

function exported(file: ts.SourceFile): ts.Symbol[] {
  const module = checker.getSymbolAtLocation(file);
  return module ? checker.getExportsOfModule(module).map((symbol) => resolved(symbol)) : [];
}

function resolved(symbol: ts.Symbol): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

const everyExport = (): ts.Symbol[] => entries.flatMap((name) => exported(files.get(name) as ts.SourceFile));

/** What a name at the top of a file declares; brands have no name that anybody could write. */
function declaredNames(file: ts.SourceFile): ts.Identifier[] {
  return file.statements.flatMap((statement) => {
    if (ts.isVariableStatement(statement)) {
      const { declarations } = statement.declarationList;
      return declarations.flatMap(({ name, type }) => {
        const isBrand = type?.kind === ts.SyntaxKind.TypeOperator;
        return ts.isIdentifier(name) && !isBrand ? [name] : [];
      });
    }
    const { name } = statement as ts.Statement & { readonly name?: ts.Identifier };
    return name && ts.isIdentifier(name) ? [name] : [];
  });
}

/** The functions that are exported, with the type that a call gives in the end. */
function makers(): { readonly name: string; readonly first: ts.Type | undefined; readonly made: ts.Type }[] {
  return everyExport().flatMap((symbol) => {
    const [signature] = checker.getTypeOfSymbol(symbol).getCallSignatures();
    if (!signature || !(symbol.flags & ts.SymbolFlags.Function)) return [];
    const [parameter] = signature.getParameters();
    const made = checker.getReturnTypeOfSignature(signature);
    const first = parameter && checker.getTypeOfSymbol(parameter);
    return [{ name: symbol.name, first, made: checker.getAwaitedType(made) ?? made }];
  });
}

/** Whether it does something: a function, or an object of ours with a method. */
function acts(type: ts.Type): boolean {
  if (type.getCallSignatures().length > 0) return true;
  const own = type.getSymbol()?.declarations?.some((node) => files.has(fileOf(node))) ?? false;
  return (
    own && type.getProperties().some((property) => checker.getTypeOfSymbol(property).getCallSignatures().length > 0)
  );
}

function fileOf(node: ts.Node): string {
  const { fileName } = node.getSourceFile();
  return fileName.slice(fileName.lastIndexOf('/') + 1);
}

/** Named by what they start, or by the value that they give of another. What is given a registry is not asked at all. */
const otherwiseNamed = new Set([
  ...['serve', 'transfer', 'fallback', 'pathScope'],
  ...['bytesSource', 'bytesContent', 'streamContent', 'verifiedContent'],
]);

describe('the declarations', () => {
  it('are a file for each entry, and one for shared types', () =>
    assert.deepEqual([...files.keys()].sort(), [...entries, 'shared.d.ts'].sort()));

  it('export every name that stands in them', () => {
    const known = new Set(everyExport());
    const nameless = [...files.values()].flatMap((file) =>
      declaredNames(file).flatMap((name) => {
        const symbol = checker.getSymbolAtLocation(name);
        return symbol && known.has(symbol) ? [] : [name.text];
      }),
    );
    assert.deepEqual(nameless, []);
    assert.ok(known.size > 200);
  });

  it('need Node alone', () => {
    const imported = [...files.values()].flatMap(({ statements }) =>
      statements.flatMap((statement) =>
        ts.isImportDeclaration(statement) ? [(statement.moduleSpecifier as ts.StringLiteral).text] : [],
      ),
    );
    assert.deepEqual(
      imported.filter((specifier) => !/^(?:node:|\.\/)/.test(specifier)),
      [],
    );
  });

  it('name every maker create… or open…', () => {
    const isView = (first: ts.Type | undefined): boolean =>
      first !== undefined && ['Registry', 'Reader'].includes(first.getSymbol()?.name ?? '');
    const wrong = makers().filter(
      ({ name, first, made }) =>
        acts(made) && !/^(?:create|open)[A-Z]/.test(name) && !isView(first) && !otherwiseNamed.has(name),
    );
    assert.deepEqual(
      wrong.map(({ name }) => name),
      [],
    );
    const made = makers().filter(({ name }) => /^(?:create|open)[A-Z]/.test(name));
    assert.ok(made.length > 15);
    assert.deepEqual(
      made.filter((maker) => !acts(maker.made)).map(({ name }) => name),
      [],
    );
  });
});
