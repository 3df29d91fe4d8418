import { median, round } from '../gates.ts';
import { byTurns, type Effort } from './calls.ts';
import { type Figure, ratios, spreadText } from './figures.ts';
import { type Gateway, startHive, startNginxGateway, type Upstreams } from './gateways.ts';
import { scheduleAs } from './pinned.ts';

/**
 * Two gateway processes against one. The one has a core to itself; two have to share theirs with
 * the load, which interrupts them two times in three calls unless it is a batch job: there it is
 * one. What sharing costs is told by others on the same two cores: nginx's two, and two gateways
 * of one process that know nothing of each other.
 */
interface Compared {
  readonly one: Gateway;
  readonly two: Gateway;
  readonly apart: readonly [Gateway, Gateway];
  readonly nginx: Gateway;
  readonly nginx_two: Gateway;
}

/**
 * All of them are new: what a process has served before changes what a call takes.
 *
 * @param upstream_pids processes that answer the gateways; with this one they are the load.
 */
export async function measureWorkers(
  upstreams: Upstreams,
  upstream_pids: readonly number[],
  body: string,
  effort: Effort,
): Promise<Figure> {
  const load = [process.pid, ...upstream_pids];
  const started: Gateway[] = [];
  const add = async (starting: Promise<Gateway>): Promise<Gateway> => {
    const gateway = await starting;
    started.push(gateway);
    return gateway;
  };
  const apart = () => add(startHive(upstreams, { shares_cores: true }));
  try {
    const compared: Compared = {
      one: await add(startHive(upstreams)),
      two: await add(startHive(upstreams, { workers: 2 })),
      apart: [await apart(), await apart()],
      nginx: await add(startNginxGateway(upstreams)),
      nginx_two: await add(startNginxGateway(upstreams, 2)),
    };
    scheduleAs('batch', load);
    return await compare(compared, body, effort);
  } finally {
    scheduleAs('other', load);
    for (const gateway of started) await gateway.end();
  }
}

async function compare(
  { one, two, apart, nginx, nginx_two }: Compared,
  body: string,
  effort: Effort,
): Promise<Figure> {
  const sides = [[one], [two], apart, [nginx], [nginx_two]];
  const { own } = await byTurns(sides, body, effort);
  const [of_one = [], of_two = [], of_apart = [], of_nginx = [], of_nginx_two = []] = own;
  return {
    name: 'CPU per call, two workers vs one',
    unit: '×',
    gate: 1.1,
    stretch: null,
    rounds: ratios(of_two, of_one),
    remark:
      `${round(median(of_two))} µs over ${round(median(of_one))} µs; on the same cores, which ` +
      `the load shares: two gateways apart ${spreadText(ratios(of_apart, of_one), '×')}, ` +
      `nginx’s two ${spreadText(ratios(of_nginx_two, of_nginx), '×')}`,
  };
}
