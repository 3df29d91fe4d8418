import { cyclesAmong } from './cycles.ts';
import type { Import, Remark, Source } from './sources.ts';

/**
 * The rules of DESIGN §4 and §8 as data and pure functions. Each returns what breaks it, one line a
 * breach, `file:line what is wrong`; nothing means that it holds.
 */

/** Who may import what, by folder below src. The longest match names a file's folder. */
export const MAY_IMPORT: Readonly<Record<string, readonly string[] | 'everything'>> = {
  core: [],
  providers: ['core'],
  plugins: ['core'],
  'oracle/detectors': ['core'],
  'oracle/mutations': ['core'],
  'oracle/gates': ['core'],
  config: ['core'],
  store: ['core'],
  events: ['core'],
  'gateway/clock': ['core'],
  'gateway/bytes': ['core'],
  'gateway/conversation': ['core'],
  'gateway/front': ['core', 'gateway/clock'],
  'gateway/hooks': ['core', 'config'],
  'gateway/upstream': ['core', 'config', 'gateway/bytes', 'gateway/clock'],
  'gateway/targets': ['core', 'config', 'gateway/clock', 'gateway/upstream'],
  'gateway/canary': ['core', 'config', 'events', 'gateway/clock'],
  gateway: [
    'core',
    'config',
    'events',
    'gateway/bytes',
    'gateway/canary',
    'gateway/clock',
    'gateway/conversation',
    'gateway/front',
    'gateway/hooks',
    'gateway/rehearsal',
    'gateway/targets',
    'gateway/upstream',
  ],
  'gateway/feedback': [
    'core',
    'events',
    'gateway',
    'gateway/bytes',
    'gateway/canary',
    'gateway/conversation',
  ],
  'gateway/processes': [
    'core',
    'config',
    'events',
    'gateway/canary',
    'gateway/clock',
    'gateway/hooks',
    'gateway/targets',
  ],
  oracle: ['core', 'config', 'store'],
  admin: ['core', 'config', 'store', 'events', 'oracle'],
  engine: ['core'],
  sim: [
    'core',
    'config',
    'oracle',
    'oracle/detectors',
    'oracle/gates',
    'oracle/mutations',
    'plugins',
  ],
  lab: ['core', 'oracle', 'plugins'],
  cli: 'everything',
  'main.ts': 'everything',
  'gateway-process.ts': 'everything',
  'worker.ts': 'everything',
  'cli.ts': 'everything',
};

/** Folders of things that can be added: a file, a test and a line in index.ts each. */
export const LEAVES = [
  'src/providers',
  'src/plugins',
  'src/oracle/detectors',
  'src/oracle/mutations',
  'src/oracle/gates',
];

/** The packages of core: schemas' types, and functions that compute and do nothing else. */
const CORE_PACKAGES = /^(zod$|@stdlib\/)/;

/** Modules that reach the machine: a leaf has only what its host lends it. */
const MACHINE =
  /^(node:(child_process|cluster|dgram|dns|fs|https?|http2|net|process|timers|tls)(\/|$)|undici$)/;

/** Files that are run, not imported: starting something is what they are for. */
const RUN = /^(src\/(main|worker|cli)\.ts|src\/engine\/main\.ts|.*-(process|thread)\.ts)$/;

const inSrc = (sources: readonly Source[]): readonly Source[] =>
  sources.filter(({ path }) => path.startsWith('src/'));

function folderOf(path: string): string | null {
  const below = path.slice('src/'.length);
  const folders = Object.keys(MAY_IMPORT).filter(
    (folder) => below === folder || below.startsWith(`${folder}/`),
  );
  return folders.sort((left, right) => right.length - left.length)[0] ?? null;
}

export function importTable(sources: readonly Source[]): string[] {
  return inSrc(sources).flatMap((source) => {
    const folder = folderOf(source.path);
    if (folder === null) return [`${source.path} is in no folder of the import table`];
    return source.imports.flatMap((one) => {
      const problem = one.file === null ? packageProblem(folder, one) : fileProblem(source, one);
      return problem ? [`${source.path}:${one.line} ${problem}`] : [];
    });
  });
}

