// What a contract must not use: each rule finds one trap of the engine in the syntax of a source, and
// says what to write instead. A name that the source itself declares is its own.

import ts from "typescript";

export interface Finding {
  readonly line: number;
  readonly rule: string;
  readonly what: string;
  readonly remedy: string;
}

interface Rule {
  readonly name: string;
  readonly remedy: string;
}

const rules = {
  clock: { name: "clock", remedy: "take context.time_s, the time of the block" },
  random: { name: "random", remedy: "decide by what was signed: an operation's participant, seq and body" },
  float: { name: "float", remedy: "count in integers: mWh, 10^-5 of the currency's unit; bigint for products" },
  division: { name: "division", remedy: "divide bigints, or put Math.trunc(...) or Math.floor(...) around it" },
  power: { name: "power", remedy: "multiply in a loop, or write the constant" },
  expression: { name: "regular-expression", remedy: "compare text by ===, startsWith, indexOf or split" },
  locale: { name: "locale", remedy: "sort and compare by code units: < and sort()" },
  evaluation: { name: "evaluation", remedy: "write the function; text is never evaluated" },
  waiting: { name: "waiting", remedy: "write a function that returns at once: nothing is waited for" },
  absent: { name: "absent", remedy: "do without: it is not there in the engine" },
  module: { name: "module", remedy: "import relative files alone: they become one module" },
} as const satisfies Readonly<Record<string, Rule>>;

/** Names that a contract finds nothing under, or nothing that is the same everywhere. */
const names: ReadonlyMap<string, Rule> = new Map(
  Object.entries({
    clock: ["Date", "performance", "setTimeout", "setInterval"],
    random: ["crypto"],
    expression: ["RegExp"],
    locale: ["Intl"],
    evaluation: ["eval", "Function"],
    waiting: ["Promise", "queueMicrotask"],
    float: ["parseFloat", "Float32Array", "Float64Array"],
    absent: [
      ...["JSON", "Proxy", "Reflect", "WeakMap", "WeakSet", "WeakRef", "FinalizationRegistry", "Atomics"],
      ...[
        "SharedArrayBuffer",
        "ArrayBuffer",
        "DataView",
        "Uint8Array",
        "console",
        "process",
        "require",
        "fetch",
        "Iterator",
      ],
    ],
  }).flatMap(([rule, list]) => list.map((name) => [name, rules[rule as keyof typeof rules]] as const)),
);

/** Members that are taken away whatever they are called on. */
const members: ReadonlyMap<string, Rule> = new Map(
  Object.entries({
    locale: ["localeCompare", "toLocaleString", "toLocaleLowerCase", "toLocaleUpperCase", "normalize"],
    expression: ["match", "matchAll", "search"],
    evaluation: ["constructor", "__proto__"],
    float: ["toFixed", "toPrecision", "toExponential"],
  }).flatMap(([rule, list]) => list.map((name) => [name, rules[rule as keyof typeof rules]] as const)),
);

const mathKept = new Set(["abs", "ceil", "clz32", "floor", "imul", "max", "min", "round", "sign", "trunc"]);
const rounding = new Set(["ceil", "floor", "round", "trunc"]);

/** Findings in a TypeScript source, in the order of its lines. */
export function lintSource(text: string, file: string): Finding[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
  const own = declaredNames(source);
  const findings: Finding[] = [];
  const visit = (node: ts.Node): void => {
    const rule = ruleFor(node, own);
    if (rule !== undefined) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
      findings.push({ line: line + 1, rule: rule.name, what: shortText(node.getText(source)), remedy: rule.remedy });
    }
    // What types say is gone before the engine sees it.
    if (!ts.isTypeNode(node) && !ts.isInterfaceDeclaration(node) && !ts.isTypeAliasDeclaration(node))
      node.forEachChild(visit);
  };
  visit(source);
  return findings;
}

function shortText(text: string): string {
  const line = text.split("\n")[0]!;
  return line.length > 60 ? `${line.slice(0, 57)}...` : line;
}

