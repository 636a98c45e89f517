// `gridseal access list`: what it shows of requests, and to a participant what a decision needs.

import assert from "node:assert/strict";
import { test } from "node:test";
import { decisionLines, type Request, requestTable, subjectLines } from "../../../tools/cli/access/shown.js";

const [ANNA, STUDY, METER] = ["aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb", "cccccccccccccccc"];
const NAME = `${STUDY}-1`;
const request: Request = {
  ...{ requester: STUDY, need: `${STUDY}-0`, meter: METER, state: "sent", basis: "consent" },
  ...{ purpose: 7, from: 20_000, until: 20_031 },
};
const subjects = new Map([[METER, [[ANNA, 19_000, 50_000_000]] as const]]);
const deciding = { as: "anna", service: "dispatch", participant: ANNA, subjects, text: "evening peaks" };
const commandsOf = (lines: readonly string[]) => lines.flatMap((line) => /gridseal access (\w+)/.exec(line)?.[1] ?? []);

test("a list without requests has its headings, as one with them", () => {
  const [heads, ...none] = requestTable([]);
  assert.match(heads!, /^REQUEST +STATE +BASIS +PURPOSE +METER +FROM +UNTIL/);
  assert.deepEqual(none, []);
  const [, row] = requestTable([[NAME, request]]);
  assert.match(row!, new RegExp(`^${NAME} +sent +consent +AcademicResearch +${METER} +2024-10-04 +2024-11-04$`));
});

test("a participant is told whose subject he is, who asks for what, and the exact commands that answer", () => {
  assert.deepEqual(subjectLines(ANNA, subjects), [`you are the subject of meter ${METER}, from 2022-01-08 on`]);
  assert.deepEqual(subjectLines(STUDY, subjects), ["you are the subject of no meter"]);
  assert.deepEqual(decisionLines(NAME, request, deciding), [
    `${NAME}: ${STUDY} asks for AcademicResearch, "evening peaks", of meter ${METER}, 2024-10-04 until 2024-11-04`,
    `  to consent: gridseal access consent ${NAME} --as anna --service dispatch`,
    `  to object: gridseal access object ${NAME} --as anna --service dispatch`,
  ]);
});

test("no command is named that the contract would deny", () => {
  const days = [[20_000, 20_031, ANNA]] as const;
  const cases: readonly (readonly [Partial<Request>, readonly string[]])[] = [
    [{ state: "accepted", days }, ["withdraw"]],
    [{ state: "accepted", days: [] }, ["consent"]],
    [{ state: "accepted", basis: "law", days }, []],
    [{ basis: "decision" }, ["object"]],
    [{ state: "revoked" }, []],
    [{ from: 10_000, until: 10_001 }, []],
    [{ requester: ANNA }, ["withdraw"]],
  ];
  for (const [change, commands] of cases) {
    assert.deepEqual(
      commandsOf(decisionLines(NAME, { ...request, ...change }, deciding)),
      commands,
      JSON.stringify(change),
    );
  }
});

test("a need that was taken back is said to be", () => {
  assert.match(decisionLines(NAME, request, { ...deciding, text: undefined })[0]!, /its need was taken back/);
});
