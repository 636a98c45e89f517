// An XLSX workbook (ECMA-376 part 1, chapter 18): which part is which sheet, its shared strings, and which formats are dates.

import { posix } from "node:path";
import { isDateFormat } from "./dates.js";
import { attributesOf, type Token, xmlTokens } from "./xml.js";
import { type Archive, openZip } from "./zip.js";

const STRINGS_MAX = 4_194_304;
const SAVE = "save it as XLSX or CSV";
/** A stream that only encrypted workbooks have (MS-OFFCRYPTO 2.3.4). */
const ENCRYPTED = "EncryptedPackage";

/** The sheet that is meant: its name, or its number from 1. */
export type SheetNamed = string | number;

export interface Sheet {
  readonly name: string;
  readonly xml: string;
  readonly strings: readonly string[];
  /** by the number of a cell's style: whether its number is a date or a time */
  readonly dates: readonly boolean[];
  readonly is1904: boolean;
}

interface Related {
  readonly id: string;
  /** the last word of its type */
  readonly type: string;
  /** name of the part */
  readonly part: string;
}

/** Whether the bytes begin as an XLSX file does. Throws an Error that says what to do with a workbook that is encrypted or older. */
export function isWorkbook(bytes: Uint8Array): boolean {
  const starts = (...first: readonly number[]) => first.every((byte, index) => bytes[index] === byte);
  if (starts(0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1)) {
    const isEncrypted = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(ENCRYPTED, 0, "utf16le");
    const [kind, first] = isEncrypted ? ["encrypted", "take its password away"] : ["of the old kind, XLS", "open it"];
    throw new Error(`the workbook is ${kind}: ${first} and ${SAVE}`);
  }
  return starts(0x50, 0x4b, 0x03, 0x04);
}

/** Throws an Error where the bytes are no whole workbook or have no such sheet. */
export function openSheet(bytes: Uint8Array, named: SheetNamed): Sheet {
  const archive = openZip(bytes);
  const path = relatedTo(archive, "").find(({ type }) => type === "officeDocument")?.part;
  if (path === undefined) throw new Error(`the ZIP holds no XLSX workbook: open it in a spreadsheet and ${SAVE}`);
  if (!path.endsWith(".xml")) throw new Error(`the workbook is of another kind, ${path}: open it and ${SAVE}`);
  const { sheets, is1904 } = listed(required(archive, path));
  const related = relatedTo(archive, path);
  const sheet = typeof named === "number" ? sheets[named - 1] : sheets.find(({ name }) => name === named);
  if (sheet === undefined) {
    const names = sheets.slice(0, 20).map(({ name }) => JSON.stringify(name));
    throw new Error(`the workbook has no sheet ${JSON.stringify(named)}; it has ${names.join(", ")}`);
  }
  const own = related.find(({ id }) => id === sheet.id);
  if (own?.type !== "worksheet") throw new Error(`sheet ${JSON.stringify(sheet.name)} is no table: name another one`);
  const optional = (wanted: string) => {
    const part = related.find(({ type }) => type === wanted)?.part;
    return part === undefined ? undefined : required(archive, part);
  };
  return {
    name: sheet.name,
    strings: stringsOf(optional("sharedStrings") ?? ""),
    dates: datesOf(optional("styles") ?? ""),
    is1904,
    xml: required(archive, own.part),
  };
}

function required(archive: Archive, part: string): string {
  const xml = xmlOf(archive, part);
  if (xml === undefined) throw new Error(`the workbook is damaged: ${part} is missing. Open it and ${SAVE}`);
  return xml;
}

function xmlOf(archive: Archive, part: string): string | undefined {
  const bytes = archive.unpack(part);
  if (bytes === undefined) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Error(`${part} is not written in UTF-8`, { cause });
  }
}

/** What a part relates to, of the whole file where its name is empty; paths without `/` at their begin are relative to it. */
function relatedTo(archive: Archive, part: string): readonly Related[] {
  const cut = part.lastIndexOf("/") + 1;
  const folder = part.slice(0, cut);
  const related: Related[] = [];
  for (const token of xmlTokens(xmlOf(archive, `${folder}_rels/${part.slice(cut)}.rels`) ?? "")) {
    if (token.kind !== "open" || token.name !== "Relationship") continue;
    const fields = attributesOf(token.attributes);
    const target = fields.get("Target") ?? "";
    related.push({
      id: fields.get("Id") ?? "",
      type: (fields.get("Type") ?? "").split("/").at(-1)!,
      part: target.startsWith("/") ? target.slice(1) : posix.join(folder, target),
    });
  }
  return related;
}

function listed(xml: string) {
  const sheets: { readonly name: string; readonly id: string | undefined }[] = [];
  let is1904 = false;
  for (const token of xmlTokens(xml)) {
    if (token.kind !== "open") continue;
    const fields = attributesOf(token.attributes);
    if (token.name === "sheet") sheets.push({ name: fields.get("name") ?? "", id: fields.get("id") });
    if (token.name === "workbookPr") is1904 = /^(?:1|true)$/.test(fields.get("date1904") ?? "");
  }
  return { sheets, is1904 };
}

function stringsOf(xml: string): readonly string[] {
  const strings: string[] = [];
  const text = createItemText();
  for (const token of xmlTokens(xml)) {
    text.take(token);
    if (token.kind !== "close" || token.name !== "si") continue;
    if (strings.length >= STRINGS_MAX) throw new Error(`the workbook has more than ${STRINGS_MAX} shared strings`);
    strings.push(text.end());
  }
  return strings;
}

/** The text of a string's runs, without how it is pronounced (18.4.8). */
export function createItemText() {
  let [text, isText, isPhonetic] = ["", false, false];
  return {
    take(token: Token): void {
      if (token.kind === "text") text += isText && !isPhonetic ? token.text : "";
      else if (token.name === "t") isText = token.kind === "open";
      else if (token.name === "rPh") isPhonetic = token.kind === "open";
    },
    /** The text since the last one ended. */
    end(): string {
      const whole = text.replace(/_x([0-9A-Fa-f]{4})_/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
      [text, isText, isPhonetic] = ["", false, false];
      return whole.trim();
    },
  };
}

function datesOf(xml: string): readonly boolean[] {
  const codes = new Map<number, string>();
  const dates: boolean[] = [];
  let isCell = false;
  for (const token of xmlTokens(xml)) {
    if (token.kind === "text") continue;
    if (token.name === "cellXfs") isCell = token.kind === "open";
    if (token.kind === "close") continue;
    const fields = attributesOf(token.attributes);
    const id = Number(fields.get("numFmtId") ?? 0);
    if (token.name === "numFmt") codes.set(id, fields.get("formatCode") ?? "");
    if (token.name === "xf" && isCell) dates.push(isDateFormat(id, codes.get(id)));
  }
  return dates;
}