function declaredNames(source: ts.SourceFile): ReadonlySet<string> {
  const own = new Set<string>();
  const visit = (node: ts.Node): void => {
    const isDeclaration =
      ts.isVariableDeclaration(node) ||
      ts.isFunctionDeclaration(node) ||
      ts.isParameter(node) ||
      ts.isBindingElement(node);
    if ((isDeclaration || ts.isClassDeclaration(node) || ts.isImportSpecifier(node)) && node.name !== undefined) {
      if (ts.isIdentifier(node.name)) own.add(node.name.text);
    }
    node.forEachChild(visit);
  };
  visit(source);
  return own;
}

function ruleFor(node: ts.Node, own: ReadonlySet<string>): Rule | undefined {
  if (ts.isRegularExpressionLiteral(node)) return rules.expression;
  if (ts.isNumericLiteral(node)) return Number.isSafeInteger(Number(node.text)) ? undefined : rules.float;
  if (ts.isBinaryExpression(node)) return operatorRule(node);
  if (ts.isAwaitExpression(node) || node.kind === ts.SyntaxKind.AsyncKeyword) return rules.waiting;
  if (ts.isImportDeclaration(node)) return importRule(node);
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) return rules.module;
  if (ts.isPropertyAccessExpression(node)) return memberRule(node, own);
  if (ts.isIdentifier(node) && !own.has(node.text) && isUse(node)) return names.get(node.text);
  return undefined;
}

function operatorRule({ operatorToken, parent }: ts.BinaryExpression): Rule | undefined {
  const { kind } = operatorToken;
  if (kind === ts.SyntaxKind.AsteriskAsteriskToken || kind === ts.SyntaxKind.AsteriskAsteriskEqualsToken)
    return rules.power;
  if (kind === ts.SyntaxKind.SlashEqualsToken) return rules.division;
  if (kind !== ts.SyntaxKind.SlashToken) return undefined;
  let outer = parent;
  while (ts.isParenthesizedExpression(outer)) outer = outer.parent;
  const isRounded =
    ts.isCallExpression(outer) &&
    ts.isPropertyAccessExpression(outer.expression) &&
    rounding.has(outer.expression.name.text);
  return isRounded || isOfBigints(operatorToken.parent as ts.BinaryExpression) ? undefined : rules.division;
}

/** Whether the syntax shows that a quotient is of bigints: a literal, or BigInt(...), on either side. */
function isOfBigints({ left, right }: ts.BinaryExpression): boolean {
  return [left, right].some((side) => {
    let inner: ts.Expression = side;
    while (ts.isParenthesizedExpression(inner)) inner = inner.expression;
    if (ts.isBigIntLiteral(inner)) return true;
    if (ts.isBinaryExpression(inner)) return isOfBigints(inner);
    return ts.isCallExpression(inner) && ts.isIdentifier(inner.expression) && inner.expression.text === "BigInt";
  });
}

function importRule({ importClause, moduleSpecifier }: ts.ImportDeclaration): Rule | undefined {
  if (importClause?.isTypeOnly) return undefined;
  return ts.isStringLiteral(moduleSpecifier) && moduleSpecifier.text.startsWith(".") ? undefined : rules.module;
}

function memberRule({ expression, name }: ts.PropertyAccessExpression, own: ReadonlySet<string>): Rule | undefined {
  if (ts.isIdentifier(expression) && expression.text === "Math" && !own.has("Math")) {
    if (name.text === "random") return rules.random;
    return mathKept.has(name.text) ? undefined : rules.float;
  }
  return members.get(name.text);
}

/** Whether an identifier names a value: not a member, a key or a part of a declaration. */
function isUse(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isPropertyAssignment(parent) || ts.isMethodDeclaration(parent)) return parent.name !== node;
  return !ts.isImportSpecifier(parent) && !ts.isExportSpecifier(parent) && !ts.isTypeReferenceNode(parent);
}
