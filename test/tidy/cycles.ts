/**
 * The cycles of a graph, one for each knot of files that reach each other (its strongly connected
 * components, by Tarjan), written as one shortest way round from its first file.
 */
export function cyclesAmong(graph: ReadonlyMap<string, readonly string[]>): readonly string[][] {
  return knotsOf(graph).map((knot) => {
    const start = [...knot].sort()[0] as string;
    return wayRound(graph, knot, start);
  });
}

function knotsOf(graph: ReadonlyMap<string, readonly string[]>): readonly Set<string>[] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const knots: Set<string>[] = [];

  const visit = (node: string): number => {
    const number = order.size;
    order.set(node, number);
    lowest.set(node, number);
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!graph.has(next)) continue;
      const seen = order.get(next);
      const reached = seen === undefined ? visit(next) : stack.includes(next) ? seen : number;
      lowest.set(node, Math.min(lowest.get(node) as number, reached));
    }
    if (lowest.get(node) === number) {
      const knot = new Set(stack.splice(stack.indexOf(node)));
      if (knot.size > 1 || graph.get(node)?.includes(node)) knots.push(knot);
    }
    return lowest.get(node) as number;
  };

  for (const node of graph.keys()) if (!order.has(node)) visit(node);
  return knots;
}

function wayRound(
  graph: ReadonlyMap<string, readonly string[]>,
  knot: ReadonlySet<string>,
  start: string,
): string[] {
  const ways: string[][] = [[start]];
  const seen = new Set<string>();
  for (let way = ways.shift(); way; way = ways.shift()) {
    const last = way.at(-1) as string;
    for (const next of graph.get(last) ?? []) {
      if (next === start) return way;
      if (!knot.has(next) || seen.has(next)) continue;
      seen.add(next);
      ways.push([...way, next]);
    }
  }
  return [start];
}
