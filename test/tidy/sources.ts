import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import * as ast from 'typescript/unstable/ast';
import { API } from 'typescript/unstable/sync';

/** What the rules look at: every TypeScript file of the project, as its own compiler reads it. */
export interface Source {
  /** From the root, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
  readonly functions: readonly Fn[];
  /** Remarks that need the syntax tree; the rules say where they apply. */
  readonly remarks: readonly Remark[];
}

export interface Import {
  readonly line: number;
  /** As written. */
  readonly specifier: string;
  /** The file it names, from the root; null for packages. */
  readonly file: string | null;
  /** The package it names, `node:…` for a builtin; null for files. */
  readonly package: string | null;
  readonly types_only: boolean;
}

export interface Fn {
  readonly line: number;
  readonly name: string;
  readonly lines: number;
  /** The callback of a `describe`, which holds tests as a file does. */
  readonly groups_tests: boolean;
}

export interface Remark {
  readonly line: number;
  readonly about: 'any' | 'default-export' | 'module-state' | 'side-effect' | 'base-class';
  readonly text: string;
}

export function readSources(root: string): readonly Source[] {
  const api = new API({ cwd: root });
  try {
    const config = join(root, 'tsconfig.json');
    const project = api.updateSnapshot({ openProjects: [config] }).getProject(config);
    if (!project) throw new Error(`${config} does not open`);
    return project.rootFiles
      .filter((file) => !file.endsWith('.d.ts'))
      .map((file) => {
        const tree = project.program.getSourceFile(file);
        if (!tree) throw new Error(`${file} does not parse`);
        return readSource(relative(root, file).split(sep).join('/'), tree);
      });
  } finally {
    api.close();
  }
}

function readSource(path: string, tree: ast.SourceFile): Source {
  const imports: Import[] = [];
  const functions: Fn[] = [];
  const remarks: Remark[] = tree.statements.flatMap((statement) => remarksOn(statement, tree));
  const visit = (node: ast.Node): void => {
    const named = specifierOf(node);
    if (named) imports.push(importOf(path, lineOf(tree, node), named.specifier, named.types_only));
    if (ast.isFunctionLikeDeclaration(node) && 'body' in node && node.body) {
      functions.push(functionOf(node, tree));
    }
    if (node.kind === ast.SyntaxKind.AnyKeyword) {
      remarks.push({ line: lineOf(tree, node), about: 'any', text: 'any' });
    }
    node.forEachChild(visit);
  };
  tree.forEachChild(visit);
  return {
    path,
    text: tree.text,
    imports,
    functions,
    remarks,
  };
}

function lineOf(tree: ast.SourceFile, node: ast.Node): number {
  return tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1;
}

/** Of `import`, `export … from`, `import()` and `import('…').Type` alike. */
function specifierOf(node: ast.Node): { specifier: string; types_only: boolean } | null {
  const written = writtenSpecifier(node);
  if (!written || !ast.isStringLiteral(written)) return null;
  const types_only =
    ast.isImportTypeNode(node) ||
    (ast.isExportDeclaration(node) && node.isTypeOnly) ||
    (ast.isImportDeclaration(node) &&
      node.importClause?.phaseModifier === ast.SyntaxKind.TypeKeyword);
  return { specifier: written.text, types_only };
}

function writtenSpecifier(node: ast.Node): ast.Node | undefined {
  if (ast.isImportDeclaration(node) || ast.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ast.isImportTypeNode(node)) {
    return ast.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined;
  }
  const called = ast.isCallExpression(node) && node.expression.kind;
  return called === ast.SyntaxKind.ImportKeyword
    ? (node as ast.CallExpression).arguments[0]
    : undefined;
}

function importOf(path: string, line: number, specifier: string, types_only: boolean): Import {
  if (specifier.startsWith('.')) {
    const file = posix.normalize(posix.join(posix.dirname(path), specifier));
    return { line, specifier, file, package: null, types_only };
  }
  const parts = specifier.split('/');
  const name = specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] as string);
  return { line, specifier, file: null, package: name, types_only };
}

