// The doors of the API, each by its level: what a chain's readers alone may have is told to nobody else, whichever route it is.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Role } from "../../../src/wire/credential.js";
import { shapes } from "../../../tools/routes/routes.js";
import { pathOf, type RouteShape } from "../../../tools/routes/shape.js";
import { createHolder, createJudge, nodeToken } from "../admission/holders.js";
import { createNodeApi } from "./api.js";

/** A value for each parameter that a path has. */
const fillings: Readonly<Record<string, string | number>> = {
  service: 1,
  height: 1,
  meter: "11".repeat(8),
  signer: "11".repeat(8),
  seq: 0,
  grant: `${"11".repeat(8)}-1`,
  day: 20_700,
  from: 900,
  until: 1_800,
  contract: "access",
  key: "x",
  start: 900,
  name: "1:1:0",
  file: "explorer.js",
};

function pathOfDoor(shape: RouteShape): string {
  const names = [...shape.path.matchAll(/:([a-z_]+)/gi)].map(([, name]) => name!);
  const parameters = Object.fromEntries(
    names.map((name) => {
      assert.ok(fillings[name] !== undefined, `a value for ${name} of ${shape.path}`);
      return [name, fillings[name]];
    }),
  );
  return pathOf(shape, parameters as never, {});
}

const doors = shapes.filter(({ method }) => method === "GET");
const strangers: readonly Role[] = ["meter", "customer", "supplier", "researcher", "grid-operator"];

async function openDoors(t: Parameters<typeof createNodeApi>[0]) {
  const { judge } = createJudge();
  const { base } = await createNodeApi(
    t,
    {},
    {
      isAsked: true,
      services: () => [0, 1],
      readersOf: () => undefined,
      objection: judge.objection,
      judge: (token: string) => judge.judge(token, []),
    },
  );
  return async (shape: RouteShape, token?: string) => {
    const aborting = new AbortController();
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const answer = await fetch(base + pathOfDoor(shape), { headers, signal: aborting.signal });
    // What goes on without end is not waited for.
    const body = answer.status === 200 ? "" : await answer.text();
    aborting.abort();
    return { status: answer.status, body };
  };
}

test("every door says who may go through it, and each level has one", () => {
  assert.deepEqual(new Set(doors.map(({ access }) => access)), new Set(["public", "chain", "chains", "holder"]));
});

test("what is public is told to whoever asks", async (t) => {
  const ask = await openDoors(t);
  for (const door of doors.filter(({ access }) => access === "public")) {
    const { status } = await ask(door);
    assert.ok(![401, 403].includes(status), `${door.path} answers ${status}`);
  }
});

test("what is of a chain is told to its readers alone, and a refusal tells nothing of it", async (t) => {
  const ask = await openDoors(t);
  for (const door of doors.filter(({ access }) => access === "chain" || access === "chains")) {
    const none = await ask(door);
    assert.equal(none.status, 401, door.path);
    const said = new Set<string>();
    for (const role of strangers) {
      const { status, body } = await ask(door, createHolder({}, [role]).token());
      // A holder may have what is his own: he is told so only for what he names.
      assert.ok([403, 404].includes(status), `${door.path} answers ${status} to a ${role}`);
      said.add(body.replaceAll(/[0-9a-f]{16}/g, "ID"));
    }
    assert.equal(said.size, 1, `${door.path} tells strangers the same`);
    for (const token of [nodeToken(), createHolder({}, ["regulator"]).token()]) {
      const { status } = await ask(door, token);
      assert.ok(![401, 403].includes(status), `${door.path} answers ${status} to a reader`);
    }
  }
});

test("a number in a path has one text: no door takes leading zeros", async (t) => {
  const { base } = await createNodeApi(t);
  for (const door of doors) {
    const parts = pathOfDoor(door).split("/");
    for (const [at, part] of parts.entries()) {
      const number = /^\d+$|^\d+(?=:)|(?<=-)\d+$/.exec(part);
      if (number === null || /^[0-9a-f]{16}$/.test(part)) continue;
      for (const zeros of ["0", "00000"]) {
        const text = part.slice(0, number.index) + zeros + part.slice(number.index);
        const answer = await fetch(base + parts.with(at, text).join("/"));
        assert.ok([400, 404].includes(answer.status), `${door.path} answers ${answer.status} to ${text}`);
        const { message } = (await answer.json()) as { readonly message: string };
        assert.match(message, /it is/, `${door.path} refuses ${text} for what it is`);
      }
    }
  }
});

test("what is a holder's is told to no stranger, and to no other holder", async (t) => {
  const ask = await openDoors(t);
  for (const door of doors.filter(({ access }) => access === "holder")) {
    assert.equal((await ask(door)).status, 401, door.path);
    const { status } = await ask(door, createHolder({}, ["customer"]).token());
    assert.ok([403, 404].includes(status), `${door.path} answers ${status}`);
  }
});
