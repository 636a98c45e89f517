// Makes an arrow of each function that stands at the top of a module. XS gives a function declaration a prototype, three slots of ROM and
// one of the aliases in RAM, as `new` could be said to it; nothing in the firmware does. Declarations are there from a module's
// beginning: so the arrows come first in it.

import ts from "typescript";

/** The transformer of one source: declarations that are generators, asynchronous, or speak of `this` or `arguments` stay. */
export const arrows: ts.TransformerFactory<ts.SourceFile> = (context) => (source) => {
  const { factory } = context;
  const first: ts.Statement[] = [];
  const rest: ts.Statement[] = [];
  for (const statement of source.statements) {
    if (ts.isImportDeclaration(statement)) first.push(statement);
  }
  for (const statement of source.statements) {
    if (ts.isImportDeclaration(statement)) continue;
    if (!isPlain(statement)) {
      rest.push(statement);
      continue;
    }
    const { name, parameters, body } = statement;
    const arrow = factory.createArrowFunction(undefined, undefined, parameters, undefined, undefined, body);
    const declaration = factory.createVariableDeclaration(name, undefined, undefined, arrow);
    const modifiers = statement.modifiers?.filter(ts.isModifier);
    first.push(
      factory.createVariableStatement(
        modifiers,
        factory.createVariableDeclarationList([declaration], ts.NodeFlags.Const),
      ),
    );
  }
  return factory.updateSourceFile(source, [...first, ...rest]);
};

type PlainFunction = ts.FunctionDeclaration & { readonly name: ts.Identifier; readonly body: ts.Block };

function isPlain(statement: ts.Statement): statement is PlainFunction {
  if (!ts.isFunctionDeclaration(statement) || statement.name === undefined || statement.body === undefined)
    return false;
  const kinds = [ts.SyntaxKind.DefaultKeyword, ts.SyntaxKind.AsyncKeyword];
  const isSpecial = statement.modifiers?.some(({ kind }) => kinds.includes(kind)) ?? false;
  return statement.asteriskToken === undefined && !isSpecial && !speaksOfItself(statement.body);
}

function speaksOfItself(node: ts.Node): boolean {
  if (node.kind === ts.SyntaxKind.ThisKeyword) return true;
  if (ts.isIdentifier(node) && node.text === "arguments") return true;
  if (ts.isClassLike(node) || ts.isFunctionExpression(node) || ts.isMethodDeclaration(node)) return false;
  return ts.forEachChild(node, (child) => speaksOfItself(child) || undefined) ?? false;
}
