// Contracts made from a seed, to compare machines by: integers, text, arrays, loops, state, effects,
// and the failures of each kind.

import { encodeValue } from "../../src/wire/value.js";
import { type Run, runOf } from "./runs.js";

type Next = (below: number) => number;

/** A linear congruential generator (Numerical Recipes): the same everywhere. */
function generator(seed: number): Next {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** The run of a number: its contract, argument, parameters and state. */
export function generatedRun(seed: number): Run {
  const next = generator(seed);
  const statements = Array.from({ length: 2 + next(8) }, () => statement(next, 0));
  const body = `let a = o.n, b = BigInt(o.n), t = o.t, l = [3, 1, 2];\n${statements.join("\n")}\nc.put("w/end", [a, b, t, l]);`;
  return runOf(body, {
    argument: { n: next(1_000), t: "äz".repeat(next(5)) },
    height: 1 + next(1_000),
    parameters: { p: next(100), q: 2n ** 60n },
    state: new Map([["r/one", encodeValue({ x: next(50), y: ["s", null] })]]),
    limits: { budget: 100 + next(400), pages: 32 + next(64), output: 200 + next(4_000) },
  });
}

function statement(next: Next, depth: number): string {
  const choice = next(depth < 2 ? 18 : 15);
  switch (choice) {
    case 0:
      return `a = (a * ${next(97)} + ${next(1_000)}) % 1000003;`;
    case 1:
      return `b = b * ${next(99) + 1}n + BigInt(a);`;
    case 2:
      return `t = (t + "${"xyzäö"[next(5)]}" + a).slice(-${1 + next(40)});`;
    case 3:
      return `l.push(a % ${1 + next(50)}); if (l.length > 12) l = l.toSorted().slice(0, 6);`;
    case 4:
      return `c.put("w/${next(6)}", { a, t, k: l.length });`;
    case 5:
      return `c.effect("e${next(4)}", [a, t]);`;
    case 6:
      return `a += c.get("r/one").x + c.keys("w/").length;`;
    case 7:
      return `if (a % ${2 + next(5)} === 0) c.deny("rule-${next(3)}", a);`;
    case 8:
      return `c.violation("v", "00112233445566${10 + next(80)}", { height: c.height });`;
    case 9:
      return `c.message(${1 + next(5)}, "m", [String(b).length, c.parameters.p]);`;
    case 10:
      return `try { null.x } catch (e) { t += e.message.length; }`;
    case 11:
      return `l = [...new Set(l.concat(l.map((x) => x * 2)))].slice(0, 20);`;
    case 12:
      return next(6) === 0 ? `throw new RangeError("at " + a);` : `c.remove("w/${next(6)}");`;
    case 13:
      return next(6) === 0
        ? `c.put("${next(2) === 0 ? "r/x" : "w/f"}", a / 7);`
        : `t = t.toUpperCase().split("A").join("-");`;
    case 14:
      return next(8) === 0 ? `{ const f = (n) => f(n + 1) + 1; try { f(0); } catch { a += 1; } }` : `b %= 10n ** 12n;`;
    case 15:
      return `for (let i = 0; i < ${next(next(10) === 0 ? 2_000_000 : 200)}; i += 1) { ${statement(next, depth + 1)} }`;
    case 16:
      return `if (a > ${next(1_000)}) { ${statement(next, depth + 1)} } else { ${statement(next, depth + 1)} }`;
    default:
      return next(12) === 0 ? "{ const m = []; for (;;) m.push([a, t]); }" : `{ ${statement(next, depth + 1)} }`;
  }
}
