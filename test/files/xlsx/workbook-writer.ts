// Workbooks for tests, as ECMA-376 has them: a ZIP writer and the parts of a workbook, of which a test may state each itself.

import { crc32, deflateRawSync } from "node:zlib";

/** A part by its contents; or as it is to be written, true or not. */
export type Packed =
  | string
  | {
      readonly packed: Uint8Array;
      readonly method: number;
      readonly bytes: number;
      readonly crc: number;
      readonly flags?: number;
    };

/** A ZIP file of the parts, stored or deflated. */
export function zip(parts: Readonly<Record<string, Packed>>, method: "stored" | "deflated" = "deflated"): Buffer {
  const [locals, directory]: [Buffer[], Buffer[]] = [[], []];
  let offset = 0;
  for (const [name, part] of Object.entries(parts)) {
    const { packed, method: number, bytes, crc, flags = 0 } = typeof part === "string" ? pack(part, method) : part;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(flags, 2);
    common.writeUInt16LE(number, 4);
    common.writeUInt32LE(crc, 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(bytes, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), common, Buffer.from(name), packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x00"), common, rest, Buffer.from(name)]));
    locals.push(local);
    offset += local.length;
  }
  const listing = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06");
  end.writeUInt16LE(directory.length, 8);
  end.writeUInt16LE(directory.length, 10);
  end.writeUInt32LE(listing.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, listing, end]);
}

function pack(text: string, method: "stored" | "deflated"): Exclude<Packed, string> {
  const contents = Buffer.from(text);
  const isStored = method === "stored";
  const packed = isStored ? contents : deflateRawSync(contents);
  return { packed, method: isStored ? 0 : 8, bytes: contents.length, crc: crc32(contents) };
}

/** A cell: text as a shared string, or the XML between `<c r="A1"` and `</c>`. Empty ones are left out. */
export type CellText = string | { readonly xml: string };

const HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** `<row>`s of a table; rows and cells that are empty are left out. */
export function rowsXml(table: readonly (readonly CellText[])[], strings: string[]): string {
  return table
    .map((row, at) => {
      const cells = row.map((cell, column) => {
        const place = `<c r="${columnName(column)}${at + 1}"`;
        if (typeof cell !== "string") return `${place}${cell.xml}</c>`;
        if (cell === "") return "";
        const known = strings.indexOf(cell);
        return `${place} t="s"><v>${known < 0 ? strings.push(cell) - 1 : known}</v></c>`;
      });
      return row.length === 0 ? "" : `<row r="${at + 1}">${cells.join("")}</row>`;
    })
    .join("");
}

function columnName(column: number): string {
  return column < 26
    ? String.fromCharCode(65 + column)
    : columnName(Math.floor(column / 26) - 1) + String.fromCharCode(65 + (column % 26));
}

interface Book {
  /** tables by the names of their sheets */
  readonly sheets: Readonly<Record<string, readonly (readonly CellText[])[]>>;
  /** codes of formats: the style 1 has the first of them */
  readonly formats?: readonly string[];
  readonly is1904?: boolean;
  /** what follows the rows of each sheet */
  readonly behind?: string;
}

/** The parts of a workbook. */
export function workbookParts({ sheets, formats = [], is1904 = false, behind = "" }: Book): Record<string, string> {
  const strings: string[] = [];
  const names = Object.keys(sheets);
  const relation = (id: string, type: string, target: string) =>
    `<Relationship Id="${id}" Type="${RELATED}/${type}" Target="${target}"/>`;
  const relations = (inside: string) =>
    `${HEAD}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${inside}</Relationships>`;
  const parts: Record<string, string> = {
    "_rels/.rels": relations(relation("rId1", "officeDocument", "xl/workbook.xml")),
    "xl/workbook.xml": `${HEAD}<workbook xmlns:r="${RELATED}"><workbookPr${is1904 ? ' date1904="1"' : ""}/><sheets>${names
      .map((name, at) => `<sheet name="${escaped(name)}" sheetId="${at + 7}" r:id="rId${at + 1}"/>`)
      .join("")}</sheets></workbook>`,
    "xl/_rels/workbook.xml.rels": relations(
      names.map((_, at) => relation(`rId${at + 1}`, "worksheet", `worksheets/sheet${at + 1}.xml`)).join("") +
        relation("rId901", "styles", "/xl/styles.xml") +
        relation("rId902", "sharedStrings", "sharedStrings.xml"),
    ),
    "xl/styles.xml": `${HEAD}<styleSheet><numFmts>${formats
      .map((code, at) => `<numFmt numFmtId="${164 + at}" formatCode="${escaped(code).replaceAll('"', "&quot;")}"/>`)
      .join("")}</numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/>${formats
      .map((_, at) => `<xf numFmtId="${164 + at}" xfId="0"/>`)
      .join("")}</cellXfs></styleSheet>`,
  };
  names.forEach((name, at) => {
    const rows = rowsXml(sheets[name]!, strings);
    parts[`xl/worksheets/sheet${at + 1}.xml`] =
      `${HEAD}<worksheet><cols><col min="1" max="3"/></cols><sheetData>${rows}</sheetData>${behind}</worksheet>`;
  });
  const items = strings.map((text) => `<si><t xml:space="preserve">${escaped(text)}</t></si>`).join("");
  parts["xl/sharedStrings.xml"] = `${HEAD}<sst count="${strings.length}">${items}</sst>`;
  return parts;
}