function packageProblem(folder: string, one: Import): string | null {
  const name = one.specifier;
  if (folder === 'core' && !name.startsWith('node:') && !CORE_PACKAGES.test(one.package ?? '')) {
    return `core may not import the package ${one.package}`;
  }
  const leaf = LEAVES.includes(`src/${folder}`);
  if (leaf && MACHINE.test(name))
    return `a leaf may not import ${name}: its host lends what it needs`;
  return null;
}

function fileProblem(source: Source, one: Import): string | null {
  const from = folderOf(source.path) as string;
  const may = MAY_IMPORT[from] as readonly string[] | 'everything';
  if (may === 'everything') return null;
  const target = one.file as string;
  if (!target.startsWith('src/')) return `${target} is outside src`;
  if (!target.endsWith('.ts')) return `${one.specifier} does not end in .ts`;
  const to = folderOf(target);
  const isIndex = source.path.endsWith('/index.ts');
  if (from === to) {
    const leaf = LEAVES.includes(`src/${from}`);
    return leaf && !isIndex ? `a leaf may not import its sibling ${target}` : null;
  }
  if (to !== null && may.includes(to)) return null;
  return `${from} may not import ${to ?? target} (${target})`;
}

export function cycles(sources: readonly Source[]): string[] {
  const graph = new Map(
    inSrc(sources).map(({ path, imports }) => [
      path,
      imports.filter(({ file }) => file !== null).map(({ file }) => file as string),
    ]),
  );
  return cyclesAmong(graph).map((cycle) => `import cycle: ${cycle.join(' → ')} → ${cycle[0]}`);
}

export const LIMITS = { file_lines: 300, function_lines: 70, columns: 100 };

export function sizes(sources: readonly Source[]): string[] {
  return sources.flatMap(({ path, text, functions }) => {
    const lines = text.replace(/\n$/, '').split('\n');
    const long = lines.length > LIMITS.file_lines ? [`${path} has ${lines.length} lines`] : [];
    const tooLong = functions
      .filter((one) => !one.groups_tests && one.lines > LIMITS.function_lines)
      .map((one) => `${path}:${one.line} ${one.name} has ${one.lines} lines`);
    return [...long, ...tooLong, ...columns(path, text)];
  });
}

/** Counted in characters, as a reader sees them. */
export function columns(path: string, text: string): string[] {
  return text.split('\n').flatMap((line, index) => {
    const width = Array.from(line).length;
    return width > LIMITS.columns ? [`${path}:${index + 1} has ${width} columns`] : [];
  });
}

export function language(sources: readonly Source[]): string[] {
  return sources.flatMap(({ path, remarks }) =>
    remarks
      .filter((remark) => applies(remark, path))
      .map(({ line, about, text }) => `${path}:${line} ${SAID[about]}: ${text}`),
  );
}

const SAID: Readonly<Record<Remark['about'], string>> = {
  any: 'the type of everything',
  'default-export': 'default export',
  'module-state': 'state at module level',
  'side-effect': 'runs when it is imported',
  'base-class': 'a base class',
};

function applies({ about }: Remark, path: string): boolean {
  if (about === 'any') return true;
  if (about === 'default-export') return !path.endsWith('.config.ts');
  if (!path.startsWith('src/')) return false;
  return about !== 'side-effect' || !RUN.test(path);
}

const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)*$/;
const FORBIDDEN_FOLDERS = /(^|\/)(utils?|helpers?|common|shared|services?|managers?|misc|lib)\//;

export function names(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    const folder = FORBIDDEN_FOLDERS.exec(path)?.[2];
    if (folder) return [`${path}: no folder is named ${folder}`];
    if (!/^(src|test|bench|scripts|bin)\/.*\.(ts|js|mjs)$/.test(path)) return [];
    const file = path.slice(path.lastIndexOf('/') + 1);
    return KEBAB.test(file) ? [] : [`${path} is not in kebab-case`];
  });
}

