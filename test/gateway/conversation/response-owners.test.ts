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
