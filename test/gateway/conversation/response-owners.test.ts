import { expect, test } from 'vitest';
import { createResponseOwners } from '../../../src/gateway/conversation/response-owners.ts';

const OWNER = { tenant: 'acme', agent: 'default', served: 'main' };
const NOBODY = { find: () => null, knows: () => false };

test('response owners tell the processes beside them, and hear of theirs', () => {
  const told: string[] = [];
  const owners = createResponseOwners(NOBODY, (id) => told.push(id));
  owners.made('whole', OWNER);
  owners.began('stream', OWNER);
  owners.heard('other', OWNER);
  expect(told).toEqual(['whole', 'stream']);
  expect(owners.find('other', 'acme')).toEqual(OWNER);
  expect(owners.find('other', 'rival')).toBe('foreign');
  owners.ended('stream');
  expect(owners.find('stream', 'acme')).toBeNull();
});

test('response owners give out once, among all processes, who is to be charged', () => {
  const makers = createResponseOwners(NOBODY, (id, owner) => others.heard(id, owner));
  const others = createResponseOwners(NOBODY, (id, owner) => makers.heard(id, owner));
  makers.made('first', { ...OWNER, unpaid: 'call_1' });
  makers.made('second', { ...OWNER, unpaid: 'call_2' });
  makers.made('told', OWNER);
  expect(others.paid('first', 'rival')).toBeNull();
  expect(others.paid('first', 'acme')).toMatchObject({ unpaid: 'call_1' });
  expect([makers.paid('first', 'acme'), others.paid('first', 'acme')]).toEqual([null, null]);
  expect(makers.paid('second', 'acme')).toMatchObject({ unpaid: 'call_2' });
  expect([others.paid('second', 'acme'), others.paid('told', 'acme')]).toEqual([null, null]);
});

test('response owners say where one was found, and not whose it is', () => {
  const owners = createResponseOwners(NOBODY);
  owners.found('lost', 'main');
  expect(owners.foundAt('lost')).toBe('main');
  expect(owners.find('lost', 'acme')).toBeNull();
  expect(owners.foundAt('unknown')).toBeNull();
});

test('response owners forget the oldest of what others have made', () => {
  const owners = createResponseOwners(NOBODY);
  for (let index = 0; index < 20_001; index += 1) owners.heard(`r${index}`, OWNER);
  expect(owners.find('r0', 'acme')).toBeNull();
  expect(owners.find('r1', 'acme')).toEqual(OWNER);
});