export function leaves(sources: readonly Source[]): string[] {
  const paths = new Set(sources.map(({ path }) => path));
  return LEAVES.flatMap((folder) => {
    const index = sources.find(({ path }) => path === `${folder}/index.ts`);
    if (!index) return [`${folder}/index.ts is missing`];
    const files = [...paths].filter((path) => path.startsWith(`${folder}/`) && path !== index.path);
    return files.flatMap((path) => {
      const name = path.slice(folder.length + 1).replace(/\.ts$/, '');
      const test = `test/${path.slice('src/'.length).replace(/\.ts$/, '.test.ts')}`;
      const lines = index.imports.filter(({ file }) => file === path).length;
      return [
        ...(name.includes('/') ? [`${path}: a leaf is one file, not a folder`] : []),
        ...(paths.has(test) ? [] : [`${path} has no test ${test}`]),
        ...(lines === 1 ? [] : [`${path} has ${lines} lines in ${index.path}`]),
      ];
    });
  });
}

/** Processes and threads, which tests start rather than import. */
const TESTED_AS_PROCESS = /^src\/(main|worker|engine\/main|.*-(process|thread))\.ts$/;

/**
 * A file with a function in it has a test of its own, or is imported by a test; or it is a part,
 * beside or below it, of a file that is, and is tested through it. Importing a type tests nothing.
 */
export function tested(sources: readonly Source[]): string[] {
  const tests = sources.filter(({ path }) => /^test\/(?!tidy)/.test(path));
  const known = new Set(tests.flatMap(valueImports));
  for (const { path } of tests) known.add(path.replace(/^test\/(.*)\.test\.ts$/, 'src/$1.ts'));
  const wholes = inSrc(sources).filter(
    ({ path }) => known.has(path) && !path.endsWith('/index.ts'),
  );
  for (const whole of wholes) {
    for (const file of valueImports(whole)) if (isBeside(whole.path, file)) known.add(file);
  }
  return inSrc(sources)
    .filter(({ path, functions }) => functions.length > 0 && !TESTED_AS_PROCESS.test(path))
    .filter(({ path }) => !known.has(path))
    .map(({ path }) => `${path} has no test`);
}

function valueImports({ imports }: Source): string[] {
  return imports.flatMap(({ file, types_only }) => (file === null || types_only ? [] : [file]));
}

function isBeside(path: string, other: string): boolean {
  return other.startsWith(path.slice(0, path.lastIndexOf('/') + 1));
}

/** Tests wait for conditions, not for time, and stand on real things. */
export function honestTests(sources: readonly Source[]): string[] {
  return sources
    .filter(({ path }) => /^test\/.*\.test\.ts$/.test(path))
    .flatMap(({ path, text, imports }) => {
      const sleeps = imports.some(({ specifier }) => specifier === 'node:timers/promises');
      const mocks = /\bvi\.(mock|fn|spyOn|stub\w+|useFakeTimers)\b/.exec(text);
      const skips = /\b(test|describe|it)\.(only|todo)\b/.exec(text);
      return [
        ...(sleeps ? [`${path} sleeps: wait for a condition with test/kit/until.ts`] : []),
        ...(mocks ? [`${path} mocks with ${mocks[0]}`] : []),
        ...(skips ? [`${path} has ${skips[0]}`] : []),
      ];
    });
}

/** What no committed text says; written so that this file does not say it either. */
const UNSAID: readonly (readonly [RegExp, string])[] = [
  [/\b(TO[D]O|FIX[M]E|XX[X]|HAC[K])\b/, 'a note to do it later'],
  [/(?<![\w.])\/(work|root|home\/[a-z]\w*|Users\/\w+)\//, 'a path of one machine'],
  [
    /\bregistry\.[a-z0-9.-]+\.[a-z]{2,}|\bproxy\.golang\.org|\bpypi\.org\/simple/,
    'a registry host',
  ],
  [/"resolve[d]":/, 'where a package was downloaded from'],
];

export function unsaid(path: string, text: string): string[] {
  return text.split('\n').flatMap((line, index) =>
    UNSAID.flatMap(([pattern, what]) => {
      const found = pattern.exec(line);
      return found ? [`${path}:${index + 1} ${what}: ${found[0]}`] : [];
    }),
  );
}