function functionOf(node: ast.FunctionLikeDeclaration, tree: ast.SourceFile): Fn {
  const start = tree.getLineAndCharacterOfPosition(node.getStart(tree)).line;
  const end = tree.getLineAndCharacterOfPosition(node.end).line;
  const parent = node.parent;
  const named = 'name' in node && node.name ? node.name : 'name' in parent ? parent.name : null;
  const caller = ast.isCallExpression(parent) ? parent.expression.getText(tree) : '';
  return {
    line: start + 1,
    name: named ? (named as ast.Node).getText(tree) : caller ? `in ${caller}(…)` : 'a function',
    lines: end - start + 1,
    groups_tests: caller.startsWith('describe'),
  };
}

function isDeclarationOnly(statement: ast.Statement): boolean {
  return (
    ast.isInterfaceDeclaration(statement) ||
    ast.isTypeAliasDeclaration(statement) ||
    ast.isImportDeclaration(statement) ||
    ast.isExportDeclaration(statement)
  );
}

function remarksOn(statement: ast.Statement, tree: ast.SourceFile): Remark[] {
  const line = lineOf(tree, statement);
  const text = statement.getText(tree).split('\n')[0] as string;
  if (ast.isExportAssignment(statement) || /^export default\b/.test(text)) {
    return [{ line, about: 'default-export', text }];
  }
  if (ast.isVariableStatement(statement)) return stateRemarks(statement, tree);
  if (ast.isClassDeclaration(statement)) {
    const base = statement.heritageClauses
      ?.find((clause) => clause.token === ast.SyntaxKind.ExtendsKeyword)
      ?.types[0]?.expression.getText(tree);
    return base && !base.endsWith('Error') ? [{ line, about: 'base-class', text }] : [];
  }
  const declares = isDeclarationOnly(statement) || ast.isFunctionDeclaration(statement);
  return declares ? [] : [{ line, about: 'side-effect', text }];
}

/** Values that nobody can change, or that hold no state, may be made once for all. */
const STATELESS = /^new (URL|TextEncoder|RegExp)\b/;
const READ_ONLY = /^(Readonly|readonly )/;

function stateRemarks(statement: ast.VariableStatement, tree: ast.SourceFile): Remark[] {
  const list = statement.declarationList;
  const line = lineOf(tree, statement);
  if (!/^(export )?const\b/.test(statement.getText(tree))) {
    return [{ line, about: 'module-state', text: 'let or var at module level' }];
  }
  return list.declarations.flatMap((declaration): Remark[] => {
    const value = declaration.initializer;
    if (!value) return [];
    const name = declaration.name.getText(tree);
    const written = value.getText(tree);
    const read_only = READ_ONLY.test(declaration.type?.getText(tree) ?? '');
    const made = ast.isNewExpression(value) && !STATELESS.test(written) && !read_only;
    const empty = /^(\[\]|\{\})$/.test(written) && !read_only;
    const opened =
      ast.isCallExpression(value) &&
      /^(create|open|start)(?!Require\b)[A-Z]/.test(value.expression.getText());
    if (!made && !empty && !opened) return [];
    return [
      { line: lineOf(tree, declaration), about: 'module-state', text: `${name} = ${written}` },
    ];
  });
}

/** Names that no rule looks below: made by tools or by running the product. */
const NOT_OURS = new Set(['.git', 'node_modules', 'venv', 'data', 'coverage', '.env']);

/** Every file that is committed, from the root, with `/`; read from the folders, without git. */
export function listFiles(root: string, below = ''): readonly string[] {
  return readdirSync(join(root, below), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(below, entry.name);
    if (NOT_OURS.has(entry.name) || path === 'bench/bin' || path === 'bench/results') return [];
    return entry.isDirectory() ? listFiles(root, path) : [path];
  });
}

export function readText(root: string, path: string): string {
  return readFileSync(join(root, path), 'utf8');
}
