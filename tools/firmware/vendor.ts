// The npm libraries as modules for XS in ROM: one a library, rolled up so that `const` stays `const`, with changes that each count what
// they changed, so that an upgrade which they no longer fit stops the build.

import { join } from "node:path";
import { nodeResolve } from "@rollup/plugin-node-resolve";
import { type Plugin, rollup } from "rollup";
import { shortNames } from "./short-names.js";

/** Comparisons in noble's modules for Ed25519 that may compare BigInts; XS takes one in ROM and one in RAM for different. */
const COMPARISONS = 65;

interface Library {
  /** of the module in the firmware, as src imports it */
  readonly name: string;
  readonly path: string;
  /** what src imports of it: nothing else comes along */
  readonly exports: readonly string[];
}

const libraries: readonly Library[] = [
  { name: "@noble/curves/ed25519", path: "@noble/curves/ed25519.js", exports: ["ed25519"] },
  { name: "@noble/curves/utils", path: "@noble/curves/utils.js", exports: ["bytesToNumberLE"] },
];

/** Writes the libraries' modules below `folder`; their names. Throws where a library is not as these changes expect it. */
export async function buildVendor(root: string, folder: string): Promise<string[]> {
  const counts = { comparisons: 0 };
  const bundle = await rollup({
    input: Object.fromEntries(libraries.map(({ name }) => [name, `entry:${name}`])),
    external: [/^@noble\/hashes\/sha2/],
    plugins: [entries(root), nodeResolve({ browser: true }), compareByIdentity(counts), shortNames(() => true)],
    onwarn(warning) {
      if (warning.code !== "CIRCULAR_DEPENDENCY") throw new Error(warning.message);
    },
  });
  expect("BigInt comparisons of @noble/curves", counts.comparisons, COMPARISONS);
  const { output } = await bundle.write({
    dir: folder,
    format: "es",
    entryFileNames: "[name].js",
    chunkFileNames: "@noble/curves/[name].js",
    manualChunks: (id) => (id.includes("@noble") ? "shared" : undefined),
    generatedCode: { constBindings: true },
  });
  await bundle.close();
  return output.map(({ fileName }) => fileName.replace(/\.js$/, ""));
}

/** A module a library that exports what src imports of it. */
function entries(root: string): Plugin {
  return {
    name: "entries",
    resolveId: (id) => (id.startsWith("entry:") ? id : null),
    load(id) {
      const library = libraries.find(({ name }) => id === `entry:${name}`);
      if (library === undefined) return null;
      const path = join(root, "node_modules", library.path);
      return `export { ${library.exports.join(", ")} } from ${JSON.stringify(path)};`;
    },
  };
}

function expect(what: string, found: number, expected: number): void {
  if (found !== expected)
    throw new Error(
      `${what}: ${found} found, ${expected} expected. Look at what the upgrade changed, then at vendor.ts.`,
    );
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

interface Comparison extends Node {
  readonly operator: string;
  readonly left: Node;
  readonly right: Node;
}

/** `a === b` becomes `Object.is(a, b)` where neither side is a literal, a typeof or undefined: what is left may be BigInts. */
function compareByIdentity(counts: { comparisons: number }): Plugin {
  return {
    name: "compare-by-identity",
    transform(code, id) {
      if (!id.includes("@noble/curves")) return null;
      const found: Comparison[] = [];
      visit(this.parse(code) as unknown as Node, (node) => {
        if (node.type === "BinaryExpression" && mayCompareBigInts(node as Comparison)) found.push(node as Comparison);
      });
      counts.comparisons += found.length;
      const edits = found.flatMap(({ start, end, left, right, operator }) => {
        const at = code.indexOf(operator, left.end);
        if (at < 0 || at > right.start) throw new Error(`${id}: no ${operator} between its operands`);
        return [
          { at: start, remove: 0, insert: operator.startsWith("!") ? "!Object.is(" : "Object.is(" },
          { at, remove: operator.length, insert: "," },
          { at: end, remove: 0, insert: ")" },
        ];
      });
      return { code: edit(code, edits), map: null };
    },
  };
}

function mayCompareBigInts({ operator, left, right }: Comparison): boolean {
  return /^[=!]==?$/.test(operator) && ![left, right].some(isNoBigInt);
}

function isNoBigInt(node: Node): boolean {
  if (node.type === "Literal") return !("bigint" in node);
  if (node.type === "Identifier") return (node as Node & { name: string }).name === "undefined";
  if (node.type === "UnaryExpression") return (node as Node & { operator: string }).operator === "typeof";
  // lengths of arrays are numbers
  if (node.type === "MemberExpression")
    return (node as Node & { property: { name?: string } }).property.name === "length";
  return false;
}

function visit(node: Node, seen: (node: Node) => void): void {
  seen(node);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (typeof child === "object" && child !== null && typeof child.type === "string") visit(child as Node, seen);
    }
  }
}

interface Edit {
  readonly at: number;
  readonly remove: number;
  readonly insert: string;
}

/** Edits from the end on; of those at one place, the inner ones come first. */
function edit(code: string, edits: readonly Edit[]): string {
  const ordered = edits.map((change, index) => ({ ...change, index })).sort((a, b) => b.at - a.at || b.index - a.index);
  return ordered.reduce((text, { at, remove, insert }) => text.slice(0, at) + insert + text.slice(at + remove), code);
}
