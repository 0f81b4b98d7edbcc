import { expect, test } from 'vitest';
import type { Person, Position } from '../src/api/people';
import { secondPerson } from '../src/state/second_person';

const APPROVE = 'rules:approve';
const position = (id: string, permissions: string[]): Position => ({
  id,
  title_vi: id,
  title_en: id,
  permissions,
  is_on_shift: false,
});
const POSITIONS = [position('it', ['rules:write']), position('approver', [APPROVE])];
const person = (id: string, positions: string[], is_active = true): Person => ({
  id,
  name: id.toUpperCase(),
  positions,
  language: 'vi',
  is_active,
  contacts: null,
});
const AN = person('an', ['it', 'approver']);
const BINH = person('binh', ['approver']);
const CHI = person('chi', ['it']);
const DUNG = person('dung', ['approver'], false);

const reader = (id: string, ...permissions: string[]) => ({ name: id, permissions });
const ids = (people: Person[]) => people.map((one) => one.id);

test('the author reads who else decides, and the other one has the button', () => {
  const centre = { all: [AN, BINH, CHI, DUNG], positions: POSITIONS };
  const own = secondPerson(centre, reader('an', APPROVE), APPROVE, ['an']);
  expect([own.may, own.isOwn, ids(own.who)]).toEqual([false, true, ['binh']]);
  const other = secondPerson(centre, reader('binh', APPROVE), APPROVE, ['an']);
  expect(other.may).toBe(true);
  const without = secondPerson(centre, reader('chi', 'rules:write'), APPROVE, ['an']);
  expect([without.may, without.isOwn, ids(without.who)]).toEqual([false, false, ['binh']]);
});

test('an author who is alone decides, as the hub has it', () => {
  const centre = { all: [AN, CHI, DUNG], positions: POSITIONS };
  expect(secondPerson(centre, reader('an', APPROVE), APPROVE, ['an']).may).toBe(true);
  const seen = secondPerson(centre, reader('chi', 'rules:write'), APPROVE, ['an']);
  expect(ids(seen.who)).toEqual(['an']);
  expect(secondPerson(centre, reader('administrator', APPROVE), APPROVE, ['administrator']).may).toBe(false);
});

test('a warning is never released alone, and where nobody may the position is named', () => {
  const centre = { all: [AN, CHI], positions: POSITIONS };
  const alone = secondPerson(centre, reader('an', APPROVE), APPROVE, ['an'], false);
  expect([alone.may, ids(alone.who)]).toEqual([false, []]);
  const nobody = secondPerson({ all: [CHI], positions: POSITIONS }, reader('chi'), APPROVE, ['chi']);
  expect([nobody.may, nobody.who, ids(nobody.positions as unknown as Person[])]).toEqual([false, [], ['approver']]);
});
