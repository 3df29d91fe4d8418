import { readFileSync, statSync } from 'node:fs';
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLError,
  type Document as YamlDocument,
} from 'yaml';
import { messageOf } from '../core/errors.ts';
import { maskReferences, unmaskReferences } from './mask-references.ts';

export type Path = readonly (string | number)[];

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One thing that is wrong with a policy file, and where. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Dotted, as a reader would say it: `plugins.cache.options.ttl_s`. */
  readonly path: string;
  readonly message: string;
}

/** A YAML file as data, which still knows where each value stands. */
export interface YamlFile {
  /** Relative to the policies directory: `gateway.yaml`, `prompts/tone.yaml`. */
  readonly name: string;
  readonly text: string;
  /** Plain data; an empty file is an empty object. */
  readonly data: unknown;
  /**
   * Where a value, or with `key` its key, stands; of the nearest thing above it if it is absent.
   */
  positionOf(path: Path, key?: boolean): Position;
  has(path: Path): boolean;
}

const FILE_BYTES_MAX = 1024 * 1024;
const ALIASES_MAX = 100;
const DEPTH_MAX = 100;
const START: Position = { line: 1, column: 1 };

/** Reads one file; what keeps it from being data is returned as problems. */
export function readYamlFile(
  name: string,
  path: string,
): { readonly file: YamlFile | null; readonly problems: readonly Problem[] } {
  const text = readBounded(path);
  if (typeof text !== 'string') return failed(name, text.reason);
  if (isTooDeep(text)) return failed(name, `nested deeper than ${DEPTH_MAX} levels`);
  const lines = new LineCounter();
  const masked = maskReferences(text);
  const document = parseDocument(masked, { lineCounter: lines, prettyErrors: false });
  const problems = tellingOf([...document.errors, ...document.warnings]).map((error) => {
    const { line, col } = lines.linePos(error.pos[0]);
    return { file: name, line, column: col, path: '', message: wordsOf(error) };
  });
  if (problems.length > 0) return { file: null, problems };
  if (masked !== text) unmaskScalars(document);
  try {
    const data: unknown = document.toJS({ maxAliasCount: ALIASES_MAX }) ?? {};
    return { file: createFile(name, text, data, document, lines), problems: [] };
  } catch (thrown) {
    return failed(name, messageOf(thrown));
  }
}

function unmaskScalars(document: YamlDocument): void {
  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value === 'string') node.value = unmaskReferences(node.value);
    },
  });
}

/** Errors behind which the parser reads on as if nothing were. */
const ALONE: ReadonlySet<string> = new Set(['DUPLICATE_KEY', 'TAG_RESOLVE_FAILED']);

/** Behind the first slip of punctuation each further token is one too: only that one is told. */
function tellingOf(errors: readonly YAMLError[]): readonly YAMLError[] {
  const first = errors.find(({ code }) => !ALONE.has(code));
  return errors.filter((error) => error === first || ALONE.has(error.code));
}

function wordsOf({ message }: YAMLError): string {
  const words = unmaskReferences(message.split('\n', 1)[0] ?? 'not YAML');
  return words.startsWith('Unexpected ')
    ? `${words}: close what is open before it, or quote a text that holds { } [ ] , : or #`
    : words;
}

function failed(
  name: string,
  message: string,
): { readonly file: null; readonly problems: readonly Problem[] } {
  return { file: null, problems: [{ file: name, ...START, path: '', message }] };
}

function readBounded(path: string): string | { readonly reason: string } {
  try {
    const facts = statSync(path);
    if (!facts.isFile()) return { reason: `${path} is not a file` };
    if (facts.size > FILE_BYTES_MAX) {
      return { reason: `${facts.size} bytes are more than ${FILE_BYTES_MAX}` };
    }
    return readFileSync(path, 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') {
      return { reason: `${path} does not exist` };
    }
    return { reason: messageOf(thrown) };
  }
}

/**
 * The parser bounds nesting by itself, but takes seconds to say so of a megabyte of brackets. A
 * text whose brackets stay open to such a depth is refused before it is parsed.
 */
function isTooDeep(text: string): boolean {
  let depth = 0;
  for (const char of text) {
    if (char === '[' || char === '{') depth += 1;
    else if ((char === ']' || char === '}') && depth > 0) depth -= 1;
    if (depth > DEPTH_MAX) return true;
  }
  return /(?:[-?:][ \t]+){100}/.test(text);
}

function createFile(
  name: string,
  text: string,
  data: unknown,
  document: YamlDocument,
  lines: LineCounter,
): YamlFile {
  const find = (path: Path): { steps: number; node: unknown; key: unknown } => {
    let node: unknown = document.contents;
    let key: unknown = null;
    for (const [steps, token] of path.entries()) {
      const pair = childOf(node, token, document);
      if (pair === null) return { steps, node, key };
      node = pair.value;
      key = pair.key;
    }
    return { steps: path.length, node, key };
  };

  return {
    name,
    text,
    data,
    has: (path) => find(path).steps === path.length,
    positionOf(path, wantsKey = false) {
      const { node, key, steps } = find(path);
      const best = (wantsKey && steps === path.length ? key : null) ?? node ?? key;
      const offset = (best as Node | null)?.range?.[0];
      if (offset === undefined) return START;
      const { line, col } = lines.linePos(offset);
      return { line, column: col };
    },
  };
}

function childOf(
  node: unknown,
  token: string | number,
  document: YamlDocument,
): { readonly key: unknown; readonly value: unknown } | null {
  const real = isAlias(node) ? node.resolve(document) : node;
  if (isSeq(real)) {
    const value = real.items[Number(token)];
    return value === undefined ? null : { key: value, value };
  }
  if (!isMap(real)) return null;
  const pair = real.items.find(({ key }: Pair) => {
    return isScalar(key) && String(key.value) === String(token);
  });
  return pair === undefined ? null : { key: pair.key, value: pair.value };
}
