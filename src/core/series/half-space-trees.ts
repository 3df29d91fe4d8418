import { at } from './numbers.ts';
import type { Random } from './random.ts';

export interface Forest {
  /** The share of the trees' reference mass where `point` falls, over that of an even spread. */
  mass(point: ArrayLike<number>): number;
  /** Learns the point; every `window` points the latest mass becomes the reference. */
  push(point: ArrayLike<number>): void;
  readonly ready: boolean;
}

export interface ForestOptions {
  readonly dimensions: number;
  readonly trees?: number;
  readonly depth?: number;
  /** Points a window. */
  readonly window?: number;
}

interface Tree {
  readonly dimension: Int32Array;
  readonly split: Float64Array;
  reference: Float64Array;
  latest: Float64Array;
}

/**
 * Streaming half-space trees (S. C. Tan, K. M. Ting, T. F. Liu, "Fast Anomaly Detection for
 * Streaming Data", IJCAI 2011): full binary trees whose splits halve a work range in random
 * dimensions, drawn before any data; only masses are learned, in two windows that change places. A
 * row costs trees × depth, whatever has been seen. Points are expected in about [0, 1] a dimension.
 */
export function createForest(random: Random, options: ForestOptions): Forest {
  const { dimensions, trees: count = 25, depth = 8, window = 250 } = options;
  const trees = Array.from({ length: count }, () => growTree(random, dimensions, depth));
  let pushed = 0;
  let ready = false;
  return {
    get ready() {
      return ready;
    },
    mass(point) {
      const sum = trees.reduce((total, tree) => total + massIn(tree, point, depth, window), 0);
      return sum / count;
    },
    push(point) {
      for (const tree of trees) {
        walk(tree, point, depth, (node) => {
          tree.latest[node] = at(tree.latest, node) + 1;
          return false;
        });
      }
      pushed += 1;
      if (pushed % window !== 0) return;
      ready = true;
      for (const tree of trees) {
        [tree.reference, tree.latest] = [tree.latest, tree.reference];
        tree.latest.fill(0);
      }
    },
  };
}

function growTree(random: Random, dimensions: number, depth: number): Tree {
  const nodes = 2 ** (depth + 1) - 1;
  const dimension = new Int32Array(nodes);
  const split = new Float64Array(nodes);
  // Each tree has its own work range around a random centre, so that their cuts differ.
  const centres = Float64Array.from({ length: dimensions }, () => random.next());
  const low = centres.map((centre) => centre - 2 * Math.max(centre, 1 - centre));
  const high = centres.map((centre) => centre + 2 * Math.max(centre, 1 - centre));
  const fill = (node: number, level: number, from: Float64Array, to: Float64Array): void => {
    const chosen = random.integer(dimensions);
    const middle = (at(from, chosen) + at(to, chosen)) / 2;
    dimension[node] = chosen;
    split[node] = middle;
    if (level >= depth) return;
    const left = to.slice();
    left[chosen] = middle;
    const right = from.slice();
    right[chosen] = middle;
    fill(2 * node + 1, level + 1, from, left);
    fill(2 * node + 2, level + 1, right, to);
  };
  fill(0, 0, low, high);
  return { dimension, split, reference: new Float64Array(nodes), latest: new Float64Array(nodes) };
}

function walk(
  tree: Tree,
  point: ArrayLike<number>,
  depth: number,
  visit: (node: number, level: number) => boolean,
): void {
  let node = 0;
  for (let level = 0; level <= depth; level += 1) {
    if (visit(node, level)) return;
    const right = at(point, at(tree.dimension, node)) >= at(tree.split, node);
    node = 2 * node + (right ? 2 : 1);
  }
}

/** Mass × 2^level over the window, at the first node with little mass or at the leaf. */
function massIn(tree: Tree, point: ArrayLike<number>, depth: number, window: number): number {
  const little = 0.01 * window;
  let mass = 0;
  walk(tree, point, depth, (node, level) => {
    const here = at(tree.reference, node);
    mass = (here * 2 ** level) / window;
    return here <= little;
  });
  return mass;
}
