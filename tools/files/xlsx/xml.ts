// Tags and texts of XML 1.0, one after the other, as far as workbooks use it: no document type, so that no entity grows.

export type Token =
  | { readonly kind: "open"; readonly name: string; readonly attributes: string }
  | { readonly kind: "close"; readonly name: string }
  | { readonly kind: "text"; readonly text: string };

const entities: ReadonlyMap<string, string> = new Map(
  Object.entries({ amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" }),
);

/** Names stand without their prefix; an empty element opens and closes. Throws an Error where a tag does not end. */
export function* xmlTokens(source: string): Generator<Token> {
  for (let offset = 0; offset < source.length; ) {
    const tag = source.indexOf("<", offset);
    const textEnd = tag < 0 ? source.length : tag;
    if (textEnd > offset) yield { kind: "text", text: plain(source.slice(offset, textEnd)) };
    if (tag < 0) return;
    if (source.startsWith("<![CDATA[", tag)) {
      offset = endOf(source, "]]>", tag + 9);
      yield { kind: "text", text: source.slice(tag + 9, offset - 3) };
    } else if (source.startsWith("<!--", tag)) offset = endOf(source, "-->", tag + 4);
    else if (source.startsWith("<?", tag)) offset = endOf(source, "?>", tag + 2);
    else if (source.startsWith("<!", tag)) throw new Error("its XML declares a document type, which is not read");
    else {
      offset = tagEnd(source, tag + 1);
      yield* tagTokens(source.slice(tag + 1, offset - 1));
    }
  }
}

function* tagTokens(inside: string): Generator<Token> {
  if (inside.startsWith("/")) {
    yield { kind: "close", name: localName(inside.slice(1).trim()) };
    return;
  }
  const isEmpty = inside.endsWith("/");
  const space = inside.search(/[\s/]/);
  const name = localName(space < 0 ? inside : inside.slice(0, space));
  yield { kind: "open", name, attributes: space < 0 ? "" : inside.slice(space) };
  if (isEmpty) yield { kind: "close", name };
}

/** Attributes of an opened element by their names without prefix. */
export function attributesOf(attributes: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [, name, double, single] of attributes.matchAll(/([^\s=/"']+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)) {
    if (!name!.startsWith("xmlns")) found.set(localName(name!), plain(double ?? single ?? ""));
  }
  return found;
}

function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}

/** A `>` in the value of an attribute ends no tag. */
function tagEnd(source: string, start: number): number {
  const sign = /[>"']/g;
  for (sign.lastIndex = start; ; ) {
    const found = sign.exec(source);
    if (found === null) throw new Error("its XML is cut: a tag does not end");
    if (found[0] === ">") return found.index + 1;
    sign.lastIndex = endOf(source, found[0], found.index + 1);
  }
}

function endOf(source: string, sign: string, start: number): number {
  const found = source.indexOf(sign, start);
  if (found < 0) throw new Error(`its XML is cut: ${sign} does not follow`);
  return found + sign.length;
}

function plain(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&(?:#x([0-9a-fA-F]{1,6})|#(\d{1,7})|(\w+));/g, (whole, hex, decimal, name) => {
    if (name !== undefined) return entities.get(name) ?? whole;
    const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });
}
