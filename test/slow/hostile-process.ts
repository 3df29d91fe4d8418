import { HOSTILITIES } from '../kit/hostile.ts';
import { startRawUpstream } from '../kit/raw-upstream.ts';

/** The hostile upstream in a process of its own: its zeal must not slow down who measures. */
const upstream = await startRawUpstream();
process.on('message', (name: string) => {
  const hostility = HOSTILITIES.find((one) => one.name === name);
  if (hostility) upstream.reply(hostility.reply);
  process.send?.({ ready: name });
});
process.on('disconnect', () => process.exit(0));
process.send?.({ url: upstream.url });
