/**
 * What every program of this folder does: it plays five scenes against `HIVE_URL` with the model
 * `HIVE_MODEL`, as a user of that client would, and prints what the client made of each.
 */
export const url = process.env.HIVE_URL;
export const model = process.env.HIVE_MODEL;

export const weather = {
  name: 'get_weather',
  description: 'The weather of a city',
  schema: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
};

export const tell = ({ city }) => (city === 'Paris' ? '21 degrees' : `no weather of ${city}`);

/** Prints `{scene: what it came to}`; a scene that throws is told, not fatal. */
export async function play(scenes) {
  const played = {};
  for (const [name, scene] of Object.entries(scenes)) {
    try {
      played[name] = await scene();
    } catch (error) {
      played[name] = { threw: String(error?.stack ?? error) };
    }
  }
  process.stdout.write(`${JSON.stringify(played)}\n`, () => process.exit(0));
}

/** What a client threw: its status and its message. */
export async function thrownBy(run, statusOf = (error) => error.status) {
  try {
    await run();
  } catch (error) {
    return { status: statusOf(error), message: String(error.message) };
  }
  return { status: 0, message: 'nothing was thrown' };
}

/** Leaves at the first text; whatever a client throws then is its own affair. */
export async function leave(run) {
  const leaving = new AbortController();
  let text = '';
  const heard = (piece) => {
    text += piece ?? '';
    if (text !== '') leaving.abort();
    return text !== '';
  };
  await run(leaving.signal, heard).catch(() => {});
  return { text };
}
